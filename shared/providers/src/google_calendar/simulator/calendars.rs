//! The calendars of an account, and the list of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event::Event;
use super::listing::{Listing, Tide};
use super::query::Query;
use super::refused::Refused;
use crate::protocols::percent::encoded;
use crate::simulator::drawn;

/// The path of the list of calendars.
pub(super) const LIST: &str = "users/me/calendarList";
/// What an account may do with a calendar, from less to more.
pub(super) const ROLES: &[&str] =
    &["none", "freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"];
/// The parameters of the list of calendars.
pub(super) const PARAMETERS: &str =
    "maxResults minAccessRole pageToken showDeleted showHidden showOwnOrganizationOnly syncToken";
/// The fields of an entry that are this account's own. A list of changes tells of them only.
const OWN: &[&str] = &["summaryOverride", "hidden", "selected"];
/// The ends of the ids of calendars that nobody can watch: holidays, birthdays and the like, and rooms.
const UNWATCHED: &[&str] = &["@group.v.calendar.google.com", "@resource.calendar.google.com"];
/// How many calendars a page has by default, and at the most.
const PAGE: (usize, usize) = (100, 250);

/// The calendars of an account.
pub(super) struct Calendars {
    seed: u64,
    made: u64,
    pub(super) tide: Tide,
    pub(super) all: BTreeMap<String, Calendar>,
    /// The paths whose watchers are to be told.
    touched: BTreeSet<String>,
}

/// A calendar, as it is in the account's list.
pub(super) struct Calendar {
    pub(super) id: String,
    /// The fields of the list: some are the calendar's, others are this account's view of it.
    pub(super) entry: Value,
    /// The change that touched the entry last.
    changed: u64,
    pub(super) is_removed: bool,
    pub(super) events: BTreeMap<String, Event>,
}

impl Calendar {
    /// A field of its entry.
    pub(super) fn text(&self, name: &str) -> &str {
        self.entry[name].as_str().unwrap_or_default()
    }

    /// The place of the account's role among all roles.
    fn role(&self) -> usize {
        ROLES.iter().position(|role| *role == self.text("accessRole")).unwrap_or_default()
    }

    /// The path of its events.
    pub(super) fn path(&self) -> String {
        format!("calendars/{}/events", encoded(&self.id))
    }

    /// The entry as the list shows it.
    fn shown(&self) -> Value {
        let (kind, etag) = ("calendar#calendarListEntry", etag(self.changed));
        if self.is_removed {
            return json!({ "kind": kind, "etag": etag, "id": self.id, "deleted": true });
        }
        let mut shown = self.entry.clone();
        (shown["kind"], shown["etag"], shown["id"]) = (kind.into(), etag.into(), self.id.clone().into());
        shown
    }
}

impl Calendars {
    pub(super) fn new(seed: u64) -> Self {
        let (all, touched) = (BTreeMap::new(), BTreeSet::new());
        Self { seed, made: 0, tide: Tide::default(), all, touched }
    }

    /// A new id of so many letters and digits.
    pub(super) fn fresh_id(&mut self, length: usize) -> String {
        self.made += 1;
        // Ids of events have no letters beyond v.
        let letter = |letter: char| if letter > 'v' { char::from(b'0' + (letter as u8 - b'w')) } else { letter };
        drawn::id(self.seed, &format!("id {}", self.made), length).to_lowercase().chars().map(letter).collect()
    }

    /// The number of a change that happens now.
    pub(super) fn next_change(&mut self) -> u64 {
        self.tide.changes += 1;
        self.tide.changes
    }

    /// Remembers that what is at a path has changed.
    pub(super) fn touch(&mut self, path: String) {
        self.touched.insert(path);
    }

    /// The paths of what has changed since they were last taken.
    pub(super) fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched)
    }

    /// Sets fields of a calendar's entry; makes the calendar if there is none.
    pub(super) fn put(&mut self, id: &str, fields: &Map<String, Value>) {
        let is_new = !self.all.contains_key(id);
        let is_own = is_new || fields.keys().any(|name| OWN.contains(&name.as_str()));
        let changed = if is_own { self.next_change() } else { 0 };
        let of = self.all.entry(id.to_owned()).or_insert_with(|| Calendar {
            id: id.to_owned(),
            entry: json!({ "timeZone": "UTC", "accessRole": "owner", "selected": true, "defaultReminders": [] }),
            changed,
            is_removed: false,
            events: BTreeMap::new(),
        });
        for (name, value) in fields {
            of.entry[name.as_str()] = value.clone();
        }
        of.changed = of.changed.max(changed);
        let closed = (of.role() == 0).then(|| of.path());
        closed.into_iter().for_each(|path| self.touch(path));
        if is_own {
            self.touch(LIST.to_owned());
        }
    }

    /// Ends all tokens of lists, and with them what only they would tell: which calendars were removed.
    pub(super) fn forget_tokens(&mut self) {
        self.tide.forgotten += 1;
        self.all.retain(|_, of| !of.is_removed);
    }

    /// Removes a calendar, with its events.
    pub(super) fn remove(&mut self, id: &str) {
        let changed = self.next_change();
        let Some(of) = self.all.get_mut(id) else { return };
        (of.changed, of.is_removed) = (changed, true);
        of.events.clear();
        let path = of.path();
        self.touch(path);
        self.touch(LIST.to_owned());
    }

    /// The calendar of that id, of which `primary` is another name for the main one.
    pub(super) fn of(&self, id: &str) -> Result<&Calendar, Refused> {
        let is_it = |of: &&Calendar| of.id == id || id == "primary" && of.entry["primary"] == true;
        let found = self.all.values().find(is_it).filter(|of| !of.is_removed && of.role() > 0);
        found.ok_or_else(Refused::not_found)
    }

    /// The id of a calendar that the account may write to.
    pub(super) fn writable(&self, id: &str) -> Result<String, Refused> {
        let of = self.of(id)?;
        match of.role() >= ROLES.len() - 3 {
            true => Ok(of.id.clone()),
            false => Err(Refused::new(403, "requiredAccessLevel", "You need to have writer access to this calendar.")),
        }
    }

    /// The path of a calendar that can be watched. Those that Google makes itself, and those of rooms, cannot.
    pub(super) fn watchable(&self, id: &str) -> Result<String, Refused> {
        let of = self.of(id)?;
        if UNWATCHED.iter().any(|end| of.id.ends_with(end)) {
            let message = "Push notifications are not supported by this resource.";
            return Err(Refused::new(400, "pushNotSupportedForRequestedResource", message));
        }
        Ok(of.path())
    }

    /// `GET calendars/{id}`.
    pub(super) fn get(&self, id: &str) -> Result<Value, Refused> {
        let of = self.of(id)?;
        let mut shown = json!({ "kind": "calendar#calendar", "etag": etag(of.changed), "id": of.id });
        for name in ["summary", "description", "location", "timeZone", "conferenceProperties"] {
            if let Some(value) = of.entry.get(name) {
                shown[name] = value.clone();
            }
        }
        Ok(shown)
    }

    /// `GET users/me/calendarList/{id}`. An entry is there although the calendar is closed to the account.
    pub(super) fn get_entry(&self, id: &str) -> Result<Value, Refused> {
        let found = self.of(id).ok().or_else(|| self.all.get(id).filter(|of| !of.is_removed));
        found.map(Calendar::shown).ok_or_else(Refused::not_found)
    }

    /// `GET users/me/calendarList`.
    pub(super) fn list(&self, query: &Query, now: Timestamp) -> Result<Value, Refused> {
        let (deleted, hidden) = (query.flag("showDeleted")?, query.flag("showHidden")?);
        if query.text("syncToken").is_some() {
            for name in ["minAccessRole", "showOwnOrganizationOnly"] {
                if query.text(name).is_some() {
                    let message = "Sync token cannot be used with query restrictions.";
                    return Err(Refused::parameter(name, message));
                }
            }
            for (name, shows) in [("showDeleted", deleted), ("showHidden", hidden)] {
                if shows == Some(false) {
                    return Err(Refused::parameter(name, "Sync token requires showDeleted and showHidden."));
                }
            }
        }
        let least = match query.text("minAccessRole") {
            None => 0,
            Some(role) => ROLES
                .iter()
                .position(|known| *known == role)
                .ok_or_else(|| Refused::parameter("minAccessRole", format!("Invalid value '{role}'.")))?,
        };
        let listing = Listing::of(query, LIST, PAGE, self.tide, now)?;
        let fits = |of: &&Calendar| match listing.since {
            Some(since) => of.changed > since,
            None => {
                (deleted == Some(true) || !of.is_removed)
                    && (hidden == Some(true) || of.entry["hidden"] != true)
                    && of.role() >= least
            }
        };
        let mut list = listing.page(self.all.values().filter(fits).map(|of| (of.id.clone(), of.shown())).collect());
        (list["kind"], list["etag"]) = ("calendar#calendarList".into(), etag(self.tide.changes).into());
        Ok(list)
    }
}

/// The mark of what a change left.
pub(super) fn etag(changed: u64) -> String {
    format!("\"{}\"", 3_500_000_000_000_000 + 2 * changed)
}
