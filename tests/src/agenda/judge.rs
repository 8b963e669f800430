//! Whether the blocks at the providers are those that there should be.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::entry::{Times, is_within};
use super::held;
use super::person::Person;
use super::way::Way;

/// How far ahead it is looked: short of the end of the window, which moves on at night.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 58);

/// What is wrong with the blocks of a person, in words.
pub fn wrong(person: &Person, way: &Way, now: Timestamp) -> Vec<String> {
    let window = (now, now + AHEAD);
    // Blocks may begin a little later, and still be there.
    let wanted =
        person.wants(way, (now - SignedDuration::from_hours(24), now + AHEAD + SignedDuration::from_hours(96)));
    let mut wrong = Vec::new();
    for (target, place) in person.places.iter().enumerate() {
        if place.merges && place.is_blocked {
            let there = held::blocks(&mut way.at(place.account), &place.calendar, now);
            let wanted = wanted.iter().filter(|((at, ..), _)| *at == target).map(|(_, times)| times.clone());
            let found =
                uncovered(wanted, there.into_values()).into_iter().filter(|(times, _)| is_within(times, window));
            wrong.extend(found.map(|((start, end), word)| {
                format!("{word}: {start} to {end} in {} of account {}", place.calendar, place.account)
            }));
            continue;
        }
        let mut balance: BTreeMap<&Times, Balance> = BTreeMap::new();
        for (_, times) in wanted.iter().filter(|((at, ..), _)| *at == target) {
            balance.entry(times).or_default().wanted += 1;
        }
        for touch in person.touches.iter().filter(|touch| touch.key.0 == target) {
            let now_at = wanted.iter().find(|(key, _)| touch.is_of(key)).map(|(_, times)| times);
            if let Some(times) = now_at {
                let of = balance.entry(times).or_default();
                if touch.is_loose { of.may_miss += 1 } else { of.wanted -= 1 }
            }
            if let Some(to) = &touch.to {
                balance.entry(to).or_default().may_exceed += 1;
                balance.entry(to).or_default().may_miss += i64::from(now_at == Some(to));
            }
        }
        let there = held::blocks(&mut way.at(place.account), &place.calendar, now);
        for times in there.values() {
            balance.entry(times).or_default().there += 1;
        }
        for (times, of) in balance.into_iter().filter(|(times, _)| is_within(times, window)) {
            let word = match of {
                Balance { wanted, there, may_exceed, .. } if there > wanted + may_exceed => {
                    if wanted > 0 {
                        "doubled"
                    } else {
                        "orphaned"
                    }
                }
                Balance { wanted, there, may_miss, .. } if there < wanted - may_miss => "missing",
                _ => continue,
            };
            let (start, end) = times;
            wrong.push(format!("{word}: {start} to {end} in {} of account {}", place.calendar, place.account));
        }
    }
    wrong
}

/// What is wrong where blocks are merged: times that no block has, and blocks that are none of these times.
fn uncovered(wanted: impl Iterator<Item = Times>, there: impl Iterator<Item = Times>) -> Vec<(Times, &'static str)> {
    let mut wanted = merged(wanted);
    let mut wrong = Vec::new();
    for times in there {
        match wanted.iter().position(|one| *one == times) {
            Some(at) => drop(wanted.remove(at)),
            None => wrong.push((times, "not merged, orphaned or doubled")),
        }
    }
    wrong.extend(wanted.into_iter().map(|times| (times, "missing")));
    wrong
}

/// The times that cover these: whole days, and beside them what is less. Texts sort as times do.
fn merged(all: impl Iterator<Item = Times>) -> Vec<Times> {
    let mut all: Vec<Times> = all.collect();
    all.sort_by_key(|(start, end)| (start.len(), start.clone(), end.clone()));
    let mut merged: Vec<Times> = Vec::new();
    for (start, end) in all {
        match merged.last_mut() {
            Some(last) if last.0.len() == start.len() && start <= last.1 => last.1 = end.max(last.1.clone()),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The blocks of one time in one calendar.
#[derive(Debug, Clone, Copy, Default)]
struct Balance {
    wanted: i64,
    there: i64,
    /// How many may be missing, and how many too many: people did something with them.
    may_miss: i64,
    /// See `may_miss`.
    may_exceed: i64,
}
