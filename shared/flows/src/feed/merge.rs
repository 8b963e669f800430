//! Merge: some entries of each lane become one order.
//!
//! Entries come in the order of processing, with one exception: a change names the place of the previous change of its
//! entity, and waits until the reader has passed that place. The reader then takes that lane's entries first, and before
//! them those that they wait for. So every reader gets the changes of one entity in the order in which they were committed,
//! over any number of readings.
//!
//! **A reading always makes progress.** A change names a place that was committed before its own, and within a lane places
//! follow each other in the order of commits. So every wait is for an earlier commit, and no two changes wait for each
//! other. If the awaited place was not read, because its lane has more entries or grew after it was read to its end
//! (another lane was read later), the waiting lane is held until the next reading, with the lanes that wait for it; the
//! others continue. The earliest commit that a reader has not had waits only for places that were read, so each reading
//! takes at least that commit, if it existed when the reading began.
//!
//! An expired place is not waited for: its lane continues beyond it, or ended before it. If a lane grew since it was read,
//! its next position is therefore looked up: if that is beyond the place, no entry waits. So entries that expired and are
//! not yet deleted may reach a reader from the oldest late; the order of all unexpired entries holds.

use std::collections::VecDeque;

use super::{Cursor, Item, Reading};
use hooktide_model::place::JournalPlace;
use hooktide_store::records::journal::Entry;

/// The entries that were read of a lane.
pub(super) struct LaneReader {
    lane: u8,
    entries: VecDeque<Placed>,
    /// Whether the lane has more entries than were read.
    more: bool,
    /// The first position after those that were read, if there is one, once a second look has shown it.
    came: Option<Option<u64>>,
    /// Whether its first entry waits for an entry that this reading does not have.
    held: bool,
}

impl LaneReader {
    /// A lane with its entries, and whether it has more of them.
    pub(super) fn new(lane: u8, entries: VecDeque<Placed>, more: bool) -> Self {
        Self { lane, entries, more, came: None, held: false }
    }
}

/// An entry and its place in a lane.
pub(super) struct Placed {
    pub(super) position: u64,
    pub(super) index: u32,
    /// Whether it is the last of its position.
    pub(super) last: bool,
    /// How many of its channels the reader had.
    pub(super) skip: usize,
    pub(super) entry: Entry,
}

impl Placed {
    fn after(&self) -> Option<JournalPlace> {
        self.entry.change.as_ref()?.after
    }
}

/// A reading that is under way.
pub(super) struct Merge {
    lanes: Vec<LaneReader>,
    next: Cursor,
    items: Vec<Item>,
    limit: usize,
    more: bool,
}

/// The wait of an entry that is the first of its lane.
enum Turn {
    /// Nothing: the first entry of this lane is next.
    Take(usize),
    /// The first entry of this lane waits for an entry that was not read.
    Hold(usize),
    /// To know where this lane has gone on since it was read to its end.
    Look(usize),
}

impl Merge {
    /// Nothing is taken yet; `more` is whether any lane has more than was read.
    pub(super) fn new(lanes: Vec<LaneReader>, start: Cursor, limit: usize, more: bool) -> Self {
        Self { lanes, next: start, items: Vec::new(), limit, more }
    }

    /// Takes entries until there are enough, or none is left that may be taken. If it must know where a lane has gone on,
    /// the lane and from which position: [`Merge::looked`] tells it.
    pub(super) fn run(&mut self) -> Option<(u8, u64)> {
        while let Some(earliest) = self.earliest() {
            if self.items.len() >= self.limit {
                self.more = true;
                break;
            }
            match self.turn(earliest) {
                Turn::Take(lane) => self.take(lane),
                Turn::Hold(lane) => {
                    self.lanes[lane].held = true;
                    self.more = true;
                }
                Turn::Look(lane) => {
                    let lane = self.lanes[lane].lane;
                    return Some((lane, self.next.place(lane).0));
                }
            }
        }
        None
    }

    /// Learns the first position that a lane has after what was read to its end, if there is one by now.
    pub(super) fn looked(&mut self, lane: u8, came: Option<u64>) {
        self.more |= came.is_some();
        if let Some(reader) = self.lanes.iter_mut().find(|reader| reader.lane == lane) {
            reader.came = Some(came);
        }
    }

    /// What was read.
    pub(super) fn reading(self) -> Reading {
        Reading { items: self.items, next: self.next.on_the_way(self.more), more: self.more }
    }

    /// The lane whose first entry was processed first, of those that are not held.
    fn earliest(&self) -> Option<usize> {
        let free = |index: &usize| Some(&self.lanes[*index]).filter(|reader| !reader.held);
        let first = |index: &usize| free(index)?.entries.front().map(|placed| placed.entry.processed_at);
        (0..self.lanes.len()).filter(|index| first(index).is_some()).min_by_key(first)
    }

    /// Decides which lane must give its first entry before the `earliest` one can.
    fn turn(&self, earliest: usize) -> Turn {
        let mut index = earliest;
        // Each waits for an earlier commit in another lane, so none comes twice.
        for _ in 0..self.lanes.len() {
            let Some(after) = self.lanes[index].entries.front().and_then(Placed::after) else { break };
            let waits_for = self.lanes.iter().position(|reader| reader.lane == after.lane);
            let Some(other) = waits_for.filter(|other| *other != index) else { break };
            if self.next.place(after.lane).0 > after.position {
                break;
            }
            let reader = &self.lanes[other];
            match reader.entries.front() {
                Some(first) if first.position > after.position => break,
                Some(_) if reader.held => return Turn::Hold(index),
                Some(_) => index = other,
                None if reader.more => return Turn::Hold(index),
                None => match reader.came {
                    Some(Some(first)) if first <= after.position => return Turn::Hold(index),
                    // The lane ended before the place, or goes on beyond it: the place has expired.
                    Some(_) => break,
                    None => return Turn::Look(other),
                },
            }
        }
        Turn::Take(index)
    }

    fn take(&mut self, index: usize) {
        let reader = &mut self.lanes[index];
        let Some(Placed { position, index, last, skip, entry }) = reader.entries.pop_front() else { return };
        let (lane, before) = (reader.lane, self.next.clone());
        let (next, taken) = if last { (position + 1, 0) } else { (position, (index + 1) * 2) };
        self.next = before.clone().at(lane, next, taken);
        self.items.push(Item { entry, skip, before, lane, position, index });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use hooktide_model::names::{Kind, Operation, Outcome, Via};
    use hooktide_model::notice::Version;
    use hooktide_store::records::journal::Change;

    const LANES: u8 = 3;

    /// A change of an entity, processed at that second.
    fn entry(id: &str, entity: &str, second: i64, after: Option<(u8, u64)>) -> Entry {
        let after = after.map(|(lane, position)| JournalPlace { lane, position });
        let change = Change {
            kind: Kind::Product,
            entity: entity.into(),
            op: Operation::Updated,
            version: Version(second),
            document: None,
            inline: false,
            after,
            occurred_at: None,
            via: Via::Webhook,
            unread: Vec::new(),
        };
        let at = Timestamp::from_second(second).unwrap();
        Entry {
            id: id.into(),
            connection: Some("c".into()),
            provider: "any".into(),
            topic: None,
            delivery: None,
            outcome: Outcome::Processed,
            reason: None,
            received_at: at,
            processed_at: at,
            verified_with: None,
            trace: String::new(),
            change: Some(change),
        }
    }

    fn lane(lane: u8, more: bool, entries: Vec<(u64, Entry)>) -> LaneReader {
        let placed = |(position, entry)| Placed { position, index: 0, last: true, skip: 0, entry };
        LaneReader::new(lane, entries.into_iter().map(placed).collect(), more)
    }

    fn start() -> Cursor {
        Cursor::oldest(LANES, Timestamp::UNIX_EPOCH)
    }

    fn ids(reading: &Reading) -> Vec<&str> {
        reading.items.iter().map(|item| item.entry.id.as_str()).collect()
    }

    /// Reads these lanes; those that had ended have gone on at `came`, if anywhere.
    fn read(lanes: Vec<LaneReader>, limit: usize, came: Option<u64>) -> Reading {
        let more = lanes.iter().any(|lane| lane.more);
        let mut merge = Merge::new(lanes, start(), limit, more);
        while let Some((lane, _)) = merge.run() {
            merge.looked(lane, came);
        }
        merge.reading()
    }

    #[test]
    fn a_change_waits_for_the_former_one_of_its_entity_whatever_the_clocks_say() {
        let newer = |after| lane(0, false, vec![(7, entry("newer", "e", 1, after))]);
        let older = || lane(1, false, vec![(4, entry("other", "x", 8, None)), (5, entry("older", "e", 9, None))]);
        let with = read(vec![newer(Some((1, 5))), older()], 10, None);
        assert_eq!((ids(&with), with.more), (vec!["other", "older", "newer"], false));
        let without = read(vec![newer(None), older()], 10, None);
        assert_eq!(ids(&without), ["newer", "other", "older"], "as it was without the place of the former one");
    }

    #[test]
    fn a_limit_cuts_the_order_off_and_never_turns_it_around() {
        let lanes = || {
            vec![
                lane(0, false, vec![(7, entry("third", "e", 1, Some((1, 5))))]),
                lane(1, false, vec![(5, entry("second", "e", 2, Some((2, 3))))]),
                lane(2, false, vec![(3, entry("first", "e", 3, None))]),
            ]
        };
        for limit in 1..=2 {
            let reading = read(lanes(), limit, None);
            assert_eq!((ids(&reading), reading.more), (vec!["first", "second"][..limit].to_vec(), true));
        }
        assert_eq!(ids(&read(lanes(), 3, None)), ["first", "second", "third"]);
    }

    #[test]
    fn a_former_change_that_was_not_read_yet_ends_the_reading() {
        let newer = || lane(0, false, vec![(7, entry("newer", "e", 1, Some((1, 5))))]);
        let begun = || lane(1, true, vec![(4, entry("other", "x", 8, None))]);
        let reading = read(vec![newer(), begun()], 10, None);
        assert_eq!((ids(&reading), reading.more), (vec!["other"], true), "its lane has more");
        let reading = read(vec![newer(), lane(1, false, vec![])], 10, Some(5));
        assert_eq!((ids(&reading), reading.more), (vec![], true), "it was committed between two reads");
        assert_eq!(reading.next, start().on_the_way(true));
    }

    #[test]
    fn a_former_change_that_expired_is_not_waited_for() {
        let newer = |place| lane(0, false, vec![(7, entry("newer", "e", 1, Some(place)))]);
        for (place, rest) in [
            ((1, 5), lane(1, false, vec![])),
            ((1, 5), lane(1, false, vec![(4, entry("other", "x", 0, None))])),
            ((1, 5), lane(1, true, vec![(6, entry("beyond", "x", 9, None))])),
            ((9, 5), lane(1, false, vec![])),
            ((0, 9), lane(1, false, vec![])),
        ] {
            let reading = read(vec![newer(place), rest], 10, None);
            assert!(ids(&reading).contains(&"newer"), "{place:?}");
        }
    }

    #[test]
    fn a_lane_that_goes_on_beyond_an_expired_change_holds_nobody_up() {
        for (came, expected) in
            [(None, true), (Some(4), false), (Some(5), false), (Some(6), true), (Some(u64::MAX), true)]
        {
            let newer = lane(0, false, vec![(7, entry("newer", "e", 1, Some((1, 5))))]);
            let reading = read(vec![newer, lane(1, false, vec![])], 10, came);
            assert_eq!((reading.items.len() == 1, reading.more), (expected, came.is_some()), "{came:?}");
        }
    }

    #[test]
    fn entries_that_wait_for_each_other_hold_nobody_up() {
        let one = lane(0, false, vec![(7, entry("one", "e", 1, Some((1, 5))))]);
        let other = lane(1, false, vec![(5, entry("other", "e", 2, Some((0, 7))))]);
        assert_eq!(read(vec![one, other], 10, None).items.len(), 2, "no journal of ours has them");
    }

    proptest! {
        /// Commits of random entities in random lanes by clocks that are off, which go on while a reader with a random limit
        /// reads lane after lane; of what expired some is gone.
        #[test]
        fn every_reader_has_each_entitys_changes_in_their_order_and_gets_to_the_end(
            commits in prop::collection::vec((0..LANES, 0_u8..4, 0_i64..50), 1..60),
            readings in prop::collection::vec((1_usize..6, prop::collection::vec(0_usize..4, 3)), 60),
            (expired, deleted) in (0_usize..30, prop::collection::vec(any::<bool>(), 30)),
        ) {
            let (mut positions, mut last) = ([0_u64; LANES as usize], HashMap::new());
            let history: Vec<(u8, u64, Entry)> = commits.iter().enumerate().map(|(n, (lane, entity, second))| {
                positions[usize::from(*lane)] += 1;
                let place = (*lane, positions[usize::from(*lane)]);
                (place.0, place.1, entry(&n.to_string(), &entity.to_string(), *second, last.insert(*entity, place)))
            }).collect();
            let kept = |n: &usize| *n >= expired || !deleted[*n];
            let (mut cursor, mut seen, mut known, mut idle) = (start(), Vec::new(), 0, 0);
            for (limit, growth) in readings.iter().cycle().take(600) {
                let mut lanes = Vec::new();
                for lane_ in 0..LANES {
                    known = (known + growth[usize::from(lane_)]).min(history.len());
                    let from = cursor.place(lane_).0;
                    let all: Vec<(u64, Entry)> = (0..known).filter(kept).map(|n| &history[n])
                        .filter(|(of, position, _)| *of == lane_ && *position >= from)
                        .map(|(_, position, entry)| (*position, entry.clone())).collect();
                    let more = all.len() > limit + 1;
                    lanes.push(lane(lane_, more, all.into_iter().take(limit + 1).collect()));
                }
                let more = lanes.iter().any(|lane| lane.more);
                let mut merge = Merge::new(lanes, cursor.clone(), *limit, more);
                let mut looks = 0;
                while let Some((of, from)) = merge.run() {
                    looks += 1;
                    let mut rest = (0..known).filter(kept).map(|n| (history[n].0, history[n].1));
                    merge.looked(of, rest.find(|(lane, position)| *lane == of && *position >= from).map(|(_, first)| first));
                }
                prop_assert!(looks <= usize::from(LANES));
                let reading = merge.reading();
                prop_assert!(reading.items.len() <= *limit);
                seen.extend(reading.items.iter().map(|item| item.entry.id.parse::<usize>().unwrap()));
                idle = if reading.next == cursor && reading.more { idle + 1 } else { 0 };
                prop_assert!(idle <= 1, "two readings in a row got nowhere and were told to go on");
                cursor = reading.next;
            }
            let kept: Vec<usize> = (0..history.len()).filter(kept).collect();
            let mut sorted = seen.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&sorted, &kept, "everything once");
            for entity in 0..4 {
                let of: Vec<usize> = seen.iter().copied().filter(|n| *n >= expired && commits[*n].1 == entity).collect();
                prop_assert!(of.is_sorted(), "{:?}", of);
            }
        }
    }
}
