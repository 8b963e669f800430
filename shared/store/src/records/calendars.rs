//! Calendars: which of a connection's calendars are read, which block time in others, and which are blocked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Record;
use super::block::{CalendarId, short};
use crate::key::{Area, Key, Partition};
use hooktide_model::tenant::Tenant;

/// What a person chose for the calendars of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendars {
    /// The connection.
    pub connection: String,
    /// The person whose account it is; all connections without one are of one person.
    #[serde(default)]
    pub user: String,
    /// The choices, by the provider's id of the calendar.
    #[serde(default)]
    pub choices: BTreeMap<String, Choice>,
    /// Whether it is found by its person's memberships. Older code did not store any.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_listed: bool,
}

/// What a person chose for a calendar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Whether it is read; by default if it is the account's main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<bool>,
    /// Whether its events block time in the person's other calendars.
    #[serde(default)]
    pub blocks_others: bool,
    /// Whether events of the person's other calendars block time in it.
    #[serde(default)]
    pub is_blocked: bool,
}

impl Record for Calendars {
    const NAME: &'static str = "choice of calendars";
}

impl Calendars {
    /// Whether a calendar is read: what was chosen, else whether it is read unless somebody says otherwise.
    pub fn includes(&self, calendar: &str, by_default: bool) -> bool {
        self.choices.get(calendar).and_then(|choice| choice.included).unwrap_or(by_default)
    }

    /// Whether any of them takes part in blocking.
    pub fn are_blocking(&self) -> bool {
        self.choices.values().any(|choice| choice.blocks_others || choice.is_blocked)
    }

    /// The calendars whose events block time in others.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().filter(|(_, choice)| choice.blocks_others).map(|(id, _)| id.as_str())
    }

    /// The calendars in which time is blocked.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().filter(|(_, choice)| choice.is_blocked).map(|(id, _)| id.as_str())
    }
}

/// The partition of a tenant's choices, sorted by connection.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Calendars)
}

/// The key of what was chosen for a connection.
pub fn key(tenant: &Tenant, connection: &str) -> Key {
    partition(tenant).key(connection)
}

/// The membership of a connection: whose it is, so that a person's connections are found among those of thousands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The connection.
    pub connection: String,
}

impl Record for Membership {
    const NAME: &'static str = "membership of a connection";
}

/// The partition of a tenant's memberships.
pub fn memberships(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::BlockNames)
}

/// The prefix that the memberships of a person sort under.
pub fn membership_prefix(user: &str) -> String {
    format!("person#{}#", short(user))
}

/// The key of the membership of a connection of a person.
pub fn membership_key(tenant: &Tenant, user: &str, connection: &str) -> Key {
    memberships(tenant).key(format!("{}{connection}", membership_prefix(user)))
}

/// A calendar of a connection, and another one in which there is no room for all blocks that its events make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Crowd {
    /// The provider's id of the calendar.
    pub calendar: String,
    /// The calendar in which there is no room.
    pub lies_in: CalendarId,
}

/// Where there was no room for blocks when the events of a connection were looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowded {
    /// The pairs of calendars.
    #[serde(default)]
    pub pairs: BTreeSet<Crowd>,
}

impl Record for Crowded {
    const NAME: &'static str = "lack of room for blocks";
}

/// The key of where there was no room for blocks of a connection's events.
pub fn crowded_key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::BlockNames).key(format!("crowded#{connection}"))
}

/// How far a look at all events of a connection has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When the job was raised that looks, in milliseconds; another job begins anew. Older code did not say.
    #[serde(default)]
    pub job: i64,
    /// The shard of its entities that is next.
    pub shard: u8,
    /// The calendar in that shard that is next, if it is not the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The id of its event that was looked at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The sort key of the block that was verified last, once all events were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// Where there was no room for blocks so far.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub crowded: BTreeSet<Crowd>,
}

impl Record for Progress {
    const NAME: &'static str = "progress of a look at events";
}

/// What is to go of a connection: the blocks in its calendars, and those that its events made in others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// The people whose it was.
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// Whether the blocks of everybody go, and not only those of these people: the connection is deleted.
    #[serde(default)]
    pub is_whole: bool,
    /// The sort key of the last block that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Record for Parting {
    const NAME: &'static str = "parting of a connection's blocks";
}

/// The key of what is to go of a connection.
pub fn parting_key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::BlockNames).key(format!("parting#{connection}"))
}

/// The key of how far a look at all events of a connection has come.
pub fn progress_key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::BlockNames).key(format!("progress#{connection}"))
}
