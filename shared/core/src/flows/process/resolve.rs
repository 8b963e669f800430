//! Resolve: whose each notice of a delivery is, and what it is to do. Routes are read afresh for every batch.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::warn;

use super::Processor;
use super::fold::Told;
use super::owner::{Owner, missing};
use super::work::{Effect, EntityWork, Origin, Work};
use crate::envelope::{Envelope, EnvelopeKind, Handshake};
use crate::fault::{ErrorClass, Fault};
use crate::notice::{ContentHash, Dated, EntityNotice, Notice, State, UNKNOWN_TOPIC, Version, What};
use crate::ports::Key;
use crate::providers;
use crate::records;
use crate::records::dead_letter::DeadLetter;
use crate::records::endpoint::{self, Endpoint, Route, SOURCES};
use crate::records::entity::{EntityId, Identity, Rank};
use crate::tenant::Tenant;

/// Why a delivery to an endpoint with many accounts is kept.
const NAMES_NOBODY: &str =
    "the delivery names no account, and its endpoint serves many: give each account its own connection";

impl Processor {
    /// Makes works of notices, each for the tenant whose account it is about.
    pub(super) async fn resolve(
        &self,
        index: usize,
        owner: &Owner,
        origin: Arc<Origin>,
        notices: Vec<Notice>,
    ) -> Result<Vec<(Tenant, Work)>, Fault> {
        let endpoint = match owner {
            Owner::Endpoint(endpoint) => endpoint,
            Owner::Missing(_) => return Err(missing(&origin.provider, &origin.endpoint)),
            Owner::Removed(tenant) | Owner::Tenant(tenant) | Owner::Routed(tenant, _) => {
                let ignored = Effect::Ignored { reason: "the connection was removed".into() };
                let identity = Identity::new(&origin.provider, &origin.endpoint, &origin.envelope.id);
                return Ok(vec![(tenant.clone(), work(index, 0, &origin, None, identity, ignored))]);
            }
        };
        let routes = self.routes(endpoint, &notices).await?;
        if notices.iter().all(|notice| names_nobody(endpoint, notice)) && !notices.is_empty() {
            return Err(Fault::permanent(ErrorClass::UnknownAccount, NAMES_NOBODY));
        }
        let is_unknown = |notice: &&Notice| matches!(&notice.what, What::Ignored { reason } if reason == UNKNOWN_TOPIC);
        if let Some(Notice { identity, .. }) = notices.iter().find(is_unknown) {
            let (provider, endpoint, count) =
                (&endpoint.provider, &endpoint.id, notices.iter().filter(is_unknown).count());
            warn!(provider, endpoint, topic = origin.topic, count, first = identity, "an unknown topic");
        }
        // What is kept for one account is about no other; the numbers of the notices are those of the whole body.
        let numbered = (0..).zip(notices).filter(|(_, notice)| match &origin.envelope.only {
            Some(only) => notice.account.as_ref() == Some(only),
            None => true,
        });
        let sorted: Vec<(usize, Notice, Whose)> = numbered
            .map(|(number, notice)| {
                let whose = whose(endpoint, &routes, &notice);
                (number, notice, whose)
            })
            .collect();
        let letter = self.letter_for_all(endpoint, &origin, &sorted).await?;
        let mut works = Vec::with_capacity(sorted.len());
        for (number, notice, whose) in sorted {
            let (tenant, connection, effect) = match whose {
                Whose::Connection(tenant, connection) => {
                    let effect = self.effect(endpoint, &tenant, &connection, &origin, &notice).await?;
                    (tenant, Some(connection), effect)
                }
                Whose::Owner => {
                    (endpoint.tenant.clone(), None, self.effect_for_owner(endpoint, &origin, &notice).await?)
                }
                Whose::Misfit(reason) => {
                    let effect = Effect::Ignored { reason: reason.into() };
                    (endpoint.tenant.clone(), endpoint.connection.clone(), effect)
                }
                Whose::Unknown(account) => {
                    let Some(letter) = letter.clone() else {
                        return Err(Fault::failed("nothing is kept for an account"));
                    };
                    let effect = Effect::Hold { account, letter };
                    (endpoint.tenant.clone(), None, effect)
                }
            };
            // A request about personal data is the same whether its account was connected in between or not.
            let of = connection.as_deref().filter(|_| !matches!(notice.what, What::Privacy(_)));
            let of = of.unwrap_or(&origin.endpoint);
            let identity = Identity::new(&origin.provider, of, &notice.identity);
            let warnings: Vec<String> = foreign(endpoint, &notice).into_iter().chain(origin.oversized()).collect();
            let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
            if let Some(warning) = &warning {
                warn!(provider = endpoint.provider, endpoint = endpoint.id, warning, "an odd delivery");
            }
            let work = work(index, number, &origin, connection.clone(), identity, effect);
            works.push((tenant, Work { warning, ..work }));
        }
        Ok(works)
    }

    /// The routes of the accounts that notices of a shared endpoint are about.
    async fn routes(&self, endpoint: &Endpoint, notices: &[Notice]) -> Result<Vec<(String, Route)>, Fault> {
        if endpoint.connection.is_some() {
            return Ok(Vec::new());
        }
        let named = notices.iter().filter_map(|notice| notice.account.as_ref());
        let accounts: BTreeSet<&String> = named.filter(|account| is_account(account)).collect();
        let key = |account: &&String| endpoint::route_key(&endpoint.provider, &endpoint.id, account);
        let keys: Vec<Key> = accounts.iter().map(key).collect();
        let mut routes = Vec::new();
        for (account, item) in accounts.into_iter().zip(self.ports.table.get_many(&keys).await?) {
            if let Some(item) = item {
                routes.push((account.clone(), records::decode::<Route>(item)?.record));
            }
        }
        Ok(routes)
    }

    /// What a notice for a connection is to do.
    async fn effect(
        &self,
        endpoint: &Endpoint,
        tenant: &Tenant,
        connection: &str,
        origin: &Origin,
        notice: &Notice,
    ) -> Result<Effect, Fault> {
        Ok(match &notice.what {
            What::Entity(entity) => {
                Effect::Entity(Box::new(entity_work(endpoint, connection, origin, notice, entity)?))
            }
            What::Hint { resource, of } => {
                let of = of.as_ref().map(|of| format!("/{of}")).unwrap_or_default();
                Effect::Hint { resource: format!("{resource}/{connection}{of}") }
            }
            What::Privacy(_) => {
                let letter = self.letter(tenant, origin, ErrorClass::PrivacyRequest).await?;
                let (connection, account) = (Some(connection.to_owned()), notice.account.clone());
                let letter = DeadLetter { connection, account, ..letter };
                Effect::Privacy { request: Box::new(letter) }
            }
            What::Ignored { reason } | What::Kept { reason, .. } => Effect::Ignored { reason: reason.clone() },
        })
    }

    /// What a notice is to do that is nobody's but the owner's of the endpoint.
    async fn effect_for_owner(&self, endpoint: &Endpoint, origin: &Origin, notice: &Notice) -> Result<Effect, Fault> {
        if let What::Ignored { reason } | What::Kept { reason, .. } = &notice.what {
            return Ok(Effect::Ignored { reason: reason.clone() });
        }
        let letter = self.letter(&endpoint.tenant, origin, ErrorClass::PrivacyRequest).await?;
        Ok(Effect::Privacy { request: Box::new(DeadLetter { account: notice.account.clone(), ..letter }) })
    }

    /// What is kept for each account that nobody has connected: the delivery, with its body once for all of them.
    async fn letter_for_all(
        &self,
        endpoint: &Endpoint,
        origin: &Origin,
        sorted: &[(usize, Notice, Whose)],
    ) -> Result<Option<Arc<DeadLetter>>, Fault> {
        let unknown = |(_, _, whose): &'_ (usize, Notice, Whose)| match whose {
            Whose::Unknown(account) => Some(account.clone()),
            Whose::Connection(..) | Whose::Owner | Whose::Misfit(_) => None,
        };
        let accounts: BTreeSet<String> = sorted.iter().filter_map(unknown).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        let mut envelope = origin.envelope.clone();
        if let EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) = &mut envelope.kind {
            let (id, blobs) = (&origin.envelope.id, &*self.ports.blobs);
            delivery.share(accounts.len(), &endpoint.tenant, id, blobs).await?;
        }
        let (class, received_at) = (ErrorClass::UnknownAccount, envelope.received_at);
        Ok(Some(Arc::new(DeadLetter::of(&envelope, class, class.as_str(), received_at)?)))
    }

    /// The delivery whole, to be kept by a tenant until what it waits for has come.
    async fn letter(&self, tenant: &Tenant, origin: &Origin, class: ErrorClass) -> Result<DeadLetter, Fault> {
        let mut envelope = origin.envelope.clone();
        keep_body(&mut envelope, tenant, &*self.ports.blobs).await?;
        DeadLetter::of(&envelope, class, &class.to_string(), origin.envelope.received_at)
    }
}

/// Moves an envelope's claim check to where it is kept as long as a dead letter.
pub(super) async fn keep_body(
    envelope: &mut Envelope,
    tenant: &Tenant,
    blobs: &dyn crate::ports::Blobs,
) -> Result<(), Fault> {
    match &mut envelope.kind {
        EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => delivery.keep(tenant, blobs).await,
        EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_) => Ok(()),
    }
}

/// A code that came for the owner of an endpoint.
pub(super) fn handshake(
    index: usize,
    envelope: &Envelope,
    owner: &Owner,
    handshake: &Handshake,
) -> Result<(Tenant, Work), Fault> {
    let origin = Arc::new(Origin::of(envelope));
    let identity = Identity::new(&handshake.provider, &handshake.endpoint, &envelope.id);
    let effect = match owner {
        Owner::Endpoint(_) => Effect::Handshake { code: handshake.code.clone() },
        Owner::Missing(_) => return Err(missing(&handshake.provider, &handshake.endpoint)),
        Owner::Removed(_) | Owner::Tenant(_) | Owner::Routed(..) => {
            Effect::Ignored { reason: "the connection was removed".into() }
        }
    };
    let connection = owner.connection().map(str::to_owned);
    Ok((owner.tenant(), work(index, 0, &origin, connection, identity, effect)))
}

#[derive(Debug, Clone, PartialEq)]
enum Whose {
    Connection(Tenant, String),
    /// The endpoint's owner's: a request about a person whom several may know, or about an account that is not connected,
    /// for which it must not wait; or of no use to anybody.
    Owner,
    Misfit(&'static str),
    Unknown(String),
}

/// Decides whom a notice belongs to. Where one connection has the endpoint, its secret decides, unless the provider signs another account or
/// the secret is an app's.
fn whose(endpoint: &Endpoint, routes: &[(String, Route)], notice: &Notice) -> Whose {
    match (&endpoint.connection, &notice.account) {
        (Some(connection), Some(account)) if endpoint.is_foreign(account) => {
            match providers::by_id(&endpoint.provider).filter(|provider| !provider.signs_account()) {
                None => Whose::Misfit("the delivery names another account than the connection's; check its settings"),
                Some(provider) if provider.shares_secret() => match &notice.what {
                    What::Ignored { .. } | What::Kept { .. } | What::Privacy(_) => {
                        Whose::Misfit("the delivery names another account of the app than the connection's")
                    }
                    What::Entity(_) | What::Hint { .. } => Whose::Unknown(account.clone()),
                },
                Some(_) => Whose::Connection(endpoint.tenant.clone(), connection.clone()),
            }
        }
        (Some(connection), _) => Whose::Connection(endpoint.tenant.clone(), connection.clone()),
        (None, None) if matches!(notice.what, What::Privacy(_)) => Whose::Owner,
        (None, None) => Whose::Misfit("the delivery names no account"),
        (None, Some(account)) if !is_account(account) => Whose::Misfit("what the delivery names is no account"),
        (None, Some(account)) => match (routes.iter().find(|(routed, _)| routed == account), &notice.what) {
            (Some((_, route)), _) => Whose::Connection(route.tenant.clone(), route.connection.clone()),
            // What nobody would do anything with when the account connects is not kept for it: it may be somebody's mail.
            (None, What::Ignored { .. } | What::Kept { .. } | What::Privacy(_)) => Whose::Owner,
            (None, _) => Whose::Unknown(account.clone()),
        },
    }
}

/// The warning for a notice that is processed although it names another account.
fn foreign(endpoint: &Endpoint, notice: &Notice) -> Option<String> {
    let account = notice.account.as_deref().filter(|account| endpoint.is_foreign(account))?;
    let own = endpoint.account.as_deref().unwrap_or_default();
    Some(format!(
        "it names the account {account}, and the connection's is {own}: if that changed, change the connection's account; \
         if the account has several names, list the others in its settings as `{SOURCES}`"
    ))
}

/// Whether nobody can tell whose a notice is that somebody could use: its endpoint serves many accounts, and what it should
/// name the account by is missing or no account. Where that is not signed, it may have been lost on the way.
fn names_nobody(endpoint: &Endpoint, notice: &Notice) -> bool {
    let signs = providers::by_id(&endpoint.provider).is_none_or(|provider| provider.signs_account());
    endpoint.connection.is_none()
        && !signs
        && matches!(notice.what, What::Entity(_) | What::Hint { .. })
        && !notice.account.as_deref().is_some_and(is_account)
}

/// Whether a text can be an account: connections take no other either.
fn is_account(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.contains('#') && !text.chars().any(char::is_control)
}

fn entity_work(
    endpoint: &Endpoint,
    connection: &str,
    origin: &Origin,
    notice: &Notice,
    entity: &EntityNotice,
) -> Result<EntityWork, Fault> {
    let as_of = origin.envelope.received_at.as_millisecond();
    let by_receipt = entity.dated == Dated::ByReceipt;
    let version = if by_receipt { Version(as_of) } else { entity.version };
    let (document, hash, content) = match &entity.state {
        State::Present(document) => {
            let text = document.to_json()?;
            let hash = ContentHash::of_document(version, as_of, &text);
            (Some(text), hash, ContentHash::of(document, &entity.unread)?)
        }
        State::Deleted => (None, ContentHash::DELETED, ContentHash::DELETED),
    };
    let identity = Identity::new(&origin.provider, connection, &notice.identity);
    let envelope = origin.envelope.id.clone();
    Ok(EntityWork {
        entity: EntityId { kind: entity.kind, connection: connection.to_owned(), id: entity.id.clone() },
        told: Told {
            identity,
            envelope,
            rank: Rank { version, as_of, content },
            hash,
            deleted: document.is_none(),
            by_receipt,
            lifts: entity.restored,
        },
        document,
        source: entity.source.map(|source| format!("{source}/{connection}")),
        notice: entity.clone(),
        belonging: belonging(endpoint, entity, notice.account.as_ref()),
    })
}

/// On an endpoint with many accounts, a thing stays with the account that it was first told of for, unless the account
/// is signed.
fn belonging(endpoint: &Endpoint, entity: &EntityNotice, account: Option<&String>) -> Option<(Key, String)> {
    let signed = providers::by_id(&endpoint.provider).is_some_and(|provider| provider.signs_account());
    if endpoint.connection.is_some() || signed {
        return None;
    }
    let key = endpoint::belonging_key(&endpoint.provider, &endpoint.id, entity.kind, &entity.id);
    account.map(|account| (key, account.clone()))
}

fn work(
    envelope: usize,
    number: usize,
    origin: &Arc<Origin>,
    connection: Option<String>,
    identity: Identity,
    effect: Effect,
) -> Work {
    let id = format!("{}-{number}", origin.envelope.id);
    Work { envelope, id, origin: Arc::clone(origin), connection, identity, effect, warning: None }
}

#[cfg(test)]
mod tests {
    use crate::names::PrivacyAct;
    use crate::notice::{PrivacyRequest, Subject};
    use jiff::Timestamp;

    use super::*;

    fn endpoint(connection: Option<&str>) -> Endpoint {
        Endpoint {
            id: "shared".into(),
            provider: "some".into(),
            tenant: Tenant::default_local(),
            name: "An app".into(),
            connection: connection.map(str::to_owned),
            account: None,
            tenants: Vec::new(),
            secrets: Vec::new(),
            settings: serde_json::Map::new(),
            created_at: Timestamp::UNIX_EPOCH,
            request: None,
            deleted_at: None,
        }
    }

    fn notice(account: Option<&str>, what: What) -> Notice {
        Notice { account: account.map(str::to_owned), identity: "1".into(), what }
    }

    fn erasure() -> What {
        let (act, subject) = (PrivacyAct::Erase, Subject::Person(vec!["ann".into()]));
        What::Privacy(PrivacyRequest { act, subject })
    }

    #[test]
    fn requests_about_personal_data_go_to_the_owner_of_a_shared_endpoint() {
        let shared = |account, what| whose(&endpoint(None), &[], &notice(account, what));
        assert_eq!(shared(None, erasure()), Whose::Owner);
        assert!(matches!(shared(None, What::hint("orders")), Whose::Misfit(_)));
        assert_eq!(shared(Some("shop"), erasure()), Whose::Owner, "it does not wait until somebody connects the shop");
        assert_eq!(shared(Some("shop"), What::hint("orders")), Whose::Unknown("shop".into()));
        let own = whose(&endpoint(Some("one")), &[], &notice(None, erasure()));
        assert_eq!(own, Whose::Connection(Tenant::default_local(), "one".into()));
    }

    #[test]
    fn of_one_account_its_own_secret_decides_and_an_apps_does_not() {
        let connection = Whose::Connection(Tenant::default_local(), "one".into());
        let unknown = Whose::Unknown("www.shop.example".into());
        for (provider, expected, warns) in [
            // The account is signed: the delivery is another account's.
            ("square", None, true),
            // The secret is the account's own.
            ("woocommerce", Some(&connection), true),
            ("google-calendar", Some(&connection), true),
            ("microsoft-graph", Some(&connection), true),
            // The secret is an app's.
            ("shopify", Some(&unknown), true),
            ("clover", Some(&unknown), true),
        ] {
            let one =
                Endpoint { provider: provider.into(), account: Some("shop.example".into()), ..endpoint(Some("one")) };
            let others = notice(Some("www.shop.example"), What::hint("orders"));
            match (whose(&one, &[], &others), expected) {
                (Whose::Misfit(_), None) => {}
                (found, expected) => assert_eq!(Some(&found), expected, "{provider}"),
            }
            assert_eq!(foreign(&one, &others).is_some(), warns, "{provider}");
            let own = notice(Some("shop.example"), What::hint("orders"));
            assert_eq!((whose(&one, &[], &own), foreign(&one, &own)), (connection.clone(), None), "{provider}");
            let mut named = one.clone();
            named.settings.insert(SOURCES.into(), serde_json::json!([7, "www.shop.example"]));
            assert_eq!(whose(&named, &[], &others), connection, "{provider}");
            assert_eq!(foreign(&named, &others), None, "{provider}");
            assert!(!names_nobody(&one, &notice(None, What::hint("orders"))), "{provider}");
            let many = Endpoint { provider: provider.into(), ..endpoint(None) };
            assert_eq!(whose(&many, &[], &others), unknown, "{provider}: it is held");
            let signs = providers::by_id(provider).unwrap().signs_account();
            assert_eq!(names_nobody(&many, &notice(None, What::hint("orders"))), !signs, "{provider}");
        }
    }
}
