//! A person: their calendars, and which of them block which.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{TransactFault, Write};
use hooktide_store::records::block::CalendarId;
use hooktide_store::records::calendars::{self, Calendars, Membership};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many connections of a tenant are looked at for those of one person.
const MOST_CONNECTIONS: usize = 5_000;
/// How many records are read at once.
const READ: usize = 100;

/// The calendars of a person that take part in blocking.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Who it is; empty for all connections that do not say.
    pub(super) user: String,
    /// The choices of each of the connections.
    pub(super) choices: Vec<Calendars>,
}

impl Person {
    /// The person whose account a connection is; `None` if nothing was chosen for it. What is read is in proportion to the person's
    /// connections.
    pub(super) async fn of(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Option<Self>, Fault> {
        let own = records::get::<Calendars>(&*ports.table, &calendars::key(tenant, connection)).await?;
        let Some(Stored { record: own, .. }) = own else { return Ok(None) };
        if !own.is_listed {
            return Self::listed(ports, tenant, &own.user).await.map(Some);
        }
        let (of, prefix) = (calendars::memberships(tenant), calendars::membership_prefix(&own.user));
        let members = records::list_all::<Membership>(&*ports.table, of, &prefix, MOST_CONNECTIONS).await?;
        let keys: Vec<_> = members.iter().map(|(_, one)| calendars::key(tenant, &one.record.connection)).collect();
        let mut choices = Vec::with_capacity(keys.len());
        for some in keys.chunks(READ) {
            for item in ports.table.get_many(some).await?.into_iter().flatten() {
                choices.push(records::decode::<Calendars>(item)?.record);
            }
        }
        // Those that became another person's meanwhile are left out.
        choices.retain(|choices| choices.user == own.user);
        Ok(Some(Self { user: own.user, choices }))
    }

    /// The person of this name, all of whose connections are found by their memberships from now on.
    pub(super) async fn listed(ports: &Ports, tenant: &Tenant, user: &str) -> Result<Self, Fault> {
        let (of, table) = (calendars::partition(tenant), &*ports.table);
        let mut choices = Vec::new();
        for (_, Stored { rev, record }) in records::list_all::<Calendars>(table, of, "", MOST_CONNECTIONS).await? {
            if record.user != user {
                continue;
            }
            if !record.is_listed
                && let Err(TransactFault::Fault(fault)) = table.transact(writes(tenant, Some(rev), &record)?).await
            {
                return Err(fault);
            }
            choices.push(record);
        }
        Ok(Self { user: user.to_owned(), choices })
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

/// What stores the choices of a connection over those that were read, with its membership.
pub(super) fn writes(tenant: &Tenant, rev: Option<u64>, choices: &Calendars) -> Result<Vec<Write>, Fault> {
    let Calendars { connection, user, .. } = choices;
    let member = Membership { connection: connection.clone() };
    let choices = Calendars { is_listed: true, ..choices.clone() };
    Ok(vec![
        records::replace(&calendars::key(tenant, connection), rev, &choices, Upkeep::default())?,
        records::put(&calendars::membership_key(tenant, user, connection), &member, Upkeep::default())?,
    ])
}

/// How blocks are made in the calendars of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manner {
    /// Whether events that are not certain block as well.
    pub(super) tentative: bool,
    /// Whether a block that a person deleted or changed is made as it was.
    pub(super) restores: bool,
    /// Whether times that overlap or touch are one block.
    pub(super) merges: bool,
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
            merges: settings.block_merge.unwrap_or(false),
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
