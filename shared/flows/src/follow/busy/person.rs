//! A person: their calendars, and which of them block which.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::tenant::Tenant;
use hooktide_store::records;
use hooktide_store::records::block::CalendarId;
use hooktide_store::records::calendars::{self, Calendars};
use hooktide_store::records::connection::{self, Connection};

/// How many connections of a tenant are looked at for those of one person.
const MOST_CONNECTIONS: usize = 5_000;

/// The calendars of a person that take part in blocking.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Who it is; empty for all connections that do not say.
    pub(super) user: String,
    /// The choices of each of the connections.
    pub(super) choices: Vec<Calendars>,
}

impl Person {
    /// The person whose account a connection is; `None` if nothing was chosen for it.
    pub(super) async fn of(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Option<Self>, Fault> {
        let own = records::get::<Calendars>(&*ports.table, &calendars::key(tenant, connection)).await?;
        match own {
            Some(own) => Self::named(ports, tenant, &own.record.user).await.map(Some),
            None => Ok(None),
        }
    }

    /// The person of this name.
    pub(super) async fn named(ports: &Ports, tenant: &Tenant, user: &str) -> Result<Self, Fault> {
        let found = Self::several(ports, tenant, Some(user)).await?.pop();
        Ok(found.unwrap_or_else(|| Self { user: user.to_owned(), choices: Vec::new() }))
    }

    /// The people of a tenant who chose something: the one of this name, or all.
    pub(super) async fn several(ports: &Ports, tenant: &Tenant, user: Option<&str>) -> Result<Vec<Self>, Fault> {
        let partition = calendars::partition(tenant);
        let all = records::list_all::<Calendars>(&*ports.table, partition, "", MOST_CONNECTIONS).await?;
        let mut people: BTreeMap<String, Self> = BTreeMap::new();
        for choices in all.into_iter().map(|(_, stored)| stored.record) {
            if user.is_none_or(|user| choices.user == user) {
                let user = choices.user.clone();
                let person = people.entry(user).or_default();
                person.user.clone_from(&choices.user);
                person.choices.push(choices);
            }
        }
        Ok(people.into_values().collect())
    }

    /// Whether the events of a calendar block time in others.
    pub(super) fn blocks_others(&self, calendar: &CalendarId) -> bool {
        let own = self.choices.iter().find(|choices| choices.connection == calendar.connection);
        own.and_then(|own| own.choices.get(&calendar.calendar)).is_some_and(|choice| choice.blocks_others)
    }

    /// All calendars in which time is blocked.
    pub(super) fn targets(&self) -> Vec<CalendarId> {
        self.choices.iter().flat_map(|choices| choices.targets().map(|calendar| id(choices, calendar))).collect()
    }

    /// All calendars that somebody chose something for: also those that are no longer blocked may have blocks.
    pub(super) fn all(&self) -> Vec<CalendarId> {
        self.choices.iter().flat_map(|own| own.choices.keys().map(|calendar| id(own, calendar))).collect()
    }

    /// The calendars in which the events of a calendar block time.
    pub(super) fn blocked_by(&self, from: &CalendarId) -> Vec<CalendarId> {
        if !self.blocks_others(from) {
            return Vec::new();
        }
        self.targets().into_iter().filter(|target| target != from).collect()
    }
}

fn id(choices: &Calendars, calendar: &str) -> CalendarId {
    CalendarId { connection: choices.connection.clone(), calendar: calendar.to_owned() }
}

/// How blocks are made in the calendars of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manner {
    /// Whether events that are not certain block as well.
    pub(super) tentative: bool,
    /// Whether a block that a person deleted or changed is made as it was.
    pub(super) restores: bool,
    /// The title of blocks.
    pub(super) title: String,
    /// How many days ahead time is blocked.
    pub(super) days_ahead: u32,
}

/// The days ahead that are blocked, unless a connection says otherwise.
const DAYS_AHEAD: u32 = 60;
/// What a block is called, unless a connection says otherwise.
const TITLE: &str = "Busy";

impl Manner {
    /// What the settings of a connection say.
    pub(super) fn of(settings: &ConnectionSettings) -> Self {
        Self {
            tentative: settings.block_tentative.unwrap_or(true),
            restores: settings.block_restore.unwrap_or(false),
            title: settings.block_title.clone().unwrap_or_else(|| TITLE.to_owned()),
            days_ahead: settings.block_days_ahead.unwrap_or(DAYS_AHEAD),
        }
    }

    /// The times in which blocks are made: one day back, and some days ahead.
    pub(super) fn window(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let day = |days: i64| jiff::SignedDuration::from_hours(24 * days);
        let ahead = now.checked_add(day(i64::from(self.days_ahead))).unwrap_or(Timestamp::MAX);
        (now.checked_sub(day(1)).unwrap_or(Timestamp::MIN), ahead)
    }
}

/// The connection of this id that is not deleted.
pub(super) async fn connection(ports: &Ports, tenant: &Tenant, id: &str) -> Result<Option<Connection>, Fault> {
    let stored = records::get::<Connection>(&*ports.table, &connection::key(tenant, id)).await?;
    Ok(stored.map(|stored| stored.record).filter(|connection| connection.deleted_at.is_none()))
}
