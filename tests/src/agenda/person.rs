//! A person of a simulation: where their calendars are, and what is expected of the blocks in them.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::entry::Times;
use super::way::Way;

/// Where a calendar of a person is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The account.
    pub account: usize,
    /// The connection.
    pub connection: usize,
    /// The provider's id.
    pub calendar: String,
    /// Whether its events block time in others.
    pub blocks_others: bool,
    /// Whether time is blocked in it.
    pub is_blocked: bool,
    /// Whether blocks in it are merged.
    pub merges: bool,
}

/// What a block is for: the place that it lies in, that of the entry, the entry's id, and the start that its rule gives it.
pub type Key = (usize, usize, String, DateTime);

/// What a person did with a block.
#[derive(Debug, Clone)]
pub struct Touch {
    /// What the block is for.
    pub key: Key,
    /// Where it was moved to; nowhere if it was deleted.
    pub to: Option<Times>,
    /// The times that it had.
    pub from: Times,
    /// Whether the entry was edited since: the block may be made anew.
    pub is_loose: bool,
}

impl Touch {
    /// Whether this is what the block is for. Providers name an occurrence by its start or by its day, so a series that goes to
    /// another hour may keep what a person did, or not.
    pub fn is_of(&self, key: &Key) -> bool {
        let (at, source, id, start) = &self.key;
        (at, source, id, start.date()) == (&key.0, &key.1, &key.2, key.3.date())
    }
}

/// A person.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// Their calendars.
    pub places: Vec<Place>,
    /// What they did with blocks.
    pub touches: Vec<Touch>,
    /// The blocks that there should be, when that was last worked out.
    pub wanted: BTreeMap<Key, Times>,
    /// When each entry was edited last.
    pub edited: BTreeMap<(usize, String), Timestamp>,
}

impl Person {
    /// The blocks that there should be in a window.
    pub fn wants(&self, way: &Way, window: (Timestamp, Timestamp)) -> BTreeMap<Key, Times> {
        let mut wanted = BTreeMap::new();
        for (source, from) in self.places.iter().enumerate().filter(|(_, place)| place.blocks_others) {
            let account = way.at(from.account);
            for (id, entry) in &account.owned[&from.calendar] {
                let blocks = entry.blocks(window);
                for (target, _) in
                    self.places.iter().enumerate().filter(|(at, place)| place.is_blocked && *at != source)
                {
                    wanted.extend(blocks.iter().map(|(day, times)| {
                        // Wherever an entry goes that does not recur, it remains the same one.
                        let recurs = entry.every.is_some();
                        let start = if recurs { day.to_datetime(entry.at.start.time()) } else { DateTime::MIN };
                        ((target, source, id.clone(), start), times.clone())
                    }));
                }
            }
        }
        wanted
    }

    /// Works out anew which blocks there should be. Returns how many are to be written for that.
    pub fn expect(&mut self, way: &Way, now: Timestamp) -> u64 {
        let day = SignedDuration::from_hours(24);
        // A day more than blocks are made for: days do not end everywhere at once, and what is at the edge may be written.
        let wanted = self.wants(way, (now - day, now + 61 * day));
        let is_written = |(key, times): &(&Key, &Times)| self.wanted.get(*key) != Some(*times);
        let written: u64 = wanted.iter().filter(is_written).map(|(key, _)| self.writes(key)).sum();
        let is_removed = |(key, times): &(&Key, &Times)| {
            !wanted.contains_key(*key) && super::entry::is_within(times, (now - day, Timestamp::MAX))
        };
        let removed: u64 = self.wanted.iter().filter(is_removed).map(|(key, _)| self.writes(key)).sum();
        self.wanted = wanted;
        written + removed
    }

    /// How many writes one block may cost: where blocks are merged, it may join two of them, or leave two where it was.
    fn writes(&self, key: &Key) -> u64 {
        if self.places[key.0].merges { 2 } else { 1 }
    }

    /// Notes that an entry was edited.
    pub fn note(&mut self, source: usize, id: &str, now: Timestamp) {
        self.edited.insert((source, id.to_owned()), now);
        let touched = self.touches.iter_mut().filter(|touch| touch.key.1 == source && touch.key.2 == id);
        touched.for_each(|touch| touch.is_loose = true);
    }
}
