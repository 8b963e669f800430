//! A calendar of the account: its members, and what became of those that are gone.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use hooktide_model::signing;
use serde_json::{Value, json};

use crate::simulator::{drawn, ical};

/// A member of a calendar.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) text: String,
    /// The `UID` of its events, read once.
    pub(super) uid: Option<String>,
    /// The number of the change that made it as it is.
    changed: u64,
}

impl Resource {
    /// The state that it is in.
    pub(super) fn etag(&self) -> String {
        let digest = signing::sha256(&[&self.changed.to_be_bytes(), self.text.as_bytes()]);
        format!("\"{}\"", HEXLOWER.encode(&digest[..8]))
    }

    /// The `UID` of the events in a text.
    pub(super) fn uid_of(text: &str) -> Option<String> {
        let events = ical::components(text, "VEVENT");
        Some(ical::value(events.first()?, "UID")?.to_owned())
    }
}

/// A calendar.
#[derive(Debug, Default)]
pub(super) struct Collection {
    pub(super) name: String,
    /// Whether it has events, and not tasks.
    pub(super) has_events: bool,
    pub(super) members: BTreeMap<String, Resource>,
    /// The numbers of the changes by which members went.
    gone: BTreeMap<String, u64>,
    changes: u64,
    /// The number of the first change that tokens may be of.
    oldest: u64,
}

impl Collection {
    /// A calendar of that name.
    pub(super) fn named(name: &str, has_events: bool) -> Self {
        Self { name: name.to_owned(), has_events, ..Self::default() }
    }

    pub(super) fn put(&mut self, name: &str, text: String) {
        self.changes += 1;
        self.gone.remove(name);
        let uid = Resource::uid_of(&text);
        self.members.insert(name.to_owned(), Resource { text, uid, changed: self.changes });
    }

    /// Removes a member; whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let was_there = self.members.remove(name).is_some();
        if was_there {
            self.changes += 1;
            self.gone.insert(name.to_owned(), self.changes);
        }
        was_there
    }

    /// The token since which changes can be asked for.
    pub(super) fn token(&self) -> String {
        format!("http://dav.example.com/ns/sync/{}", self.changes)
    }

    /// The number of the change that a token is of; `None` if it is not known any more.
    pub(super) fn since(&self, token: &str) -> Option<u64> {
        if token.is_empty() {
            return Some(0);
        }
        let number = token.strip_prefix("http://dav.example.com/ns/sync/")?.parse().ok()?;
        (self.oldest..=self.changes).contains(&number).then_some(number)
    }

    /// No token that was given so far is known any more.
    pub(super) fn forget_tokens(&mut self) {
        self.changes += 1;
        self.oldest = self.changes;
    }

    /// What changed since, in the order of the changes: the name, whether it is there, and the number of the change.
    pub(super) fn changed_since(&self, since: u64) -> Vec<(String, bool, u64)> {
        let there = self.members.iter().map(|(name, member)| (name.clone(), true, member.changed));
        let gone = self.gone.iter().map(|(name, changed)| (name.clone(), false, *changed));
        let mut changed: Vec<_> = there.chain(gone).filter(|(.., changed)| *changed > since).collect();
        changed.sort_by_key(|(.., changed)| *changed);
        changed
    }

    /// The token that stands for this change.
    pub(super) fn token_of(change: u64) -> String {
        format!("http://dav.example.com/ns/sync/{change}")
    }

    /// What whoever looks sees of it.
    pub(super) fn shown(&self) -> Value {
        let texts: BTreeMap<&String, &String> =
            self.members.iter().map(|(name, member)| (name, &member.text)).collect();
        json!({ "name": self.name, "members": texts })
    }
}

/// The calendars that an account begins with.
pub(super) fn seeded(seed: u64) -> BTreeMap<String, Collection> {
    let mut home = Collection::named("Home", true);
    for (name, lines) in [
        ("dentist", &["DTSTART:20261202T083000Z", "DTEND:20261202T093000Z", "SUMMARY:Dentist"][..]),
        ("fair", &["DTSTART;VALUE=DATE:20261203", "DTEND;VALUE=DATE:20261206", "SUMMARY:Fair"]),
        ("free", &["DTSTART:20261209T160000Z", "DTEND:20261209T170000Z", "SUMMARY:Maybe", "TRANSP:TRANSPARENT"]),
    ] {
        let uid = drawn::id(seed, name, 20);
        let lines: Vec<String> =
            std::iter::once(format!("UID:{uid}")).chain(lines.iter().map(|line| (*line).to_owned())).collect();
        home.put(&format!("{uid}.ics"), text(&ical::event(&lines)));
    }
    let uid = drawn::id(seed, "yoga", 20);
    let event = |lines: &[&str]| {
        let lines = std::iter::once(format!("UID:{uid}")).chain(lines.iter().map(|line| (*line).to_owned()));
        ical::event(&lines.collect::<Vec<_>>())
    };
    let series = event(&["DTSTART:20261204T170000Z", "DTEND:20261204T180000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Yoga"]);
    let moved = event(&["RECURRENCE-ID:20261211T170000Z", "DTSTART:20261212T170000Z", "DTEND:20261212T180000Z"]);
    // A name that servers encode.
    home.put("yoga on fridays@home.ics", text(&format!("{series}{moved}")));
    let mut tasks = Collection::named("Reminders", false);
    tasks.put("milk.ics", text("BEGIN:VTODO\r\nUID:milk\r\nSUMMARY:Milk\r\nEND:VTODO\r\n"));
    let work = Collection::named("Work & more", true);
    [("home", home), ("work", work), ("tasks", tasks)].map(|(id, of)| (id.to_owned(), of)).into()
}

/// A text as this server keeps it.
pub(super) fn text(components: &str) -> String {
    ical::calendar(&["PRODID:-//Dav//EN".to_owned()], components)
}
