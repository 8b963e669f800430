//! What people do with their calendars, as chance has it.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::account::Kind;
use super::entry::{Entry, Every, Stretch, Taken, Times, ZONES, is_within, later};
use super::held;
use super::person::{Key, Person, Touch};
use super::way::Way;
use crate::seasons::mortal::Chance;

/// How many entries a calendar has at the most.
const MOST: usize = 9;
/// How long nobody has edited an entry whose block a person touches: it is settled by then, whatever was out.
const SETTLED: SignedDuration = SignedDuration::from_hours(44);

/// A person who does something.
pub struct Owner<'a> {
    /// Who it is.
    pub person: &'a mut Person,
    /// The way to their calendars.
    pub way: &'a Way,
    /// What decides.
    pub chance: &'a Chance,
    /// The time.
    pub now: Timestamp,
}

impl Owner<'_> {
    fn below(&self, end: usize) -> usize {
        usize::try_from(self.chance.below(end as u64)).expect("small")
    }

    fn one_of<T: Clone>(&self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn some(&self, least: i32, most: i32) -> i32 {
        least + i32::try_from(self.chance.below(u64::try_from(most - least + 1).expect("a range"))).expect("small")
    }

    /// Does something; returns the account in which it was done, and what it was.
    pub fn act(&mut self) -> (usize, &'static str) {
        let at = self.below(self.person.places.len());
        let place = self.person.places[at].clone();
        let ids: Vec<String> = self.way.at(place.account).owned[&place.calendar].keys().cloned().collect();
        let what = match self.below(100) {
            _ if ids.is_empty() => self.make(at, false),
            0..14 => {
                if ids.len() >= MOST {
                    self.delete(at, &ids)
                } else {
                    self.make(at, false)
                }
            }
            14..24 => {
                if ids.len() >= MOST {
                    self.delete(at, &ids)
                } else {
                    self.make(at, true)
                }
            }
            24..45 => self.change(at, &ids, true),
            45..55 => self.change(at, &ids, false),
            55..63 => self.delete(at, &ids),
            63..78 => self.except(at, &ids),
            78..83 => self.split(at, &ids),
            83..89 => self.relocate(at, &ids),
            89..96 => self.touch(),
            _ => self.copy(at),
        };
        (place.account, what)
    }

    fn stretch(&self, all_day: bool) -> Stretch {
        let day = later(self.now.to_zoned(TimeZone::UTC).date(), self.some(-1, 70));
        if all_day {
            return Stretch {
                start: day.to_datetime(jiff::civil::Time::midnight()),
                minutes: 1440 * i64::from(self.some(1, 3)),
            };
        }
        let hour = i8::try_from(self.some(6, 19)).expect("an hour");
        let start = day.at(hour, i8::try_from(15 * self.some(0, 3)).expect("a minute"), 0, 0);
        Stretch { start, minutes: 15 * i64::from(self.some(1, 16)) }
    }

    fn entry(&self, recurs: bool) -> Entry {
        let all_day = self.below(6) == 0;
        let days = self.one_of(&[1, 2, 7, 7, 14]);
        let endless = self.below(3) == 0 && days >= 7;
        let times = if endless { None } else { Some(self.some(2, 14)) };
        // A series of days that overlap would be odd.
        let days = if all_day { days.max(7) } else { days };
        Entry {
            at: self.stretch(all_day),
            all_day,
            zone: self.below(ZONES.len()),
            every: recurs.then_some(Every { days, times }),
            others: BTreeMap::new(),
            taken: self.one_of(&[Taken::Busy, Taken::Busy, Taken::Busy, Taken::Busy, Taken::Tentative, Taken::Free]),
        }
    }

    fn make(&mut self, at: usize, recurs: bool) -> &'static str {
        let place = self.person.places[at].clone();
        let entry = self.entry(recurs);
        let id = self.way.at(place.account).make(&place.calendar, entry, self.now);
        self.person.note(at, &id, self.now);
        if recurs { "edit: a series is made" } else { "edit: an event is made" }
    }

    /// An entry that has no occurrences that differ, where there is one.
    fn plain(&self, at: usize, ids: &[String]) -> Option<(String, Entry)> {
        let (id, entry) = self.any(at, ids);
        entry.others.is_empty().then_some((id, entry))
    }

    fn any(&self, at: usize, ids: &[String]) -> (String, Entry) {
        let place = &self.person.places[at];
        let id = self.one_of(ids);
        let entry = self.way.at(place.account).owned[&place.calendar][&id].clone();
        (id, entry)
    }

    /// Moves an entry, or takes its time otherwise.
    fn change(&mut self, at: usize, ids: &[String], moves: bool) -> &'static str {
        let Some((id, mut entry)) = self.plain(at, ids) else { return "edit: none" };
        let what = match moves {
            true if entry.every.is_none() && self.below(6) == 0 => {
                entry.all_day = !entry.all_day;
                entry.at = self.stretch(entry.all_day);
                "edit: an event lasts whole days, or no more"
            }
            true => {
                entry.at = self.stretch(entry.all_day);
                if entry.every.is_some() { "edit: a series is moved" } else { "edit: an event is moved" }
            }
            false => {
                let others = [Taken::Busy, Taken::Tentative, Taken::Free, Taken::Declined];
                entry.taken = self.one_of(&others);
                "edit: an event is free, declined, tentative or busy"
            }
        };
        let place = self.person.places[at].clone();
        self.way.at(place.account).put(&place.calendar, &id, entry, self.now);
        self.person.note(at, &id, self.now);
        what
    }

    fn delete(&mut self, at: usize, ids: &[String]) -> &'static str {
        let place = self.person.places[at].clone();
        let id = self.one_of(ids);
        self.way.at(place.account).delete(&place.calendar, &id, self.now);
        self.person.note(at, &id, self.now);
        "edit: an event is deleted"
    }

    /// Moves an occurrence of a series, or cancels it.
    fn except(&mut self, at: usize, ids: &[String]) -> &'static str {
        let (id, entry) = self.any(at, ids);
        let place = self.person.places[at].clone();
        let kind = self.way.at(place.account).kind;
        let Some(day) = entry.every.and_then(|_| self.a_day(&entry)) else { return "edit: none" };
        let cancelled = kind == Kind::Ics || self.below(3) == 0;
        let to = (!cancelled).then(|| {
            let of = Stretch { start: day.to_datetime(entry.at.start.time()), minutes: entry.at.minutes };
            let start = match entry.all_day {
                true => later(day, self.some(-2, 2)).to_datetime(jiff::civil::Time::midnight()),
                false => later(day, self.some(-2, 2)).at(i8::try_from(self.some(6, 19)).expect("an hour"), 30, 0, 0),
            };
            Stretch { start, ..of }
        });
        self.way.at(place.account).set_other(&place.calendar, &id, (day, to), self.now);
        self.person.note(at, &id, self.now);
        if cancelled { "edit: an occurrence is cancelled" } else { "edit: an occurrence is moved" }
    }

    /// The day of an occurrence of the next weeks that does not differ yet.
    fn a_day(&self, entry: &Entry) -> Option<Date> {
        let today = self.now.to_zoned(TimeZone::UTC).date();
        let mut days = entry.days(later(today, -1), later(today, 62));
        days.retain(|day| !entry.others.contains_key(day));
        (!days.is_empty()).then(|| self.one_of(&days))
    }

    /// Gives a series another time from one occurrence on: it ends before, and another one begins.
    fn split(&mut self, at: usize, ids: &[String]) -> &'static str {
        let Some((id, entry)) = self.plain(at, ids) else { return "edit: none" };
        let Some(every) = entry.every else { return "edit: none" };
        let Some(day) = self.a_day(&entry) else { return "edit: none" };
        let before = entry.at.start.date().until(day).map_or(0, |span| span.get_days()) / every.days;
        if before == 0 {
            return "edit: none";
        }
        let rest = every.times.map(|times| times - before);
        let start: DateTime = match entry.all_day {
            true => later(day, 1).to_datetime(entry.at.start.time()),
            false => day.at(i8::try_from(self.some(6, 19)).expect("an hour"), 45, 0, 0),
        };
        let next =
            Entry { at: Stretch { start, ..entry.at }, every: Some(Every { times: rest, ..every }), ..entry.clone() };
        let former = Entry { every: Some(Every { times: Some(before), ..every }), ..entry };
        let place = self.person.places[at].clone();
        let mut account = self.way.at(place.account);
        account.put(&place.calendar, &id, former, self.now);
        let made = account.make(&place.calendar, next, self.now);
        drop(account);
        self.person.note(at, &id, self.now);
        self.person.note(at, &made, self.now);
        "edit: a series is split"
    }

    /// Moves an entry to another calendar of the account.
    fn relocate(&mut self, at: usize, ids: &[String]) -> &'static str {
        let place = self.person.places[at].clone();
        let is_other = |(to, other): &(usize, &super::person::Place)| {
            *to != at && other.account == place.account && other.calendar != place.calendar
        };
        let others: Vec<usize> = self.person.places.iter().enumerate().filter(is_other).map(|(to, _)| to).collect();
        let Some((id, _)) = self.plain(at, ids).filter(|_| !others.is_empty()) else { return "edit: none" };
        let to = self.one_of(&others);
        let target = self.person.places[to].calendar.clone();
        let moved = self.way.at(place.account).relocate((&place.calendar, &target), &id, self.now);
        self.person.note(at, &id, self.now);
        self.person.note(to, &moved, self.now);
        "edit: an event goes to another calendar"
    }

    /// A block that is settled, the only one of its times in its calendar: what it is for, its id and its times.
    fn a_block(&self) -> Option<(Key, String, Times)> {
        let window = (self.now + SignedDuration::from_hours(72), self.now + SignedDuration::from_hours(24 * 50));
        let targets: Vec<usize> = self
            .person
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.is_blocked && !place.merges)
            .map(|(at, _)| at)
            .collect();
        if targets.is_empty() {
            return None;
        }
        let at = self.one_of(&targets);
        let place = &self.person.places[at];
        let wanted: Vec<(&Key, &Times)> = self.person.wanted.iter().filter(|((to, ..), _)| *to == at).collect();
        let there = held::blocks(&mut self.way.at(place.account), &place.calendar, self.now);
        let is_fit = |(key, times): &&(&Key, &Times)| {
            let edited = self.person.edited.get(&(key.1, key.2.clone()));
            let alone = wanted.iter().filter(|(_, other)| other == times).count() == 1;
            let alone = alone && there.values().filter(|other| other == times).count() == 1;
            let untouched = !self
                .person
                .touches
                .iter()
                .any(|touch| touch.is_of(key) || touch.to.as_ref() == Some(*times) || touch.from == **times);
            alone && untouched && is_within(times, window) && edited.is_none_or(|at| *at + SETTLED < self.now)
        };
        let fit: Vec<(Key, Times)> =
            wanted.iter().filter(is_fit).map(|(key, times)| ((*key).clone(), (*times).clone())).collect();
        if fit.is_empty() {
            return None;
        }
        let (key, times) = self.one_of(&fit);
        let id = there.iter().find(|(_, other)| **other == times)?.0.clone();
        Some((key, id, times))
    }

    /// Deletes or moves a block.
    fn touch(&mut self) -> &'static str {
        let Some((key, id, from)) = self.a_block() else { return "edit: none" };
        let place = self.person.places[key.0].clone();
        let deletes = self.below(2) == 0;
        let mut to = at_times(&from);
        to.at.start = to.at.start.checked_add(jiff::Span::new().days(1)).expect("a time");
        let moved = (!deletes).then(|| to.times(to.at));
        self.way.at(place.account).touch(&place.calendar, &id, (!deletes).then_some(&to), self.now);
        self.person.touches.push(Touch { key, to: moved, from, is_loose: false });
        if deletes { "edit: a block is deleted" } else { "edit: a block is moved" }
    }

    /// Lets a copy of a block turn up in another calendar, without its mark.
    fn copy(&mut self, at: usize) -> &'static str {
        let Some((key, id, times)) = self.a_block() else { return "edit: none" };
        let (from, to) = (self.person.places[key.0].clone(), self.person.places[at].clone());
        let kind = |account: usize| self.way.at(account).kind;
        let (born, lands) = (kind(from.account), kind(to.account));
        let uid = match (born, lands) {
            _ if from.account == to.account => return "edit: none",
            (_, Kind::Graph) | (Kind::Graph | Kind::Ics, _) => return "edit: none",
            (Kind::Google, _) => format!("{id}@google.com"),
            (Kind::Caldav, _) => id.trim_end_matches(".ics").to_owned(),
        };
        self.way.at(to.account).copy(&to.calendar, &at_times(&times), &uid, self.now);
        "edit: a block is copied"
    }
}

/// An entry at the times of a block.
fn at_times((start, end): &Times) -> Entry {
    let local = |text: &str| match text.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::UTC).datetime(),
        Err(_) => text.parse::<Date>().expect("a day").to_datetime(jiff::civil::Time::midnight()),
    };
    let (start, all_day) = (local(start), start.parse::<Timestamp>().is_err());
    let minutes = start.duration_until(local(end)).as_secs() / 60;
    let at = Stretch { start, minutes };
    Entry { at, all_day, zone: 0, every: None, others: BTreeMap::new(), taken: Taken::Busy }
}
