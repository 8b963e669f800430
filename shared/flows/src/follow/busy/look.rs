//! A look at events: which blocks there should be because of them, and what people did with those that there are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::diff::{self, Place, Step};
use super::events::{self, Known};
use super::person::{self, Manner, Person};
use super::room::{self, Rooms};
use super::wanted::{self, Times};
use super::writer::BLOCKS;
use super::{existing, own, wake};
use crate::Ports;
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::part;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::ENTITY_SHARDS;
use hooktide_store::ports::Write;
use hooktide_store::records::block::{self, Block, BlockName, CalendarId};
use hooktide_store::records::calendars::{self, Crowd, Progress};
use hooktide_store::records::{self, Upkeep};

/// How many records one transaction changes.
const AT_ONCE: usize = 25;
/// How many blocks a plan names at the most.
pub(super) const MOST_PLANNED: usize = 1_000;

/// A look at events.
pub(super) struct Look<'a> {
    pub(super) ports: &'a Ports,
    pub(super) tenant: &'a Tenant,
    pub(super) person: &'a Person,
    /// The connection whose events are looked at.
    pub(super) connection: &'a str,
    /// Whether there is no more time.
    pub(super) is_over: &'a (dyn Fn() -> bool + Sync),
    pub(super) now: Timestamp,
    /// How blocks are made in each connection.
    manners: BTreeMap<String, Manner>,
    /// The blocks to be written, by the connection that they lie in.
    writers: BTreeMap<String, BTreeSet<String>>,
    /// The series that were looked at, and whether they recur.
    series: BTreeMap<String, bool>,
    /// How much room there is for more blocks.
    rooms: Rooms,
    /// What would be done, where nothing is; and what was done with blocks that people changed, where something is.
    pub(super) found: Found,
}

/// What a look finds.
#[derive(Debug)]
pub(super) enum Found {
    /// The blocks that would be written: nothing is stored.
    Planned(Vec<Block>),
    /// The blocks that are left alone from now on.
    Left(Vec<Block>),
}

impl<'a> Look<'a> {
    /// A look at events of a connection of a person.
    pub(super) async fn new(
        (ports, tenant): (&'a Ports, &'a Tenant),
        (person, connection): (&'a Person, &'a str),
        found: Found,
        is_over: &'a (dyn Fn() -> bool + Sync),
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let mut manners = BTreeMap::new();
        for choices in &person.choices {
            // One that became another person's is left alone, even before that change is followed up.
            let connection = person::connection(ports, tenant, &choices.connection).await?;
            if let Some(connection) = connection.filter(|one| one.user().unwrap_or_default() == person.user) {
                manners.insert(connection.id.clone(), Manner::of(&connection.settings));
            }
        }
        let (writers, series, rooms) = (BTreeMap::new(), BTreeMap::new(), Rooms::default());
        Ok(Self { ports, tenant, person, connection, is_over, now, manners, writers, series, rooms, found })
    }

    /// Looks at these entities, which are few.
    pub(super) async fn at(&mut self, entities: &BTreeSet<String>) -> Result<(), Fault> {
        self.rooms = Rooms::for_few();
        for entity in entities {
            if let Some(known) = events::one(self.ports, self.tenant, self.connection, entity).await? {
                self.at_one(known).await?;
            }
        }
        room::remember((self.ports, self.tenant), self.connection, self.crowded(), false).await
    }

    /// How far a look at everything has come that was cut off; `None` if none was.
    pub(super) async fn progress(&self) -> Result<Option<Progress>, Fault> {
        let key = calendars::progress_key(self.tenant, self.connection);
        Ok(records::get::<Progress>(&*self.ports.table, &key).await?.map(|stored| stored.record))
    }

    /// Looks at all events of the connection's calendars that take part, from this place on; whether that was all.
    pub(super) async fn at_everything(&mut self, begun: Progress) -> Result<bool, Fault> {
        let stores = matches!(self.found, Found::Left(_));
        let (job, former, verified) = (begun.job, begun.crowded.clone(), begun.block.clone());
        let reached = match self.through(begun).await? {
            Some(reached) => Some(reached),
            None if stores => {
                let verified = self.verify(verified).await?;
                verified.map(|block| Progress { shard: ENTITY_SHARDS, job, block: Some(block), ..Progress::default() })
            }
            None => None,
        };
        let crowded: BTreeSet<Crowd> = former.union(self.crowded()).take(room::MOST_REMEMBERED).cloned().collect();
        let reached = reached.map(|reached| Progress { crowded: crowded.clone(), ..reached });
        if stores {
            room::remember((self.ports, self.tenant), self.connection, &crowded, reached.is_none()).await?;
            let key = calendars::progress_key(self.tenant, self.connection);
            let write = match &reached {
                Some(reached) => records::put(&key, reached, Upkeep::default())?,
                None => Write::Delete { key, condition: None },
            };
            self.ports.table.write(write).await.map_err(records::raced)?;
        }
        Ok(reached.is_none())
    }

    /// Looks at the events from a place on; returns how far it came, unless that was all. A run looks at one event at the least.
    async fn through(&mut self, begun: Progress) -> Result<Option<Progress>, Fault> {
        let own = self.person.choices.iter().filter(|choices| choices.connection == self.connection);
        let calendars: BTreeSet<String> = own.flat_map(|choices| choices.choices.keys().cloned()).collect();
        for shard in begun.shard..ENTITY_SHARDS {
            let from = begun.calendar.as_ref().filter(|_| shard == begun.shard);
            for calendar in calendars.iter().filter(|calendar| from.is_none_or(|from| *calendar >= from)) {
                let beginning = part::prefix(calendar);
                let last = begun.event.as_ref().filter(|_| from == Some(calendar));
                let mut after = last.map(|event| events::place_of(calendar, event));
                loop {
                    let place = (self.connection, beginning.as_str(), shard);
                    let (found, more) = events::page(self.ports, self.tenant, place, after).await?;
                    for known in found {
                        let event = known.id.clone();
                        self.at_one(known).await?;
                        if (self.is_over)() || self.has_enough() {
                            let (job, calendar) = (begun.job, Some(calendar.clone()));
                            return Ok(Some(Progress {
                                job,
                                shard,
                                calendar,
                                event: Some(event),
                                ..Progress::default()
                            }));
                        }
                    }
                    if more.is_none() {
                        break;
                    }
                    after = more;
                }
            }
        }
        Ok(None)
    }

    /// Whether more is planned than a plan names.
    fn has_enough(&self) -> bool {
        matches!(&self.found, Found::Planned(planned) if planned.len() > MOST_PLANNED)
    }

    /// Looks at one event: as a block of ours, and as what blocks are made for.
    async fn at_one(&mut self, known: Known) -> Result<(), Fault> {
        self.as_ours(&known).await?;
        let is_part = self.is_part(&known).await?;
        let may_have_parts = self.as_stem(&known, is_part).await?;
        // Occurrences that are entries of their own may have come before their series, or stay behind it. Who looks at everything
        // looks at each of them.
        if may_have_parts && self.rooms.is_for_few() {
            for part in events::apart(self.ports, self.tenant, &known).await? {
                self.as_stem(&part, known.recurs()).await?;
            }
        }
        Ok(())
    }

    /// Whether an event is an occurrence of a series that is known; the series is looked at first, and has its blocks.
    async fn is_part(&mut self, known: &Known) -> Result<bool, Fault> {
        let Some(series) = known.series().filter(|series| known.id.starts_with(events::beginning_of(series))) else {
            return Ok(false);
        };
        let entity = part::entity_id(&known.calendar.calendar, series);
        if let Some(recurs) = self.series.get(&entity) {
            return Ok(*recurs);
        }
        let series = events::one(self.ports, self.tenant, self.connection, &entity).await?;
        let recurs = series.as_ref().is_some_and(Known::recurs);
        self.series.insert(entity, recurs);
        if let Some(series) = series {
            self.as_stem(&series, false).await?;
        }
        Ok(recurs)
    }

    /// Finds out what a person did with a block of ours.
    pub(super) async fn as_ours(&mut self, known: &Known) -> Result<(), Fault> {
        let Some(stored) = own::of(self.ports, self.tenant, known).await? else { return Ok(()) };
        let Some(manner) = self.manners.get(&known.calendar.connection) else { return Ok(()) };
        let Some(next) = own::judged(&stored.record, known, manner) else { return Ok(()) };
        let Found::Left(left) = &mut self.found else { return Ok(()) };
        if own::store(self.ports, self.tenant, stored.rev, &next).await? {
            self.note(&next);
        } else {
            left.push(next);
        }
        Ok(())
    }

    /// Writes down which blocks there should be for an event; none where it is part of a series. Returns whether it recurs, or did.
    async fn as_stem(&mut self, known: &Known, is_part: bool) -> Result<bool, Fault> {
        let is_ours = match &known.event {
            Some(event) => wanted::is_ours(&known.id, event) || self.is_copy(event.uid.as_deref()).await?,
            None => false,
        };
        let event = known.event.as_ref().filter(|_| !is_ours && !is_part);
        let blocked = self.person.blocked_by(&known.calendar);
        if event.is_some() && self.is_left_out(known, &blocked).await? {
            self.rooms.pass_over(&known.calendar, &blocked);
            return Ok(false);
        }
        let apart = match event.is_some() && known.recurs() {
            true => events::apart(self.ports, self.tenant, known).await?,
            false => Vec::new(),
        };
        let apart: Vec<&CalendarEvent> = apart.iter().filter_map(|one| one.event.as_ref()).collect();
        let mut recurs = known.recurs();
        for lies_in in self.person.all() {
            let Some(manner) = self.manners.get(&lies_in.connection) else { continue };
            let times = match event.filter(|_| blocked.contains(&lies_in)) {
                Some(event) => wanted::times(event, &apart, manner, self.now),
                None => Times::default(),
            };
            // What no longer blocks takes its past with it.
            let is_blocked = blocked.contains(&lies_in);
            let past = if is_blocked { manner.window(self.now).0 } else { Timestamp::MIN };
            let existing =
                existing::of((self.ports, self.tenant), (&lies_in, &known.calendar, &known.id), &times, past).await?;
            recurs |= existing.iter().any(|stored| !stored.record.stem.occurrence.is_empty());
            let place = Place {
                lies_in: &lies_in,
                from: &known.calendar,
                event: &known.id,
                user: &self.person.user,
                title: &manner.title,
                merges: manner.merges,
                past,
            };
            let steps = diff::steps(&times, &existing, place);
            let steps = self.rooms.fit((self.ports, self.tenant), place, steps).await?;
            let is_unsettled = |block: &Block| !matches!(block.state, BlockState::There | BlockState::Left);
            for stored in existing.iter().filter(|stored| is_unsettled(&stored.record)) {
                self.note(&stored.record);
            }
            self.apply(&steps).await?;
        }
        Ok(recurs)
    }

    /// Whether nothing can come of an event: it has no blocks, and there is no room for any.
    async fn is_left_out(&self, known: &Known, blocked: &[CalendarId]) -> Result<bool, Fault> {
        if !self.rooms.are_full(&known.calendar, blocked) {
            return Ok(false);
        }
        for lies_in in self.person.all() {
            let place = (&lies_in, &known.calendar, known.id.as_str());
            if existing::any(self.ports, self.tenant, place).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where there was no room for blocks, as far as it was looked.
    pub(super) fn crowded(&self) -> &BTreeSet<Crowd> {
        &self.rooms.crowded
    }

    /// Whether an event is a copy of a block of ours whose `UID` its provider chose.
    async fn is_copy(&self, uid: Option<&str>) -> Result<bool, Fault> {
        let Some(uid) = uid else { return Ok(false) };
        let key = block::uid_key(self.tenant, uid);
        Ok(records::get::<BlockName>(&*self.ports.table, &key).await?.is_some())
    }

    /// Stores what is to be done: the intent, before anybody is called.
    async fn apply(&mut self, steps: &[Step]) -> Result<(), Fault> {
        if let Found::Planned(planned) = &mut self.found {
            planned.extend(steps.iter().filter_map(Step::block).cloned());
            return Ok(());
        }
        for some in steps.chunks(AT_ONCE) {
            let mut writes = Vec::with_capacity(some.len());
            for step in some {
                writes.push(step.write(self.tenant)?);
            }
            self.ports.table.transact(writes).await.map_err(records::overtaken)?;
            for step in some {
                if let Some(block) = step.block() {
                    self.note(block);
                }
            }
        }
        Ok(())
    }

    /// Notes that a block is to be written.
    pub(super) fn note(&mut self, block: &Block) {
        if let Found::Planned(planned) = &mut self.found {
            planned.push(block.clone());
            return;
        }
        let writers = self.writers.entry(block.lies_in.connection.clone()).or_default();
        writers.insert(Block::sort(&block.lies_in, &block.stem));
    }

    /// Wakes those who write; returns the connections that they write to.
    pub(super) async fn wake(&mut self) -> Result<Vec<String>, Fault> {
        let mut woken = Vec::new();
        for (connection, blocks) in std::mem::take(&mut self.writers) {
            wake(self.ports, self.tenant, (BLOCKS, &connection), blocks, self.now).await?;
            woken.push(connection);
        }
        Ok(woken)
    }
}
