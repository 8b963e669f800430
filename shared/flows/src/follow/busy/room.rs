//! Room for blocks: the events of one calendar make so many in another one at the most, and those that are there stay. A person's
//! events never reach that; a feed of thousands of fast series would fill the calendar for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::diff::{Place, Step, is_over};
use super::wanted::day_of;
use crate::Ports;
use crate::connect::Context;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records::block::{self, Block, CalendarId};
use hooktide_store::records::calendars::{self, Crowd, Crowded};
use hooktide_store::records::{self, Upkeep};

/// How many blocks the events of a calendar have in another one: 54 for each day of a year.
const MOST: usize = 20_000;
/// How many records are counted for that. Where there are more, also of the past, there is no room.
const SCANNED: usize = 100_000;
/// How many records are read at once.
const PAGE: usize = 1_000;
/// How many blocks a look at few events makes in a calendar without counting those that are there: more than the events of a person
/// that change at once make, so that their cost does not grow with the calendar. The night's look counts.
const UNCOUNTED: usize = 200;
/// How many pairs of calendars without room are remembered.
pub(super) const MOST_REMEMBERED: usize = 100;

/// How much room there is, as far as a look found out.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    /// The number of blocks that may still be made.
    left: BTreeMap<Crowd, usize>,
    /// Where there was none for a block that there should be.
    pub(super) crowded: BTreeSet<Crowd>,
    /// The number of blocks that were made uncounted, where a look is at few events.
    uncounted: Option<BTreeMap<Crowd, usize>>,
    /// Where there was no room in the connection's last look, once somebody asked.
    full: Option<BTreeSet<Crowd>>,
}

impl Rooms {
    /// The room of a look at few events.
    pub(super) fn for_few() -> Self {
        Self { uncounted: Some(BTreeMap::new()), ..Self::default() }
    }

    /// Whether few events are looked at.
    pub(super) fn is_for_few(&self) -> bool {
        self.uncounted.is_some()
    }

    /// Whether so many more blocks may be made without counting.
    fn spares(&mut self, pair: &Crowd, makes: usize) -> bool {
        let Some(uncounted) = &mut self.uncounted else { return false };
        let made = uncounted.entry(pair.clone()).or_default();
        *made += makes;
        *made <= UNCOUNTED
    }

    /// Whether there is known to be no room in all of these calendars.
    pub(super) fn are_full(&self, from: &CalendarId, all: &[CalendarId]) -> bool {
        !all.is_empty() && all.iter().all(|lies_in| self.left.get(&crowd(from, lies_in)) == Some(&0))
    }

    /// Notes that an event was not looked at, since there is no room.
    pub(super) fn pass_over(&mut self, from: &CalendarId, all: &[CalendarId]) {
        self.crowded.extend(all.iter().map(|lies_in| crowd(from, lies_in)));
    }

    /// Whether there was no room when everything was looked at last.
    async fn was_full(
        &mut self,
        ports: &Ports,
        tenant: &Tenant,
        place: Place<'_>,
        pair: &Crowd,
    ) -> Result<bool, Fault> {
        let full = match self.full.take() {
            Some(full) => full,
            None => remembered(ports, tenant, &place.from.connection).await?,
        };
        Ok(self.full.insert(full).contains(pair))
    }

    /// The steps for which there is room. Nothing is counted unless something is to be made.
    pub(super) async fn fit(
        &mut self,
        (ports, tenant): (&Ports, &Tenant),
        place: Place<'_>,
        steps: Vec<Step>,
    ) -> Result<Vec<Step>, Fault> {
        let pair = crowd(place.from, place.lies_in);
        let makes = steps.iter().filter(|step| matches!(step, Step::Make(_))).count();
        let left = match self.left.get(&pair).copied() {
            Some(left) => left,
            None if makes == 0 => return Ok(steps),
            None if self.spares(&pair, makes) && !self.was_full(ports, tenant, place, &pair).await? => {
                return Ok(steps);
            }
            None => count(ports, tenant, place).await?,
        };
        let (fitting, left) = within(steps, left);
        let Some(left) = left else {
            self.left.insert(pair.clone(), 0);
            self.crowded.insert(pair);
            return Ok(fitting);
        };
        self.left.insert(pair, left);
        Ok(fitting)
    }
}

fn crowd(from: &CalendarId, lies_in: &CalendarId) -> Crowd {
    Crowd { calendar: from.calendar.clone(), lies_in: lies_in.clone() }
}

/// How many blocks may still be made. Those that were over when yesterday began do not count, nor what is being removed.
async fn count(ports: &Ports, tenant: &Tenant, place: Place<'_>) -> Result<usize, Fault> {
    let prefix = format!("{}{}#", block::prefix_of_calendar(place.lies_in), place.from.connection);
    let mut range = Range::Prefix(prefix.clone());
    let (mut left, mut scanned) = (MOST, 0);
    let since = day_of(place.past);
    let counts = |block: &Block| {
        block.stem.from == *place.from && block.state != BlockState::Removing && !is_over(&block.end, since)
    };
    loop {
        let query = Query { partition: block::partition(tenant), range, descending: false, limit: PAGE };
        let (found, more) = records::list::<Block>(&*ports.table, &query).await?;
        scanned += found.len();
        left = left.saturating_sub(found.iter().filter(|(_, stored)| counts(&stored.record)).count());
        let last = found.last().map(|(sort, _)| sort.clone());
        match last.filter(|_| more) {
            _ if left == 0 => return Ok(0),
            None => return Ok(left),
            Some(_) if scanned >= SCANNED => return Ok(0),
            Some(last) => range = records::after(&prefix, &last),
        }
    }
}

/// The steps for which there is room, and the room that they leave; `None` if there was too little. What goes makes room.
fn within(steps: Vec<Step>, room: usize) -> (Vec<Step>, Option<usize>) {
    let goes = |step: &&Step| matches!(step, Step::Remove(_) | Step::Forget(_));
    let mut room = Some(room.saturating_add(steps.iter().filter(goes).count()).min(MOST));
    let mut fitting = Vec::with_capacity(steps.len());
    for step in steps {
        if matches!(step, Step::Make(_)) {
            room = room.and_then(|room| room.checked_sub(1));
            if room.is_none() {
                continue;
            }
        }
        fitting.push(step);
    }
    (fitting, room)
}

/// Remembers where there was no room: after a look at everything that, and else that as well.
pub(super) async fn remember(
    (ports, tenant): (&Ports, &Tenant),
    connection: &str,
    crowded: &BTreeSet<Crowd>,
    is_whole: bool,
) -> Result<(), Fault> {
    if !is_whole && crowded.is_empty() {
        return Ok(());
    }
    let former = remembered(ports, tenant, connection).await?;
    let kept = former.iter().filter(|_| !is_whole);
    let next: BTreeSet<Crowd> = kept.chain(crowded).take(MOST_REMEMBERED).cloned().collect();
    if next == former {
        return Ok(());
    }
    let key = calendars::crowded_key(tenant, connection);
    let write = match next.is_empty() {
        true => Write::Delete { key, condition: None },
        false => records::put(&key, &Crowded { pairs: next }, Upkeep::default())?,
    };
    ports.table.write(write).await.map(drop).map_err(records::raced)
}

async fn remembered(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<BTreeSet<Crowd>, Fault> {
    let stored = records::get::<Crowded>(&*ports.table, &calendars::crowded_key(tenant, connection)).await?;
    Ok(stored.map(|stored| stored.record.pairs).unwrap_or_default())
}

/// A calendar whose events make more blocks in another one than there is room for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct CrowdView {
    /// The connection of the calendar.
    pub connection: String,
    /// The calendar whose events they are, by the provider's id.
    pub calendar: String,
    /// The connection of the calendar that is blocked.
    pub blocked_connection: String,
    /// The calendar that is blocked, by the provider's id.
    pub blocked_calendar: String,
    /// The reason, and what to do.
    pub reason: String,
}

impl CrowdView {
    /// A pair of calendars as people see it.
    pub(super) fn of(connection: &str, crowd: Crowd) -> Self {
        let Crowd { calendar, lies_in } = crowd;
        Self {
            connection: connection.to_owned(),
            reason: told(&lies_in),
            calendar,
            blocked_connection: lies_in.connection,
            blocked_calendar: lies_in.calendar,
        }
    }
}

/// What is said of a calendar whose events make too many blocks in another one.
pub(super) fn told(lies_in: &CalendarId) -> String {
    let CalendarId { connection, calendar } = lies_in;
    format!(
        "its events make more than {MOST} blocks in the calendar {calendar} of {connection}, so some are not made; those that are there \
         stay. Shorten what recurs so often, lower `block_days_ahead` of {connection}, or choose `blocks_others: false` for it"
    )
}

/// The calendars of a connection whose events made more blocks than there was room for when they were looked at last.
pub(crate) async fn crowded(context: Context<'_>, connection: &str) -> Result<Vec<CrowdView>, Fault> {
    let crowded = remembered(context.ports, context.tenant, connection).await?;
    Ok(crowded.into_iter().map(|crowd| CrowdView::of(connection, crowd)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::busy::diff::tests::{self, calendar};
    use hooktide_store::records::Stored;

    fn block(occurrence: &str) -> Block {
        tests::block(occurrence, "08", BlockState::There, None).record
    }

    #[test]
    fn a_look_at_few_events_makes_some_blocks_without_counting_those_that_are_there() {
        let [one, other] = ["c2", "c3"].map(|id| crowd(&calendar("c1"), &calendar(id)));
        let mut few = Rooms::for_few();
        let told = [(&one, 1), (&one, UNCOUNTED - 1), (&other, UNCOUNTED), (&one, 1), (&other, 1)];
        assert_eq!(told.map(|(pair, makes)| few.spares(pair, makes)), [true, true, true, false, false]);
        assert!(!Rooms::default().spares(&one, 1), "a look at everything counts");
    }

    #[test]
    fn the_first_ones_fit_what_goes_makes_room_and_nothing_else_is_held_up() {
        let stored = |name: &str| Stored { rev: 1, record: block(name) };
        let steps = || {
            vec![
                Step::Make(block("a")),
                Step::Change(stored("b")),
                Step::Make(block("c")),
                Step::Make(block("d")),
                Step::Remove(stored("e")),
            ]
        };
        for (room, fitting, left) in [
            (0, "abe", None),
            (1, "abce", None),
            (2, "abcde", Some(0)),
            (9, "abcde", Some(7)),
            (MOST, "abcde", Some(MOST - 3)),
        ] {
            let (found, rest) = within(steps(), room);
            let names = found.iter().map(|step| match step {
                Step::Make(block) => block.stem.occurrence.as_str(),
                Step::Change(stored) | Step::Remove(stored) | Step::Forget(stored) => &stored.record.stem.occurrence,
            });
            assert_eq!((names.collect::<String>().as_str(), rest), (fitting, left), "{room}");
        }
    }
}
