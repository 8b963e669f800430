//! An account at a simulated provider: what its owner has in each calendar, and what else lies there.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hooktide_model::part;
use hooktide_providers::simulator::{Edit, Simulator};
use http::{Request, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::entry::{Entry, Stretch};
use super::forms::{self, Fields};

/// A kind of calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Google's.
    Google,
    /// Microsoft's.
    Graph,
    /// A server that speaks CalDAV.
    Caldav,
    /// A feed.
    Ics,
}

impl Kind {
    /// The provider.
    pub fn provider(self) -> &'static str {
        match self {
            Self::Google => "google-calendar",
            Self::Graph => "microsoft-graph",
            Self::Caldav => "caldav",
            Self::Ics => "ics",
        }
    }
}

/// An account.
pub struct Account {
    /// What it is.
    pub kind: Kind,
    /// The API.
    pub simulator: Box<dyn Simulator>,
    /// What its owner has, by the calendar and the id.
    pub owned: BTreeMap<String, BTreeMap<String, Entry>>,
    /// The entries that block nothing and are no blocks: copies of those.
    pub copies: BTreeSet<String>,
    /// Whether it answers nothing.
    pub is_out: bool,
    /// Until when a feed is empty.
    pub is_empty_until: Timestamp,
    made: u64,
}

impl Account {
    /// An account with so many empty calendars of its own.
    pub fn new(kind: Kind, seed: u64, calendars: usize, now: Timestamp) -> Self {
        let provider = hooktide_providers::by_id(kind.provider()).expect("a provider");
        let simulator = provider.simulator(seed).expect("a simulator");
        let (owned, copies, is_out) = (BTreeMap::new(), BTreeSet::new(), false);
        let mut account =
            Self { kind, simulator, owned, copies, is_out, is_empty_until: Timestamp::UNIX_EPOCH, made: 0 };
        for number in 0..calendars {
            let name = format!("Own {number}");
            let id = match kind {
                Kind::Google => account.edit("calendar", None, Some(json!({ "summary": name })), now),
                Kind::Graph | Kind::Caldav => account.edit("calendar", None, Some(json!({ "name": name })), now),
                Kind::Ics => account.empty_feed(now),
            };
            account.owned.insert(id, BTreeMap::new());
        }
        account.simulator.take_notifications(now);
        account
    }

    /// Takes the events out of a feed that are there from the start.
    fn empty_feed(&mut self, now: Timestamp) -> String {
        let state = self.simulator.state();
        for uid in state["events"].as_object().expect("events").keys() {
            self.edit("event", Some(uid.clone()), None, now);
        }
        "feed".to_owned()
    }

    fn edit(&mut self, what: &str, id: Option<String>, fields: Option<Value>, now: Timestamp) -> String {
        let fields = fields.map(|fields| fields.as_object().cloned().expect("fields"));
        let edit = Edit { what: what.to_owned(), id, fields };
        self.simulator.edit(&edit, now).unwrap_or_else(|why| panic!("{edit:?}: {why}"))
    }

    /// The entries of a calendar.
    pub fn entries(&mut self, calendar: &str) -> &mut BTreeMap<String, Entry> {
        self.owned.get_mut(calendar).expect("a calendar")
    }

    /// Makes an entry; returns its id.
    pub fn make(&mut self, calendar: &str, entry: Entry, now: Timestamp) -> String {
        self.made += 1;
        let mut fields = self.form(calendar, &entry, &format!("own-{}@example.com", self.made), now);
        if self.kind != Kind::Ics {
            fields.insert("calendar".to_owned(), calendar.into());
        }
        fields.retain(|_, value| !value.is_null());
        let id = self.edit("event", None, Some(fields.into()), now);
        assert!(entry.others.is_empty() || self.kind == Kind::Caldav, "an entry is made without what differs");
        self.entries(calendar).insert(id.clone(), entry);
        id
    }

    /// Makes an entry otherwise.
    pub fn put(&mut self, calendar: &str, id: &str, entry: Entry, now: Timestamp) {
        let uid = self.uid(calendar, id);
        let fields = self.form(calendar, &entry, &uid, now);
        self.edit("event", Some(id.to_owned()), Some(fields.into()), now);
        self.entries(calendar).insert(id.to_owned(), entry);
    }

    /// Moves an occurrence, or cancels it.
    pub fn set_other(&mut self, calendar: &str, id: &str, (day, to): (Date, Option<Stretch>), now: Timestamp) {
        let mut entry = self.owned[calendar][id].clone();
        let original = day.to_datetime(entry.at.start.time());
        entry.others.insert(day, to);
        let (start, own) = id.split_once('/').unwrap_or_default();
        let occurrence = match self.kind {
            Kind::Google if entry.all_day => format!("{id}_{}", original.strftime("%Y%m%d")),
            Kind::Google => format!("{id}_{}", entry.instant(original).strftime("%Y%m%dT%H%M%SZ")),
            Kind::Graph => format!("{start}/OID.{own}.{day}"),
            Kind::Caldav | Kind::Ics => return self.put(calendar, id, entry, now),
        };
        let times = to.map(|to| match self.kind {
            Kind::Google => forms::google_times(&entry, to),
            Kind::Graph | Kind::Caldav | Kind::Ics => forms::graph_times(&entry, to),
        });
        self.edit("event", Some(occurrence), times.map(Value::Object), now);
        self.entries(calendar).insert(id.to_owned(), entry);
    }

    /// Deletes an entry.
    pub fn delete(&mut self, calendar: &str, id: &str, now: Timestamp) {
        self.edit("event", Some(id.to_owned()), None, now);
        self.entries(calendar).remove(id);
    }

    /// Moves an entry to another calendar of the account: by the provider's own way, where it has one. Returns its id there.
    pub fn relocate(&mut self, (from, to): (&str, &str), id: &str, now: Timestamp) -> String {
        let entry = self.owned[from][id].clone();
        if self.kind != Kind::Graph {
            self.delete(from, id, now);
            return self.make(to, entry, now);
        }
        let moved = self.edit("event", Some(id.to_owned()), Some(json!({ "calendar": to })), now);
        self.entries(from).remove(id);
        self.entries(to).insert(moved.clone(), entry);
        moved
    }

    /// Copies something that has this `UID` into a calendar, without any mark.
    pub fn copy(&mut self, calendar: &str, entry: &Entry, uid: &str, now: Timestamp) {
        let mut fields = self.form(calendar, entry, uid, now);
        match self.kind {
            Kind::Google => drop(fields.insert("iCalUID".to_owned(), uid.into())),
            Kind::Ics => drop(fields.insert("UID".to_owned(), uid.into())),
            Kind::Caldav => {}
            Kind::Graph => return,
        }
        if self.kind != Kind::Ics {
            fields.insert("calendar".to_owned(), calendar.into());
        }
        fields.retain(|_, value| !value.is_null());
        let id = self.edit("event", None, Some(fields.into()), now);
        self.copies.insert(id);
    }

    /// Deletes or moves something that is no entry of the owner's.
    pub fn touch(&mut self, calendar: &str, id: &str, to: Option<&Entry>, now: Timestamp) {
        let id = part::entity_id(calendar, id);
        let fields = to.map(|to| match self.kind {
            Kind::Google => forms::google_times(to, to.at),
            Kind::Graph => forms::graph_times(to, to.at),
            Kind::Caldav | Kind::Ics => forms::ical(to, to.at),
        });
        self.edit("event", Some(id), fields.map(Value::Object), now);
    }

    fn form(&self, calendar: &str, entry: &Entry, uid: &str, now: Timestamp) -> Fields {
        match self.kind {
            Kind::Google => forms::google(entry, calendar),
            Kind::Graph => forms::graph(entry),
            Kind::Caldav => {
                let text = forms::ical_text(entry, uid, &now.strftime("%Y%m%dT%H%M%SZ").to_string());
                [("text".to_owned(), text.into())].into_iter().collect()
            }
            Kind::Ics => forms::ical(entry, entry.at),
        }
    }

    /// The `UID` of an entry that is there.
    fn uid(&self, calendar: &str, id: &str) -> String {
        let text = self.kind == Kind::Caldav;
        let name = part::ids_of(id).filter(|_| text).map(|(_, name)| name).unwrap_or_default();
        let state = if text { self.simulator.state() } else { Value::Null };
        let own = calendar.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let text = state["calendars"][own]["members"][&name].as_str().unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("UID:"));
        line.unwrap_or_default().to_owned()
    }

    /// Answers a request.
    pub fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.simulator.answer(request, now)
    }
}
