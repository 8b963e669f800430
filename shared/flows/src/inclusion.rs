//! Which calendars of a connection are read: those that somebody chose, and the main one unless somebody chose otherwise.

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::records;
use hooktide_store::records::calendars::{self, Calendars};
use hooktide_store::records::resource::Resource;

/// What was chosen for the calendars of a connection; nothing, if nobody chose anything.
pub(crate) async fn chosen(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Calendars, Fault> {
    let stored = records::get::<Calendars>(&*ports.table, &calendars::key(tenant, connection)).await?;
    Ok(stored.map(|stored| stored.record).unwrap_or_default())
}

/// Whether a resource is read: only of calendars can anybody say that they are not.
pub(crate) fn is_read(choices: &Calendars, resource: &Resource) -> bool {
    resource.part.as_deref().is_none_or(|calendar| choices.includes(calendar, resource.is_primary))
}
