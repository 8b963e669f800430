//! Resources: how far each is read, and how it is doing. One item for each resource of a connection, or each of its parts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::names::{ReadOutcome, ResourceMode, Via};
use hooktide_model::tenant::Tenant;

/// The name of a resource: what is read, of which connection, and which part of it. As text `<name>/<connection>[/<part>]`,
/// as job marks have it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId {
    /// The connection.
    pub connection: String,
    /// The resource's name at its provider: `products`, `calendar`.
    pub name: String,
    /// The part, where the resource has parts: a calendar.
    pub part: Option<String>,
}

impl ResourceId {
    /// A resource without parts.
    pub fn new(connection: &str, name: &str) -> Self {
        Self { connection: connection.to_owned(), name: name.to_owned(), part: None }
    }

    /// A part of this resource.
    #[must_use]
    pub fn part(self, part: &str) -> Self {
        Self { part: Some(part.to_owned()), ..self }
    }

    /// Reads the text; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (name, connection) = (parts.next()?, parts.next()?);
        let part = parts.next().map(str::to_owned);
        let whole = !name.is_empty() && !connection.is_empty();
        whole.then(|| Self { connection: connection.to_owned(), name: name.to_owned(), part })
    }

    /// Its key.
    pub fn key(&self, tenant: &Tenant) -> Key {
        let part = self.part.as_ref().map(|part| format!("#{part}")).unwrap_or_default();
        partition(tenant).key(format!("{}#{}{part}", self.connection, self.name))
    }
}

impl std::fmt::Display for ResourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.name, self.connection)?;
        self.part.as_ref().map_or(Ok(()), |part| write!(f, "/{part}"))
    }
}

/// The partition of a tenant's resources, sorted by connection.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Resources)
}

/// The prefix that the resources of a connection sort under.
pub fn prefix(connection: &str) -> String {
    format!("{connection}#")
}

/// How far a resource is read, and how it is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The connection.
    pub connection: String,
    /// The resource's name.
    pub name: String,
    /// The part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The part's name among people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whether the part is the account's main one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_primary: bool,
    /// Whether the provider no longer has the part, so that what is known of it goes as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_gone: bool,
    /// How its changes are found.
    pub mode: ResourceMode,
    /// The cursor up to which everything is read; absent before the first complete reading. Opaque to all but the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// When that cursor was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor_at: Option<Timestamp>,
    /// When everything was last read, and compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_at: Option<Timestamp>,
    /// The reading that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// When the first of the listings was read that had less than half of what was there, so that another one must agree before
    /// anything is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubted_at: Option<Timestamp>,
    /// The last sync that ended, well or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<LastSync>,
    /// How many syncs failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// When the first of these failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// The time between two polls, in seconds, as it was adapted last; absent before the first poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
    /// When the next scheduled sync is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<Timestamp>,
    /// The day, in UTC, that `calls` counts.
    #[serde(default)]
    pub day: String,
    /// How many calls were made on that day.
    #[serde(default)]
    pub calls: u64,
    /// How many changes were found that a webhook should have reported.
    #[serde(default)]
    pub missed: u64,
    /// How many of these were found in a row, with no webhook in between.
    #[serde(default)]
    pub missed_in_a_row: u32,
    /// When a webhook last reported a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// From when on what changed is read once more, since it was read by dates before the provider may have known of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
}

impl Record for Resource {
    const NAME: &'static str = "resource";
}

/// A reading that is under way, over several pages and perhaps several runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether everything is read, rather than what changed.
    pub everything: bool,
    /// Whether everything is read because what changed could not be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_place: bool,
    /// Why it is read: how its changes become known.
    pub via: Via,
    /// Where it is; absent at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// When its first question was sent.
    pub began_at: Timestamp,
    /// How many pages were read.
    pub pages: u32,
    /// How many calls were made.
    pub calls: u32,
    /// How many changes were found.
    pub changes: u32,
    /// How many of them nobody had told.
    #[serde(default)]
    pub missed: u32,
    /// Whether it found states that webhooks had reported since the reading before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reported: bool,
    /// How many hints asked for it.
    #[serde(default)]
    pub hints: u64,
    /// The entities that are read one by one first, by the provider's ids, since hints are about them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub entities: BTreeSet<String>,
    /// Those of them whose questions failed, and how often in a row: they are read last.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub put_off: BTreeMap<String, u32>,
    /// Whether an item could not be read, not even its id, so that nothing can be said to be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_unnamed: bool,
    /// Short hashes of the ids that a listing had, as far as they are not in the blob store.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen: BTreeSet<u64>,
    /// How many blobs hold the rest of these hashes.
    #[serde(default)]
    pub seen_blobs: u32,
    /// The cursor that the last page ended with, once it is read: what was put off is left, and what a listing lacks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// Those that a listing lacks and that were asked for by their ids, each with whether it is gone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, bool>,
    /// How many a listing lacked that are there, or of which nobody can say that they are not.
    #[serde(default)]
    pub unlisted: u32,
    /// Whether hints were about more entities than are named, and are looked for by dates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_date: bool,
    /// A short hash of an earlier cursor: one that comes again leads in a circle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lap: Option<u64>,
}

/// A sync that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastSync {
    /// How its changes became known: `webhook`, `polling`, `full` or `probe`.
    pub kind: Via,
    /// When it ended.
    pub at: Timestamp,
    /// How many calls it made.
    pub calls: u32,
    /// How many changes it found.
    pub changes: u32,
    /// How it ended.
    pub outcome: ReadOutcome,
    /// The reason, where it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Resource {
    /// A resource that was never read.
    pub fn new(id: &ResourceId, mode: ResourceMode) -> Self {
        Self {
            connection: id.connection.clone(),
            name: id.name.clone(),
            part: id.part.clone(),
            title: None,
            is_primary: false,
            is_gone: false,
            mode,
            cursor: None,
            cursor_at: None,
            full_at: None,
            reading: None,
            doubted_at: None,
            last_sync: None,
            failures: 0,
            failing_since: None,
            interval: None,
            next_due: None,
            day: String::new(),
            calls: 0,
            missed: 0,
            missed_in_a_row: 0,
            heard_at: None,
            again_at: None,
        }
    }

    /// Its name.
    pub fn id(&self) -> ResourceId {
        ResourceId { connection: self.connection.clone(), name: self.name.clone(), part: self.part.clone() }
    }

    /// Counts calls of the day that it is now.
    pub fn count_calls(&mut self, calls: u32, now: Timestamp) {
        let today = day(now);
        if self.day != today {
            (self.day, self.calls) = (today, 0);
        }
        self.calls += u64::from(calls);
    }

    /// The number of calls on the day that it is now.
    pub fn calls_today(&self, now: Timestamp) -> u64 {
        if self.day == day(now) { self.calls } else { 0 }
    }
}

/// The day of a time, in UTC.
fn day(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_known_by_its_text() {
        for text in ["products/c1", "calendar/c1/anna@example.com", "calendar/c1/a/b"] {
            assert_eq!(ResourceId::parse(text).map(|id| id.to_string()).as_deref(), Some(text));
        }
        for text in ["", "products", "/c1", "products/"] {
            assert_eq!(ResourceId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn calls_are_counted_by_the_day() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let mut resource = Resource::new(&ResourceId::new("c1", "products"), ResourceMode::Polling);
        resource.count_calls(2, at("2026-11-29T10:00:00Z"));
        resource.count_calls(3, at("2026-11-29T23:59:59Z"));
        assert_eq!(resource.calls_today(at("2026-11-29T23:59:59Z")), 5);
        assert_eq!(resource.calls_today(at("2026-11-30T00:00:00Z")), 0);
        resource.count_calls(1, at("2026-11-30T00:00:00Z"));
        assert_eq!(resource.calls_today(at("2026-11-30T12:00:00Z")), 1);
    }
}
