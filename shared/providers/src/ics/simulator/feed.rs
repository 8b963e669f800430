//! The events of a feed, and the habits of whoever serves it.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use hooktide_model::signing;
use jiff::Timestamp;

use crate::simulator::habits::Habits;
use crate::simulator::{Edit, drawn, ical};

/// What whoever serves a feed may do: another `DTSTAMP` in each answer; no etag, or no date; a redirect; and in place of the
/// calendar a page, nothing, a calendar without events, half of it, or too much.
const HABITS: &[&str] = &["stamps", "no-etag", "no-date", "moved", "html", "empty", "no-events", "cut", "huge"];

/// The calendar that is published.
pub(super) struct Feed {
    seed: u64,
    /// The lines of each event, by its `UID`.
    pub(super) events: BTreeMap<String, Vec<String>>,
    pub(super) habits: Habits,
    /// How often it changed.
    changes: u64,
    changed_at: Timestamp,
}

impl Feed {
    pub(super) fn new(seed: u64) -> Self {
        let mut feed = Self {
            seed,
            events: BTreeMap::new(),
            habits: Habits::of(HABITS),
            changes: 0,
            changed_at: Timestamp::UNIX_EPOCH,
        };
        for (name, lines) in [
            ("dentist", &["DTSTART:20261202T083000Z", "DTEND:20261202T093000Z", "SUMMARY:Dentist"][..]),
            ("fair", &["DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261206", "SUMMARY:Fair"]),
            ("yoga", &["DTSTART:20261204T170000Z", "DTEND:20261204T180000Z", "SUMMARY:Yoga", "RRULE:FREQ=WEEKLY"]),
            ("free", &["DTSTART:20261209T160000Z", "DTEND:20261209T170000Z", "SUMMARY:Maybe", "TRANSP:TRANSPARENT"]),
        ] {
            let uid = format!("{name}-{}@feeds.example.com", drawn::id(seed, name, 8));
            let lines = std::iter::once(format!("UID:{uid}")).chain(lines.iter().map(|line| (*line).to_owned()));
            feed.events.insert(uid, lines.collect());
        }
        feed
    }

    /// The feed as it is served.
    pub(super) fn text(&self, now: Timestamp) -> String {
        let head = ["PRODID:-//Feeds//EN".to_owned(), "X-WR-CALNAME:Club nights".to_owned()];
        let events = self.events.values().map(|lines| {
            let mut lines: Vec<String> =
                lines.iter().filter(|line| ical::name_of(line) != "DTSTAMP").cloned().collect();
            let stamp = if self.habits.has("stamps") { now } else { self.changed_at };
            lines.push(format!("DTSTAMP:{}", ical::stamp(stamp)));
            ical::event(&lines)
        });
        ical::calendar(&head, &events.collect::<String>())
    }

    /// A weak etag, as feeds that are compressed on the way have.
    pub(super) fn etag(&self) -> String {
        let digest = signing::sha256(&[&self.seed.to_be_bytes(), &self.changes.to_be_bytes()]);
        format!("W/\"{}\"", HEXLOWER.encode(&digest[..8]))
    }

    /// When it changed last, as HTTP has it.
    pub(super) fn modified(&self) -> String {
        self.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Makes, changes or deletes an event, by its `UID`.
    pub(super) fn edit_event(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        // Who exports another calendar keeps the identifiers that it has.
        let given = edit.fields.as_ref().filter(|_| edit.id.is_none()).and_then(|fields| fields.get("UID")?.as_str());
        let uid = edit.id.as_deref().or(given).map(str::to_owned).unwrap_or_else(|| {
            format!("{}@feeds.example.com", drawn::id(self.seed, &format!("event {}", self.changes), 16))
        });
        match &edit.fields {
            None => drop(self.events.remove(&uid).ok_or("there is no such event")?),
            Some(fields) => {
                let before = match (self.events.get(&uid), &edit.id) {
                    (Some(before), _) => before.clone(),
                    (None, None) => vec![format!("UID:{uid}"), "SUMMARY:Event".to_owned()],
                    (None, Some(_)) => return Err("there is no such event".to_owned()),
                };
                let is_new = edit.id.is_none();
                if !is_new && fields.keys().any(|name| ical::name_of(name).eq_ignore_ascii_case("UID")) {
                    return Err("an event keeps its UID".to_owned());
                }
                self.events.insert(uid.clone(), ical::edited(&before, fields, now)?);
            }
        }
        self.changes += 1;
        self.changed_at = now;
        Ok(uid)
    }
}
