//! A calendar that is gone at its provider takes part in nothing any more: its own blocks went with it, and those that its events
//! made in others are removed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::person::Person;
use super::writer::BLOCKS;
use super::{parting, wake};
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::block::{self, CalendarId};
use hooktide_store::records::calendars::{self, Calendars};
use hooktide_store::records::{self, Upkeep};

/// Lets go of a calendar that is gone.
pub(crate) async fn calendar(
    ports: &Ports,
    tenant: &Tenant,
    (connection, calendar): (&str, &str),
    now: Timestamp,
) -> Result<(), Fault> {
    let gone = CalendarId { connection: connection.to_owned(), calendar: calendar.to_owned() };
    let Some(person) = Person::of(ports, tenant, connection).await? else { return Ok(()) };
    let all = person.all();
    if !all.contains(&gone) {
        return Ok(());
    }
    parting::forget(ports, tenant, &block::prefix_of_calendar(&gone)).await?;
    for lies_in in all.into_iter().filter(|lies_in| *lies_in != gone) {
        let prefix = format!("{}{connection}#", block::prefix_of_calendar(&lies_in));
        if parting::sweep(ports, tenant, &prefix, |block| block.stem.from == gone).await? > 0 {
            wake(ports, tenant, (BLOCKS, &lies_in.connection), BTreeSet::new(), now).await?;
        }
    }
    // What was chosen goes last: whoever crashes before begins anew.
    let key = calendars::key(tenant, connection);
    if let Some(mut stored) = records::get::<Calendars>(&*ports.table, &key).await? {
        stored.record.choices.remove(calendar);
        let write = records::replace(&key, Some(stored.rev), &stored.record, Upkeep::default())?;
        ports.table.write(write).await.map_err(records::raced)?;
    }
    Ok(())
}
