//! The owner of a delivery. Endpoints are read afresh for every batch, so that a connection that was removed stops at once.

use std::collections::BTreeSet;

use super::case::Case;
use crate::commit::Fact;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind, Handshake};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Key, Table};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored};

/// The owner of an envelope, before its notices are read.
#[derive(Debug, Clone)]
pub(super) enum Owner {
    /// The deliveries of an endpoint that exists.
    Endpoint(Box<Stored<Endpoint>>),
    /// The deliveries of an endpoint that was removed, with its former owner.
    Removed(Tenant),
    /// The deliveries of an endpoint whose record is absent, with its owner, if that is known. Absent does not mean
    /// removed: the table may have been restored or lost, and acknowledged deliveries are kept until the record is back.
    Missing(Option<Tenant>),
    /// A tenant's job.
    Tenant(Tenant),
    /// The one connection that all notices of a shared endpoint's delivery are routed to.
    Routed(Tenant, Option<String>),
}

impl Owner {
    /// The tenant that data without another owner is filed under.
    pub(super) fn tenant(&self) -> Tenant {
        match self {
            Self::Endpoint(endpoint) => endpoint.record.tenant.clone(),
            Self::Removed(tenant) | Self::Tenant(tenant) | Self::Routed(tenant, _) => tenant.clone(),
            Self::Missing(tenant) => tenant.clone().unwrap_or_else(Tenant::system),
        }
    }

    /// The connection, if there can be only one.
    pub(super) fn connection(&self) -> Option<&str> {
        match self {
            Self::Endpoint(endpoint) => endpoint.record.connection.as_deref(),
            Self::Routed(_, connection) => connection.as_deref(),
            Self::Removed(_) | Self::Missing(_) | Self::Tenant(_) => None,
        }
    }

    /// The owner of an envelope whose facts are all about one tenant; its outcome is filed there. Only if the facts cover
    /// the whole body, since a tenant that keeps the body can read all of it.
    pub(super) fn routed(facts: &[(Tenant, Fact)]) -> Option<Self> {
        let ((tenant, first), others) = facts.split_first()?;
        let connection =
            first.connection.clone().filter(|id| others.iter().all(|(_, fact)| fact.connection.as_ref() == Some(id)));
        others.iter().all(|(other, _)| other == tenant).then(|| Self::Routed(tenant.clone(), connection))
    }
}

/// Finds the owner of each case, with one read per endpoint.
pub(super) async fn find(table: &dyn Table, cases: &mut [Case]) {
    let keys: BTreeSet<Key> = cases.iter().filter_map(|case| endpoint_key(&case.envelope)).collect();
    let keys: Vec<Key> = keys.into_iter().collect();
    let found = table.get_many(&keys).await;
    for case in cases {
        let place = endpoint_key(&case.envelope).and_then(|key| keys.binary_search(&key).ok());
        let owner = match &found {
            Ok(found) => owner(&case.envelope, place.and_then(|place| found[place].clone())),
            Err(fault) => Err(fault.clone()),
        };
        match owner {
            Ok(owner) => case.owner = owner,
            Err(fault) => case.fault = Some(fault),
        }
    }
}

/// The owner of an envelope, by the record of its endpoint.
fn owner(envelope: &Envelope, item: Option<Item>) -> Result<Owner, Fault> {
    if let EnvelopeKind::Job(job) = &envelope.kind {
        return Ok(Owner::Tenant(job.tenant.clone()));
    }
    let Some(item) = item else { return Ok(Owner::Missing(tenant_at_receipt(envelope))) };
    let endpoint = records::decode::<Endpoint>(item)?;
    Ok(match endpoint.record.deleted_at {
        Some(_) => Owner::Removed(endpoint.record.tenant),
        None => Owner::Endpoint(Box::new(endpoint)),
    })
}

/// The fault of a delivery whose endpoint has no record.
pub(super) fn missing(provider: &str, endpoint: &str) -> Fault {
    let detail = format!(
        "the endpoint {endpoint} of {provider} has no record, and none says that it was removed; was the table restored or \
         lost? Bring the record back, then replay"
    );
    Fault::permanent(ErrorClass::EndpointMissing, detail)
}

/// The endpoint's tenant, as known to the receiver.
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
