//! Resolve: the facts that the notices of a delivery report, each for the tenant whose account it is about. Routes are read
//! afresh for every delivery.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::addressee::{Addressee, addressee, foreign, is_account, names_nobody};
use super::case::Case;
use super::owner::{Owner, missing};
use crate::Ports;
use crate::commit::Fact;
use crate::commit::fact::{Belonging, DeliveryPart, EntityFact, FactKind, Unclaimed};
use crate::commit::origin::Origin;
use crate::settle::keep_body;
use crate::watch::strays::{self, Sender};
use hooktide_model::envelope::{Envelope, Handshake, LARGEST_BODY};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::{MarkReason, Via};
use hooktide_model::notice::{EntityNotice, Notice, UNKNOWN_TOPIC, What};
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::Key;
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::{self, Endpoint, Route};
use hooktide_store::records::entity::Identity;
use hooktide_store::records::resource::ResourceId;
use hooktide_store::records::{self, Stored};

/// Why a delivery to an endpoint with many accounts is kept.
const NAMES_NOBODY: &str =
    "the delivery names no account, and its endpoint serves many: give each account its own connection";
/// Why nothing is done for an endpoint that was removed.
const REMOVED: &str = "the connection was removed";

/// A notice with its number among all of the body, and its addressee.
type Addressed = (usize, Notice, Addressee);

/// The facts of a delivery. `window` is how long its provider may repeat it.
pub(super) async fn resolve(
    ports: &Ports,
    case: &Case,
    window: Duration,
    notices: Vec<(usize, Notice)>,
) -> Result<Vec<(Tenant, Fact)>, Fault> {
    let origin = Arc::new(Origin::of(&case.envelope, window));
    let Stored { rev, record: endpoint } = match &case.owner {
        Owner::Endpoint(stored) => &**stored,
        Owner::Missing(_) => return Err(missing(&origin.provider, &origin.endpoint)),
        Owner::Removed(tenant) | Owner::Tenant(tenant) | Owner::Routed(tenant, _) => {
            return Ok(vec![(tenant.clone(), fact(&origin, 0, None, FactKind::Ignored { reason: REMOVED.into() }))]);
        }
    };
    let resolver = Resolver { ports, envelope: &case.envelope, origin, endpoint, rev: *rev };
    let routes = resolver.routes(&notices).await?;
    if notices.iter().all(|(_, notice)| names_nobody(endpoint, notice)) && !notices.is_empty() {
        return Err(Fault::permanent(ErrorClass::UnknownAccount, NAMES_NOBODY));
    }
    resolver.warn_of_unknown_topics(&notices);
    let address = |(number, notice): (usize, Notice)| {
        let addressee = addressee(endpoint, &routes, &notice);
        (number, notice, addressee)
    };
    let addressed: Vec<Addressed> = notices.into_iter().map(address).collect();
    let letter = resolver.letter_for_all(&addressed).await?;
    let mut facts = Vec::with_capacity(addressed.len());
    for one in addressed {
        facts.push(resolver.fact(one, letter.as_ref()).await?);
    }
    Ok(facts)
}

/// The fact of a code for the owner of an endpoint.
pub(super) fn handshake(case: &Case, handshake: &Handshake) -> Result<(Tenant, Fact), Fault> {
    let origin = Arc::new(Origin::of(&case.envelope, Duration::ZERO));
    let what = match &case.owner {
        Owner::Endpoint(_) => FactKind::Handshake { code: handshake.code.clone() },
        Owner::Missing(_) => return Err(missing(&handshake.provider, &handshake.endpoint)),
        Owner::Removed(_) | Owner::Tenant(_) | Owner::Routed(..) => FactKind::Ignored { reason: REMOVED.into() },
    };
    Ok((case.owner.tenant(), fact(&origin, 0, case.owner.connection().map(str::to_owned), what)))
}

/// Resolves the notices of one delivery to an endpoint.
struct Resolver<'a> {
    ports: &'a Ports,
    envelope: &'a Envelope,
    origin: Arc<Origin>,
    endpoint: &'a Endpoint,
    /// The revision of the endpoint's record.
    rev: u64,
}

impl Resolver<'_> {
    /// The routes of the accounts that notices of a shared endpoint are about.
    async fn routes(&self, notices: &[(usize, Notice)]) -> Result<Vec<(String, Route)>, Fault> {
        if self.endpoint.connection.is_some() {
            return Ok(Vec::new());
        }
        let named = notices.iter().filter_map(|(_, notice)| notice.account.as_ref());
        let accounts: BTreeSet<&String> = named.filter(|account| is_account(account)).collect();
        let keys: Vec<Key> = accounts.iter().map(|account| self.route_key(account)).collect();
        let mut routes = Vec::new();
        for (account, item) in accounts.into_iter().zip(self.ports.table.get_many(&keys).await?) {
            if let Some(item) = item {
                routes.push((account.clone(), records::decode::<Route>(item)?.record));
            }
        }
        Ok(routes)
    }

    fn route_key(&self, account: &str) -> Key {
        endpoint::route_key(&self.endpoint.provider, &self.endpoint.id, account)
    }

    fn warn_of_unknown_topics(&self, notices: &[(usize, Notice)]) {
        let is_unknown = |(_, notice): &&(usize, Notice)| matches!(&notice.what, What::Ignored { reason } if reason == UNKNOWN_TOPIC);
        if let Some((_, Notice { identity, .. })) = notices.iter().find(is_unknown) {
            let (provider, endpoint) = (&self.endpoint.provider, &self.endpoint.id);
            let count = notices.iter().filter(is_unknown).count();
            warn!(provider, endpoint, topic = self.origin.topic, count, first = identity, "an unknown topic");
        }
    }

    /// The letter that is kept for each account that nobody has connected; all share one body.
    async fn letter_for_all(&self, addressed: &[Addressed]) -> Result<Option<Arc<DeadLetter>>, Fault> {
        let unknown = |(_, _, addressee): &'_ Addressed| match addressee {
            Addressee::Unknown(account) => Some(account.clone()),
            Addressee::Connection(..) | Addressee::Owner | Addressee::Misfit(_) => None,
        };
        let accounts: BTreeSet<String> = addressed.iter().filter_map(unknown).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        let mut envelope = self.envelope.clone();
        if let Some(delivery) = envelope.delivery_mut() {
            let (tenant, blobs) = (&self.endpoint.tenant, &*self.ports.blobs);
            bodies::share(delivery, accounts.len(), tenant, &self.envelope.id, blobs).await?;
        }
        let (class, received_at) = (ErrorClass::UnknownAccount, envelope.received_at);
        Ok(Some(Arc::new(DeadLetter::of(&envelope, class, class.as_str(), received_at)?)))
    }

    /// The fact of one notice. `letter` is kept if its account is unknown.
    async fn fact(
        &self,
        (number, notice, addressee): Addressed,
        letter: Option<&Arc<DeadLetter>>,
    ) -> Result<(Tenant, Fact), Fault> {
        let endpoint = self.endpoint;
        let mut foreign = foreign(endpoint, &notice);
        let (tenant, connection, what) = match addressee {
            Addressee::Connection(tenant, connection) => {
                let what = self.for_connection(&tenant, &connection, notice).await?;
                (tenant, Some(connection), what)
            }
            Addressee::Owner => (endpoint.tenant.clone(), None, self.for_owner(notice).await?),
            Addressee::Misfit(reason) => {
                // The warning about the foreign account says more, and what to do.
                let what = FactKind::Ignored { reason: foreign.take().unwrap_or_else(|| reason.into()) };
                (endpoint.tenant.clone(), endpoint.connection.clone(), what)
            }
            Addressee::Unknown(account) => {
                let letter = letter.ok_or_else(|| Fault::failed("nothing is kept for an account"))?;
                let (letter, unclaimed) = (Arc::clone(letter), self.unclaimed(&account));
                (endpoint.tenant.clone(), None, FactKind::Held { account, letter, unclaimed })
            }
        };
        let warnings: Vec<String> = foreign.into_iter().chain(oversized(self.envelope)).collect();
        let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
        if let Some(warning) = &warning {
            warn!(provider = endpoint.provider, endpoint = endpoint.id, warning, "an odd delivery");
        }
        Ok((tenant, Fact { warning, ..fact(&self.origin, number, connection, what) }))
    }

    fn unclaimed(&self, account: &str) -> Unclaimed {
        match &self.endpoint.connection {
            // The account is foreign as long as the endpoint says so.
            Some(_) => Unclaimed { key: self.endpoint.key(), rev: Some(self.rev) },
            None => Unclaimed { key: self.route_key(account), rev: None },
        }
    }

    /// The content of a fact about a connection.
    async fn for_connection(&self, tenant: &Tenant, connection: &str, notice: Notice) -> Result<FactKind, Fault> {
        let Notice { account, identity, what } = notice;
        Ok(match what {
            What::Entity(entity) => {
                let belonging = self.belonging(&entity, account);
                let identity = Identity::new(&self.origin.provider, connection, &identity);
                let mut fact = EntityFact::new(entity, connection, identity, &self.origin)?;
                fact.belonging = belonging;
                FactKind::Entity(Box::new(fact))
            }
            What::Hint { resource, of, subscription, entity, reason } => {
                let named = ResourceId { part: of, ..ResourceId::new(connection, resource) };
                let Some(resource) = self.resource(tenant, named, subscription.as_deref(), reason).await? else {
                    return Ok(FactKind::Ignored { reason: strays::UNKNOWN.to_owned() });
                };
                let resource = resource.to_string();
                let identity = Identity::new(&self.origin.provider, connection, &identity);
                FactKind::Hint { delivery: DeliveryPart { identity, part: resource.clone() }, resource, entity, reason }
            }
            What::Privacy(_) => {
                let letter = self.letter(tenant).await?;
                self.privacy(&identity, DeadLetter { connection: Some(connection.to_owned()), account, ..letter })
            }
            What::Ignored { reason } | What::Kept { reason, .. } => FactKind::Ignored { reason },
        })
    }

    /// The resource that a hint means: what the subscription that it names is for. `None` if that is none of ours, where all are
    /// made by us.
    async fn resource(
        &self,
        tenant: &Tenant,
        named: ResourceId,
        id: Option<&str>,
        reason: MarkReason,
    ) -> Result<Option<ResourceId>, Fault> {
        let facet = hooktide_providers::by_id(&self.origin.provider).and_then(|provider| provider.subscriptions());
        let (Some(reference), Some(facet)) = (named.part.as_deref(), facet) else { return Ok(Some(named)) };
        let sender = Sender { reference, id, at: self.envelope.received_at, reason };
        let one = strays::sent_by(self.ports, (tenant, &named.connection), facet, &sender).await?;
        Ok(one.map(|one| ResourceId { connection: one.connection, name: one.resource, part: one.part }))
    }

    /// The content of a fact for the endpoint's owner rather than about a connection.
    async fn for_owner(&self, Notice { account, identity, what }: Notice) -> Result<FactKind, Fault> {
        if let What::Ignored { reason } | What::Kept { reason, .. } = what {
            return Ok(FactKind::Ignored { reason });
        }
        let letter = self.letter(&self.endpoint.tenant).await?;
        Ok(self.privacy(&identity, DeadLetter { account, ..letter }))
    }

    /// The identity of a request about personal data, the same whether or not its account was connected in between.
    fn privacy(&self, identity: &str, request: DeadLetter) -> FactKind {
        let identity = Identity::new(&self.origin.provider, &self.origin.endpoint, identity);
        let delivery = DeliveryPart { identity, part: "privacy".into() };
        FactKind::Privacy { delivery, request: Box::new(request) }
    }

    /// The whole delivery, to be kept by a tenant until its request is done.
    async fn letter(&self, tenant: &Tenant) -> Result<DeadLetter, Fault> {
        let (class, mut envelope) = (ErrorClass::PrivacyRequest, self.envelope.clone());
        keep_body(&mut envelope, tenant, &*self.ports.blobs).await?;
        DeadLetter::of(&envelope, class, &class.to_string(), envelope.received_at)
    }

    /// The account that an entity must belong to on an endpoint with many accounts, unless accounts are signed: the entity
    /// stays with the account that it was first reported for.
    fn belonging(&self, entity: &EntityNotice, account: Option<String>) -> Option<Belonging> {
        let Endpoint { provider, id, connection, .. } = self.endpoint;
        let signed = hooktide_providers::by_id(provider).is_some_and(|provider| provider.profile().signs_account);
        if connection.is_some() || signed {
            return None;
        }
        Some(Belonging { key: endpoint::belonging_key(provider, id, entity.kind, &entity.id), account: account? })
    }
}

/// The warning about a body that was too large to keep.
fn oversized(envelope: &Envelope) -> Option<String> {
    let bytes = envelope.delivery()?.oversized.as_ref()?.bytes;
    Some(format!("its body of {bytes} bytes exceeds the {LARGEST_BODY} that are kept, and was only verified"))
}

fn fact(origin: &Arc<Origin>, number: usize, connection: Option<String>, what: FactKind) -> Fact {
    let id = format!("{}-{number}", origin.id);
    Fact { id, origin: Arc::clone(origin), via: Via::Webhook, connection, what, warning: None }
}
