//! What is to be done about the blocks of one event in one calendar: those that there should be against those that there are.
//! Pure.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::wanted::{Times, Wanted, moment};
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Moment;
use hooktide_store::ports::Write;
use hooktide_store::records::block::{Block, CalendarId, Piece, Stem};
use hooktide_store::records::{self, Stored};

/// What becomes of a block's record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A block is to be made.
    Make(Block),
    /// A block is to be at another time, or called otherwise, or made anew.
    Change(Stored<Block>),
    /// A block is to be removed.
    Remove(Stored<Block>),
    /// Nothing is at the provider, or a person has made it their own: the record goes.
    Forget(Stored<Block>),
}

impl Step {
    /// The block that is to be written at its provider, if one is.
    pub(super) fn block(&self) -> Option<&Block> {
        match self {
            Self::Make(block) => Some(block),
            Self::Change(stored) | Self::Remove(stored) => Some(&stored.record),
            Self::Forget(_) => None,
        }
    }

    /// What is written to the table for it, on the condition that nobody changed the block meanwhile.
    pub(super) fn write(&self, tenant: &Tenant) -> Result<Write, Fault> {
        match self {
            Self::Make(block) => records::insert(&block.record_key(tenant), block, block.upkeep()),
            Self::Change(Stored { rev, record }) | Self::Remove(Stored { rev, record }) => {
                records::replace(&record.record_key(tenant), Some(*rev), record, record.upkeep())
            }
            Self::Forget(Stored { rev, record }) => {
                let condition = Some(records::unchanged(*rev));
                Ok(Write::Delete { key: record.record_key(tenant), condition })
            }
        }
    }
}

/// Where blocks lie, and what they stem from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) lies_in: &'a CalendarId,
    pub(super) from: &'a CalendarId,
    pub(super) event: &'a str,
    pub(super) user: &'a str,
    pub(super) title: &'a str,
    /// Whether what overlaps or touches is one block.
    pub(super) merges: bool,
    /// Nothing that ended before this is taken away.
    pub(super) past: Timestamp,
}

/// The steps from the blocks that there are to those that there should be.
pub(super) fn steps(times: &Times, existing: &[Stored<Block>], place: Place<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for wanted in &times.list {
        let found = existing.iter().find(|stored| stored.record.stem.occurrence == wanted.occurrence);
        steps.extend(match found {
            None => Some(Step::Make(made(wanted, place))),
            Some(stored) if stored.record.piece.is_some() != place.merges => converted(stored, wanted, place),
            Some(stored) => changed(stored, wanted, place.title).map(Step::Change),
        });
    }
    let is_wanted =
        |stored: &&Stored<Block>| times.list.iter().any(|wanted| wanted.occurrence == stored.record.stem.occurrence);
    for stored in existing.iter().filter(|stored| !is_wanted(stored)) {
        let is_doubted = times.doubt.is_some() || times.doubted.contains(&stored.record.stem.occurrence);
        if !is_doubted && !is_over(&stored.record.end, place.past) {
            steps.extend(ended(stored));
        }
    }
    steps
}

/// Whether an end may have been before a time: a day ends somewhere half a day before it does by UTC.
pub(super) fn is_over(end: &str, past: Timestamp) -> bool {
    match moment(end) {
        Some(Moment::At(end)) => end <= past,
        Some(Moment::Day(day)) => day <= TimeZone::UTC.to_datetime(past).date().saturating_add(1.day()),
        None => false,
    }
}

pub(super) fn made(wanted: &Wanted, place: Place<'_>) -> Block {
    let (from, event) = (place.from.clone(), place.event.to_owned());
    Block {
        lies_in: place.lies_in.clone(),
        stem: Stem { from, event, occurrence: wanted.occurrence.clone() },
        user: place.user.to_owned(),
        start: wanted.start.clone(),
        end: wanted.end.clone(),
        title: place.title.to_owned(),
        state: BlockState::Wanted,
        generation: 0,
        provider_id: None,
        etag: None,
        written_at: 0,
        written: None,
        former: None,
        sent: None,
        failures: 0,
        reason: None,
        piece: place.merges.then(Piece::default),
    }
}

/// What becomes of a block that is to be a piece of a merged one from now on, or no longer: it goes first, unless nothing of it is
/// left to go.
fn converted(stored: &Stored<Block>, wanted: &Wanted, place: Place<'_>) -> Option<Step> {
    let Stored { rev, record: block } = stored;
    let is_nothing = block.is_unsent() || block.state == BlockState::Left && block.failures == 0;
    if !is_nothing {
        return ended(stored);
    }
    let next = Block { generation: block.generation + 1, ..made(wanted, place) };
    Some(Step::Change(Stored { rev: *rev, record: next }))
}

/// The block as it should be, if it is not; `None` if nothing is to be done.
pub(super) fn changed(stored: &Stored<Block>, wanted: &Wanted, title: &str) -> Option<Stored<Block>> {
    let Stored { rev, record: block } = stored;
    let is_same = (&block.start, &block.end) == (&wanted.start, &wanted.end);
    let next = Block {
        start: wanted.start.clone(),
        end: wanted.end.clone(),
        title: title.to_owned(),
        state: BlockState::Wanted,
        failures: 0,
        reason: None,
        ..block.clone()
    };
    let next = match block.state {
        // What is being removed is made anew once it is gone; whoever removes it asks for a look at its event.
        BlockState::Removing => return None,
        BlockState::Wanted | BlockState::Writing | BlockState::There if is_same && block.title == title => return None,
        BlockState::Wanted | BlockState::Writing | BlockState::There => next,
        BlockState::Left if is_same => return None,
        // Its provider refused it, and may have it all the same.
        BlockState::Left if block.failures > 0 => next,
        // A person changed it, and it is there: it is theirs.
        BlockState::Left if block.provider_id.is_some() => return None,
        // A person deleted it, when the event was at another time.
        BlockState::Left => Block { generation: block.generation + 1, ..next.unwritten() },
    };
    Some(Stored { rev: *rev, record: next })
}

/// What becomes of a block whose event is over, gone or free.
pub(super) fn ended(stored: &Stored<Block>) -> Option<Step> {
    let Stored { rev, record: block } = stored;
    match block.state {
        BlockState::Removing => None,
        BlockState::Left if block.failures == 0 => Some(Step::Forget(stored.clone())),
        BlockState::Wanted if block.is_unsent() => Some(Step::Forget(stored.clone())),
        BlockState::Wanted | BlockState::Writing | BlockState::There | BlockState::Left => {
            let next = Block { state: BlockState::Removing, failures: 0, reason: None, ..block.clone() };
            Some(Step::Remove(Stored { rev: *rev, record: next }))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn calendar(connection: &str) -> CalendarId {
        CalendarId { connection: connection.to_owned(), calendar: "main".to_owned() }
    }

    fn times(list: &[(&str, &str)]) -> Times {
        let wanted = |(occurrence, hour): &(&str, &str)| Wanted {
            occurrence: (*occurrence).to_owned(),
            start: format!("2026-12-01T{hour}:00:00Z"),
            end: format!("2026-12-01T{hour}:30:00Z"),
        };
        Times { list: list.iter().map(wanted).collect(), ..Times::default() }
    }

    /// The steps, each as a word, the occurrence, the start's hour, and the generation.
    fn told(times: &Times, existing: &[Stored<Block>]) -> Vec<String> {
        let (lies_in, from) = (calendar("c2"), calendar("c1"));
        let place = Place {
            lies_in: &lies_in,
            from: &from,
            event: "e",
            user: "anna",
            title: "Busy",
            merges: false,
            past: "2026-11-30T00:00:00Z".parse().unwrap(),
        };
        let steps = steps(times, existing, place).into_iter().map(|step| {
            let (word, block) = match step {
                Step::Make(block) => ("make", block),
                Step::Change(stored) => ("change", stored.record),
                Step::Remove(stored) => ("remove", stored.record),
                Step::Forget(stored) => ("forget", stored.record),
            };
            format!("{word} {}@{} {}", block.stem.occurrence, &block.start[11..13], block.generation)
        });
        steps.collect()
    }

    pub(in super::super) fn block(occurrence: &str, hour: &str, state: BlockState, id: Option<&str>) -> Stored<Block> {
        let (lies_in, from) = (calendar("c2"), calendar("c1"));
        let place = Place {
            lies_in: &lies_in,
            from: &from,
            event: "e",
            user: "anna",
            title: "Busy",
            merges: false,
            past: Timestamp::MIN,
        };
        let made = made(&times(&[(occurrence, hour)]).list[0], place);
        let written_at = i64::from(id.is_some());
        Stored { rev: 1, record: Block { state, provider_id: id.map(str::to_owned), written_at, ..made } }
    }

    #[test]
    fn a_block_is_made_moved_and_removed_with_its_event_and_else_left_as_it_is() {
        use BlockState::{Left, Removing, There, Wanted, Writing};
        for (wanted, state, id, expected) in [
            ("08", There, Some("1"), None),
            ("09", There, Some("1"), Some("change a@09 0")),
            ("", There, Some("1"), Some("remove a@08 0")),
            ("08", Wanted, None, None),
            ("09", Wanted, None, Some("change a@09 0")),
            ("", Wanted, None, Some("forget a@08 0")),
            ("", Wanted, Some("1"), Some("remove a@08 0")),
            ("09", Writing, None, Some("change a@09 0")),
            ("", Writing, None, Some("remove a@08 0")),
            ("08", Removing, Some("1"), None),
            ("09", Removing, Some("1"), None),
            ("", Removing, Some("1"), None),
            ("08", Left, None, None),
            ("09", Left, None, Some("change a@09 1")),
            ("09", Left, Some("1"), None),
            ("", Left, Some("1"), Some("forget a@08 0")),
        ] {
            let times = if wanted.is_empty() { times(&[]) } else { times(&[("a", wanted)]) };
            let expected: Vec<&str> = expected.into_iter().collect();
            assert_eq!(told(&times, &[block("a", "08", state, id)]), expected, "{wanted} {state} {id:?}");
        }
    }

    #[test]
    fn occurrences_are_told_apart_and_what_is_over_or_in_doubt_stays() {
        use BlockState::There;
        let existing = [block("a", "08", There, Some("1")), block("b", "09", There, Some("2"))];
        assert_eq!(told(&times(&[("a", "08"), ("c", "10")]), &existing), ["make c@10 0", "remove b@09 0"]);
        let doubted = Times { doubt: Some("odd"), ..times(&[("c", "10")]) };
        assert_eq!(told(&doubted, &existing), ["make c@10 0"]);
        for (end, is_over) in [
            ("2026-11-29T09:00:00Z", true),
            ("2026-11-30T00:00:00Z", true),
            ("2026-11-30T00:30:00Z", false),
            ("2026-11-30", true),
            // In Kiritimati that day begins at ten on the morning before.
            ("2026-12-01", true),
            ("2026-12-02", false),
        ] {
            let mut past = existing.to_vec();
            past.iter_mut().for_each(|stored| stored.record.end = end.to_owned());
            assert_eq!(told(&times(&[]), &past).is_empty(), is_over, "{end}");
        }
    }

    #[test]
    fn a_block_that_is_called_otherwise_is_changed() {
        let mut old = block("a", "08", BlockState::There, Some("1"));
        old.record.title = "Taken".to_owned();
        assert_eq!(told(&times(&[("a", "08")]), &[old]), ["change a@08 0"]);
    }
}
