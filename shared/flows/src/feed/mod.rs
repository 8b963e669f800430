//! The feed: the journal, read by front ends (changes) and people (activity).
//!
//! Positions of a lane have no gaps, so a reader that meets one has missed entries that expired there, and gets an error
//! that says so, except on its first way from the oldest, since stores delete expired items in no particular order.
//!
//! Every reader has the changes of one entity in the order in which they were committed (see `merge.rs`).

mod cursor;
mod merge;
mod view;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

pub use self::cursor::{Cursor, InvalidCursor};
use self::merge::{LaneReader, Merge, Placed};
pub use self::view::{ActivityView, ChangeView};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Table;
use hooktide_store::records::journal::{self, Entry, Head, Read};

/// How many positions of a lane one reading takes at the most; a position holds up to a batch of entries.
const POSITIONS: usize = 25;

/// Some of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The entries, each with its place.
    pub items: Vec<Item>,
    /// The cursor for the next reading.
    pub next: Cursor,
    /// Whether to go on at once.
    pub more: bool,
}

/// An entry and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The entry.
    pub entry: Entry,
    /// How many of its channels the reader had before it was cut off.
    pub skip: usize,
    /// The reader's place right before it.
    before: Cursor,
    lane: u8,
    position: u64,
    index: u32,
}

impl Item {
    /// Its lane and position.
    pub fn place(&self) -> (u8, u64) {
        (self.lane, self.position)
    }

    /// The reader's place after so many of its channels.
    pub fn cursor_after(&self, channels: usize) -> Cursor {
        let channels = u32::try_from(channels).unwrap_or(u32::MAX).min(2);
        self.before.clone().at(self.lane, self.position, self.index * 2 + channels)
    }

    /// Whether a reader at `cursor` had so many of its channels.
    pub fn was_had(&self, cursor: &Cursor, channels: usize) -> bool {
        cursor.place(self.lane) >= self.cursor_after(channels).place(self.lane)
    }
}

/// Why the feed could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeedFault {
    /// Entries after the cursor have expired.
    #[error("the cursor is older than what is kept")]
    Expired,
    /// The cursor is ahead of everything: its store was restored to an earlier time, or it is another one's.
    #[error("the cursor is ahead of everything")]
    Ahead,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The cursor of a reader that only wants new entries.
pub async fn now_cursor(table: &dyn Table, tenant: &Tenant, lanes: u8, now: Timestamp) -> Result<Cursor, Fault> {
    let mut cursor = Cursor::oldest(lanes, now);
    for lane in 0..lanes {
        if let Head::At(position) = journal::head(table, tenant, lane, now).await? {
            cursor = cursor.at(lane, position + 1, 0);
        }
    }
    Ok(cursor)
}

/// Reads up to about `limit` entries after `cursor`, merged by the time of processing, but each entity's changes in their
/// order.
pub async fn read(
    table: &dyn Table,
    tenant: &Tenant,
    cursor: &Cursor,
    limit: usize,
    keep: Duration,
    now: Timestamp,
) -> Result<Reading, FeedFault> {
    if cursor.is_older_than(keep, now) {
        return Err(FeedFault::Expired);
    }
    let mut lanes = Vec::new();
    let mut more = false;
    let mut start = cursor.clone();
    for lane in 0..cursor.lanes() {
        let (position, taken) = cursor.place(lane);
        // One more than wanted: the first may be one that the reader has had, to its last channel.
        let positions = limit.clamp(1, POSITIONS) + 1;
        // And the one before: while that is there, the reader is not ahead.
        let before = position.saturating_sub(1);
        let (mut reads, lane_has_more) = journal::read(table, tenant, lane, before, positions + 1).await?;
        let stands = reads.first().is_some_and(|read| read.position == before);
        if stands && before < position {
            reads.remove(0);
        }
        if !follows(position, &reads) && !cursor.passes_over_gaps(now) {
            return Err(FeedFault::Expired);
        }
        // Who has read nothing of a lane is behind whatever is in it.
        if position > 0
            && reads.is_empty()
            && !stands
            && is_ahead(position, &journal::head(table, tenant, lane, now).await?)
        {
            return Err(FeedFault::Ahead);
        }
        more |= lane_has_more;
        if reads.first().is_some_and(|read| read.position == position && (taken / 2) as usize >= read.entries.len()) {
            start = start.at(lane, position + 1, 0);
        }
        lanes.push(LaneReader::new(lane, flatten(position, taken, reads), lane_has_more));
    }
    let mut merge = Merge::new(lanes, start, limit, more);
    while let Some((lane, from)) = merge.run() {
        // Rarely, and once a lane at the most.
        let (found, _) = journal::read(table, tenant, lane, from, 1).await?;
        merge.looked(lane, found.first().map(|read| read.position));
    }
    let mut reading = merge.reading();
    if !reading.more {
        // Only who has read to the end has seen everything of today; what is behind another reader may expire unseen.
        reading.next = reading.next.seen_at(now);
    }
    Ok(reading)
}

/// Whether a place in a lane, other than its start, is beyond what can have been there: a reader at the end stands right
/// behind its last position.
/// Nothing is known about a lane that has expired entirely.
fn is_ahead(position: u64, head: &Head) -> bool {
    match head {
        Head::At(last) => position > last + 1,
        Head::Empty(None) => true,
        Head::Empty(Some(_)) => false,
    }
}

/// Whether nothing is missing between `position` and what was read, nor within it.
fn follows(position: u64, reads: &[Read]) -> bool {
    let mut expected = position;
    for read in reads {
        if expected != 0 && read.position != expected && !read.first {
            return false;
        }
        expected = read.position + 1;
    }
    true
}

/// The entries of a lane, without those that the reader had.
fn flatten(position: u64, taken: u32, reads: Vec<Read>) -> VecDeque<Placed> {
    let mut placed = VecDeque::new();
    for read in reads {
        let (had, skip) = if read.position == position { (taken / 2, taken % 2) } else { (0, 0) };
        let count = u32::try_from(read.entries.len()).unwrap_or(u32::MAX);
        for (index, entry) in (0..count).zip(read.entries) {
            if index >= had {
                let skip = if index == had { skip as usize } else { 0 };
                placed.push_back(Placed { position: read.position, index, last: index + 1 == count, skip, entry });
            }
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(position: u64, first: bool) -> Read {
        Read { position, first, entries: Vec::new() }
    }

    #[test]
    fn a_reader_that_is_ahead_in_a_lane_had_what_is_there_and_no_more() {
        let now = Timestamp::UNIX_EPOCH;
        let before = Cursor::oldest(2, now).at(0, 5, 0).at(1, 7, 0);
        let ahead = before.clone().at(1, 9, 3);
        assert!(ahead.reaches(&before) && !before.reaches(&ahead) && before.reaches(&before));
        let other = before.clone().at(0, 6, 0);
        assert!(!ahead.reaches(&other) && !other.reaches(&ahead));
        let joined = ahead.clone().joined(&other);
        assert!(joined.reaches(&ahead) && joined.reaches(&other));
        assert_eq!((joined.place(0), joined.place(1)), ((6, 0), (9, 3)));
    }

    #[test]
    fn a_missing_position_is_noticed_unless_the_lane_starts_there() {
        assert!(follows(0, &[read(7, false), read(8, false)]), "from the oldest on, nothing can be missing before");
        assert!(follows(7, &[read(7, false)]));
        assert!(!follows(6, &[read(7, false)]));
        assert!(follows(6, &[read(900, true)]));
        assert!(!follows(7, &[read(7, false), read(9, false)]));
        assert!(follows(7, &[]));
    }

    #[test]
    fn a_place_beyond_the_one_behind_the_last_is_ahead() {
        for (position, head, expected) in [
            (9, Head::Empty(None), true),
            (9, Head::Empty(Some((1, 1))), false),
            (8, Head::At(7), false),
            (9, Head::At(7), true),
        ] {
            assert_eq!(is_ahead(position, &head), expected, "{position} {head:?}");
        }
    }
}
