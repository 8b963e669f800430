//! Owner: whose a delivery is. Endpoints are read afresh for every batch, so that a connection that was removed stops at once.

use std::collections::BTreeSet;

use super::Processor;
use super::work::Work;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind, Handshake};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Key, QueueName};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored};

/// The owner of an envelope, before its notices are read.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// The deliveries of an endpoint that stands.
    Endpoint(Box<Stored<Endpoint>>),
    /// The deliveries of an endpoint that was removed, and whose it was.
    Removed(Tenant),
    /// The deliveries of an endpoint whose record is absent, and whose it was, if that is known. Absent is not removed: the
    /// table may have been restored or lost, and what was acknowledged is kept until the record is back.
    Missing(Option<Tenant>),
    /// A tenant's job.
    Tenant(Tenant),
    /// The one connection that all notices of a shared endpoint's delivery are routed to.
    Routed(Tenant, Option<String>),
}

impl Owner {
    /// Where what belongs to nobody else is filed.
    pub(super) fn tenant(&self) -> Tenant {
        match self {
            Self::Endpoint(endpoint) => endpoint.record.tenant.clone(),
            Self::Removed(tenant) | Self::Tenant(tenant) | Self::Routed(tenant, _) => tenant.clone(),
            Self::Missing(tenant) => tenant.clone().unwrap_or_else(Tenant::system),
        }
    }

    /// The connection, where there can be only one.
    pub(super) fn connection(&self) -> Option<&str> {
        match self {
            Self::Endpoint(endpoint) => endpoint.record.connection.as_deref(),
            Self::Routed(_, connection) => connection.as_deref(),
            Self::Removed(_) | Self::Missing(_) | Self::Tenant(_) => None,
        }
    }
}

impl Processor {
    /// Finds the owner of each envelope, in order, with one read per endpoint.
    pub(super) async fn owners(&self, envelopes: &[(Envelope, QueueName)]) -> Vec<Result<Owner, Fault>> {
        let keys: BTreeSet<Key> = envelopes.iter().filter_map(|(envelope, _)| endpoint_key(envelope)).collect();
        let keys: Vec<Key> = keys.into_iter().collect();
        let found = match self.ports.table.get_many(&keys).await {
            Ok(found) => found,
            Err(fault) => return envelopes.iter().map(|_| Err(fault.clone())).collect(),
        };
        let owner = |envelope: &Envelope| {
            if let EnvelopeKind::Job(job) = &envelope.kind {
                return Ok(Owner::Tenant(job.tenant.clone()));
            }
            let place = endpoint_key(envelope).and_then(|key| keys.binary_search(&key).ok());
            let Some(item) = place.and_then(|place| found[place].clone()) else {
                return Ok(Owner::Missing(tenant_at_receipt(envelope)));
            };
            let endpoint = records::decode::<Endpoint>(item)?;
            Ok(match endpoint.record.deleted_at {
                Some(_) => Owner::Removed(endpoint.record.tenant),
                None => Owner::Endpoint(Box::new(endpoint)),
            })
        };
        envelopes.iter().map(|(envelope, _)| owner(envelope)).collect()
    }

    /// Finds the owner of one envelope.
    pub(super) async fn owner_of(&self, envelope: &Envelope) -> Result<Owner, Fault> {
        let mut owners = self.owners(&[(envelope.clone(), QueueName::Notices)]).await;
        owners.pop().unwrap_or_else(|| Err(Fault::failed("an envelope has no owner")))
    }
}

/// The owner of an envelope whose notices were all routed to one tenant; its outcome is filed there. Only where the works are
/// all that its body tells: whoever keeps the body can read all of it.
pub(super) fn routed(works: &[(Tenant, Work)]) -> Option<Owner> {
    let ((tenant, first), others) = works.split_first()?;
    let connection =
        first.connection.clone().filter(|id| others.iter().all(|(_, work)| work.connection.as_ref() == Some(id)));
    others.iter().all(|(other, _)| other == tenant).then(|| Owner::Routed(tenant.clone(), connection))
}

/// The fault of a delivery whose endpoint has no record.
pub(super) fn missing(provider: &str, endpoint: &str) -> Fault {
    let detail = format!(
        "the endpoint {endpoint} of {provider} has no record, and none says that it was removed; was the table restored or \
         lost? Bring the record back, then replay"
    );
    Fault::permanent(ErrorClass::EndpointMissing, detail)
}

/// The endpoint's tenant as the receiver knew it.
fn tenant_at_receipt(envelope: &Envelope) -> Option<Tenant> {
    envelope.delivery().and_then(|delivery| delivery.tenant.clone())
}

fn endpoint_key(envelope: &Envelope) -> Option<Key> {
    let (EnvelopeKind::Notice(Delivery { provider, endpoint, .. })
    | EnvelopeKind::Unreadable(Delivery { provider, endpoint, .. })
    | EnvelopeKind::Handshake(Handshake { provider, endpoint, .. })) = &envelope.kind
    else {
        return None;
    };
    hooktide_providers::by_id(provider).map(|_| endpoint::key(provider, endpoint))
}
