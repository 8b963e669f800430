//! Resolve: whose each notice of a delivery is, and what it is to do. Routes are read afresh for every batch.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::fold::Told;
use super::owner::{Owner, missing};
use super::whose::{Whose, foreign, is_account, names_nobody, whose};
use super::work::{Effect, EntityWork, Unclaimed, Work};
use super::{Opened, Processor};
use crate::commit::origin::Origin;
use crate::settle::keep_body;
use hooktide_model::envelope::{Envelope, Handshake, LARGEST_BODY};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::notice::{ContentHash, Dated, EntityNotice, Notice, State, UNKNOWN_TOPIC, Version, What};
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::Key;
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::{self, Endpoint, Route};
use hooktide_store::records::entity::{EntityId, Identity, Rank};
use hooktide_store::records::{self, Stored};

/// Why a delivery to an endpoint with many accounts is kept.
const NAMES_NOBODY: &str =
    "the delivery names no account, and its endpoint serves many: give each account its own connection";

impl Processor {
    /// Makes works of notices, each for the tenant whose account it is about.
    pub(super) async fn resolve(
        &self,
        index: usize,
        one: &Opened,
        origin: Arc<Origin>,
        notices: Vec<(usize, Notice)>,
    ) -> Result<Vec<(Tenant, Work)>, Fault> {
        let Stored { rev, record: endpoint } = match &one.owner {
            Owner::Endpoint(stored) => &**stored,
            Owner::Missing(_) => return Err(missing(&origin.provider, &origin.endpoint)),
            Owner::Removed(tenant) | Owner::Tenant(tenant) | Owner::Routed(tenant, _) => {
                let ignored = Effect::Ignored { reason: "the connection was removed".into() };
                let identity = Identity::new(&origin.provider, &origin.endpoint, &origin.id);
                return Ok(vec![(tenant.clone(), work(index, 0, &origin, None, identity, ignored))]);
            }
        };
        let routes = self.routes(endpoint, &notices).await?;
        if notices.iter().all(|(_, notice)| names_nobody(endpoint, notice)) && !notices.is_empty() {
            return Err(Fault::permanent(ErrorClass::UnknownAccount, NAMES_NOBODY));
        }
        let is_unknown = |(_, notice): &&(usize, Notice)| matches!(&notice.what, What::Ignored { reason } if reason == UNKNOWN_TOPIC);
        if let Some((_, Notice { identity, .. })) = notices.iter().find(is_unknown) {
            let (provider, endpoint, count) =
                (&endpoint.provider, &endpoint.id, notices.iter().filter(is_unknown).count());
            warn!(provider, endpoint, topic = origin.topic, count, first = identity, "an unknown topic");
        }
        let sorted: Vec<(usize, Notice, Whose)> = notices
            .into_iter()
            .map(|(number, notice)| {
                let whose = whose(endpoint, &routes, &notice);
                (number, notice, whose)
            })
            .collect();
        let letter = self.letter_for_all(endpoint, &one.envelope, &sorted).await?;
        let mut works = Vec::with_capacity(sorted.len());
        for (number, notice, whose) in sorted {
            let mut foreign = foreign(endpoint, &notice);
            let (tenant, connection, effect) = match whose {
                Whose::Connection(tenant, connection) => {
                    let effect = self.effect(one, (endpoint, &tenant, &connection), &origin, &notice).await?;
                    (tenant, Some(connection), effect)
                }
                Whose::Owner => {
                    (endpoint.tenant.clone(), None, self.effect_for_owner(endpoint, &one.envelope, &notice).await?)
                }
                Whose::Misfit(reason) => {
                    // The warning about the foreign account says more, and what to do.
                    let effect = Effect::Ignored { reason: foreign.take().unwrap_or_else(|| reason.into()) };
                    (endpoint.tenant.clone(), endpoint.connection.clone(), effect)
                }
                Whose::Unknown(account) => {
                    let Some(letter) = letter.clone() else {
                        return Err(Fault::failed("nothing is kept for an account"));
                    };
                    let unclaimed = match &endpoint.connection {
                        // The account is foreign as long as the endpoint says so.
                        Some(_) => Unclaimed { key: endpoint.key(), rev: Some(*rev) },
                        None => {
                            let key = endpoint::route_key(&endpoint.provider, &endpoint.id, &account);
                            Unclaimed { key, rev: None }
                        }
                    };
                    let effect = Effect::Hold { account, letter, unclaimed };
                    (endpoint.tenant.clone(), None, effect)
                }
            };
            // A request about personal data is the same whether its account was connected in between or not.
            let of = connection.as_deref().filter(|_| !matches!(notice.what, What::Privacy(_)));
            let of = of.unwrap_or(&origin.endpoint);
            let identity = Identity::new(&origin.provider, of, &notice.identity);
            let warnings: Vec<String> = foreign.into_iter().chain(oversized(&one.envelope)).collect();
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
    async fn routes(&self, endpoint: &Endpoint, notices: &[(usize, Notice)]) -> Result<Vec<(String, Route)>, Fault> {
        if endpoint.connection.is_some() {
            return Ok(Vec::new());
        }
        let named = notices.iter().filter_map(|(_, notice)| notice.account.as_ref());
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
        one: &Opened,
        (endpoint, tenant, connection): (&Endpoint, &Tenant, &str),
        origin: &Origin,
        notice: &Notice,
    ) -> Result<Effect, Fault> {
        Ok(match &notice.what {
            What::Entity(entity) => {
                Effect::Entity(Box::new(entity_work(endpoint, connection, origin, notice, entity)?))
            }
            What::Hint { resource, of, reason } => {
                let of = of.as_ref().map(|of| format!("/{of}")).unwrap_or_default();
                Effect::Hint { resource: format!("{resource}/{connection}{of}"), reason: *reason }
            }
            What::Privacy(_) => {
                let letter = self.letter(tenant, &one.envelope, ErrorClass::PrivacyRequest).await?;
                let (connection, account) = (Some(connection.to_owned()), notice.account.clone());
                let letter = DeadLetter { connection, account, ..letter };
                Effect::Privacy { request: Box::new(letter) }
            }
            What::Ignored { reason } | What::Kept { reason, .. } => Effect::Ignored { reason: reason.clone() },
        })
    }

    /// The effect of a notice that belongs to the endpoint's owner rather than to a connection.
    async fn effect_for_owner(
        &self,
        endpoint: &Endpoint,
        envelope: &Envelope,
        notice: &Notice,
    ) -> Result<Effect, Fault> {
        if let What::Ignored { reason } | What::Kept { reason, .. } = &notice.what {
            return Ok(Effect::Ignored { reason: reason.clone() });
        }
        let letter = self.letter(&endpoint.tenant, envelope, ErrorClass::PrivacyRequest).await?;
        Ok(Effect::Privacy { request: Box::new(DeadLetter { account: notice.account.clone(), ..letter }) })
    }

    /// What is kept for each account that nobody has connected: the delivery, with its body once for all of them.
    async fn letter_for_all(
        &self,
        endpoint: &Endpoint,
        envelope: &Envelope,
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
        let mut envelope = envelope.clone();
        let id = envelope.id.clone();
        if let Some(delivery) = envelope.delivery_mut() {
            bodies::share(delivery, accounts.len(), &endpoint.tenant, &id, &*self.ports.blobs).await?;
        }
        let (class, received_at) = (ErrorClass::UnknownAccount, envelope.received_at);
        Ok(Some(Arc::new(DeadLetter::of(&envelope, class, class.as_str(), received_at)?)))
    }

    /// The delivery whole, to be kept by a tenant until what it waits for has come.
    async fn letter(&self, tenant: &Tenant, envelope: &Envelope, class: ErrorClass) -> Result<DeadLetter, Fault> {
        let mut envelope = envelope.clone();
        keep_body(&mut envelope, tenant, &*self.ports.blobs).await?;
        DeadLetter::of(&envelope, class, &class.to_string(), envelope.received_at)
    }
}

/// The warning about a body that was too large to keep.
fn oversized(envelope: &Envelope) -> Option<String> {
    let bytes = envelope.delivery()?.oversized.as_ref()?.bytes;
    Some(format!("its body of {bytes} bytes exceeds the {LARGEST_BODY} that are kept, and was only verified"))
}

/// A code that came for the owner of an endpoint.
pub(super) fn handshake(
    index: usize,
    envelope: &Envelope,
    owner: &Owner,
    handshake: &Handshake,
) -> Result<(Tenant, Work), Fault> {
    let origin = Arc::new(Origin::of(envelope, Duration::ZERO));
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

fn entity_work(
    endpoint: &Endpoint,
    connection: &str,
    origin: &Origin,
    notice: &Notice,
    entity: &EntityNotice,
) -> Result<EntityWork, Fault> {
    let as_of = origin.received_at.as_millisecond();
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
    let envelope = origin.id.clone();
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
    let signed = hooktide_providers::by_id(&endpoint.provider).is_some_and(|provider| provider.profile().signs_account);
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
    let id = format!("{}-{number}", origin.id);
    Work { envelope, id, origin: Arc::clone(origin), connection, identity, effect, warning: None }
}
