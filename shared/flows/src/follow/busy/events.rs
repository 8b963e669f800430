//! Events of calendars, as they are known now.

use crate::Ports;
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::part;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::block::CalendarId;
use hooktide_store::records::document::{self, Wanted};
use hooktide_store::records::entity::{Entity, EntityId};

/// How many events are read at once.
const PAGE: usize = 100;
/// How often events are read that change while they are.
const READS: usize = 5;

/// An event, as it is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The calendar.
    pub(super) calendar: CalendarId,
    /// The provider's id.
    pub(super) id: String,
    /// What it is like; absent where it is gone.
    pub(super) event: Option<CalendarEvent>,
    /// When that was asked for, or told, in milliseconds.
    pub(super) as_of: i64,
}

impl Known {
    /// The id of the series that it is an occurrence of.
    pub(super) fn series(&self) -> Option<&str> {
        self.event.as_ref()?.series.as_deref()
    }

    /// Whether it recurs by rules.
    pub(super) fn recurs(&self) -> bool {
        self.event.as_ref().is_some_and(|event| !event.recurrence.is_empty())
    }
}

/// The event of an entity's id; `None` where nothing is known of it.
pub(super) async fn one(ports: &Ports, tenant: &Tenant, connection: &str, id: &str) -> Result<Option<Known>, Fault> {
    let entity = EntityId { kind: Kind::CalendarEvent, connection: connection.to_owned(), id: id.to_owned() };
    let stored = records::get::<Entity>(&*ports.table, &entity.key(tenant)).await?;
    let Some(stored) = stored else { return Ok(None) };
    let known = read(ports, tenant, vec![(entity, stored.record)]).await?;
    Ok(known.ok_or_else(changing)?.pop())
}

/// The place after an event, where a page of the same calendar and shard goes on.
pub(super) fn place_of(calendar: &str, event: &str) -> String {
    format!("{}#{}", Kind::CalendarEvent, part::entity_id(calendar, event))
}

/// A page of the events of a connection in one shard whose entities' ids begin like this, and where it goes on.
pub(super) async fn page(
    ports: &Ports,
    tenant: &Tenant,
    (connection, beginning, shard): (&str, &str, u8),
    after: Option<String>,
) -> Result<(Vec<Known>, Option<String>), Fault> {
    let partition = Partition::of(tenant, Area::Entities(connection, shard));
    let prefix = format!("{}#{beginning}", Kind::CalendarEvent);
    let range = after.map_or_else(|| Range::Prefix(prefix.clone()), |last| records::after(&prefix, &last));
    let query = Query { partition, range, descending: false, limit: PAGE };
    for _ in 0..READS {
        let (entities, more) = records::list::<Entity>(&*ports.table, &query).await?;
        let last = entities.last().map(|(sort, _)| sort.clone()).filter(|_| more);
        let found = entities.into_iter().filter_map(|(sort, stored)| {
            let id = sort.split_once('#')?.1.to_owned();
            let entity = EntityId { kind: Kind::CalendarEvent, connection: connection.to_owned(), id };
            Some((entity, stored.record))
        });
        if let Some(known) = read(ports, tenant, found.collect()).await? {
            return Ok((known, last));
        }
    }
    Err(changing())
}

/// The fault of events that change each time they are read.
fn changing() -> Fault {
    Fault::retryable("events change all the time while they are read")
}

/// The occurrences that differ from a series and are entries of their own.
pub(super) async fn apart(ports: &Ports, tenant: &Tenant, series: &Known) -> Result<Vec<Known>, Fault> {
    let beginning = part::entity_id(&series.calendar.calendar, beginning_of(&series.id));
    let mut found = Vec::new();
    for shard in 0..ENTITY_SHARDS {
        let mut after = None;
        loop {
            let place = (series.calendar.connection.as_str(), beginning.as_str(), shard);
            let (some, more) = page(ports, tenant, place, after).await?;
            found.extend(some.into_iter().filter(|one| one.series() == Some(series.id.as_str())));
            if more.is_none() {
                break;
            }
            after = more;
        }
    }
    Ok(found)
}

/// What the ids of the occurrences of a series begin with that are entries of their own. Where "this and all following" became a
/// series by itself, Google names that `<first series>_R<start>`, and its occurrences as if they were of the first one.
pub(super) fn beginning_of(series: &str) -> &str {
    let is_start = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'T');
    match series.rsplit_once("_R") {
        Some((first, start)) if is_start(start) => first,
        Some(_) | None => series,
    }
}

/// Reads the documents of entities; none of them if one changed since it was read itself.
async fn read(ports: &Ports, tenant: &Tenant, entities: Vec<(EntityId, Entity)>) -> Result<Option<Vec<Known>>, Fault> {
    let wanted = |(id, entity): &(EntityId, Entity)| Wanted {
        entity: id.clone(),
        hash: entity.document_hash(),
        inline: entity.document.is_some(),
    };
    let there: Vec<Wanted> = entities.iter().filter(|(_, entity)| !entity.deleted).map(wanted).collect();
    let mut documents = document::load(&*ports.table, &*ports.blobs, tenant, &there).await?.into_iter();
    let mut known = Vec::with_capacity(entities.len());
    for (id, entity) in entities {
        let document = if entity.deleted { None } else { documents.next() };
        let Some((calendar, own)) = part::ids_of(&id.id) else { continue };
        let event = match document {
            Some(None) => return Ok(None),
            Some(Some(document)) => match serde_json::from_str::<CalendarEvent>(document.get()) {
                Ok(event) => Some(event),
                // Nothing is said of it: its blocks stay.
                Err(_) => continue,
            },
            None => None,
        };
        let calendar = CalendarId { connection: id.connection, calendar };
        known.push(Known { calendar, id: own, event, as_of: entity.rank().as_of });
    }
    Ok(Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_of_what_was_split_off_a_series_are_named_by_that_series() {
        for (series, beginning) in [
            ("weekly", "weekly"),
            ("weekly_R20261214T080000", "weekly"),
            ("weekly_R20261214", "weekly"),
            ("weekly_R", "weekly_R"),
            ("weekly_Rest", "weekly_Rest"),
        ] {
            assert_eq!(beginning_of(series), beginning);
        }
    }
}
