//! Entries of the activity about what Hooktide did by itself.

use std::sync::Arc;

use jiff::Timestamp;

use crate::commit::fact::FactKind;
use crate::commit::origin::Origin;
use crate::commit::{Committer, Fact, Uncommitted};
use crate::{Ports, publish};
use hooktide_model::fault::Fault;
use hooktide_model::names::{Outcome, Via};
use hooktide_model::tenant::Tenant;

/// Something that was done, or could not be.
pub(crate) struct Note<'a> {
    /// The same whenever it is noted again.
    pub(crate) id: String,
    /// The provider; ourselves, where none is concerned.
    pub(crate) provider: &'a str,
    /// The kind of work.
    pub(crate) topic: &'static str,
    /// The object of the work.
    pub(crate) about: &'a str,
    /// The connection, if one is concerned.
    pub(crate) connection: Option<&'a str>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What happened.
    pub(crate) text: String,
}

/// Tells the activity of a tenant.
pub(crate) async fn tell(
    ports: &Ports,
    committer: &Committer,
    tenant: &Tenant,
    note: Note<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    let origin = Origin {
        topic: Some(note.topic.to_owned()),
        delivery: Some(note.about.to_owned()),
        ..Origin::once(note.id, note.provider, now)
    };
    let fact = Fact {
        id: origin.id.clone(),
        origin: Arc::new(origin),
        via: Via::Own,
        connection: note.connection.map(str::to_owned),
        what: FactKind::Noted { outcome: note.outcome, reason: note.text },
        warning: None,
    };
    let committed = committer.commit(tenant, &[&fact], &[], now).await;
    let committed = committed.map_err(|Uncommitted { fault, .. }| fault)?;
    publish::announce(ports, tenant, committed).await
}
