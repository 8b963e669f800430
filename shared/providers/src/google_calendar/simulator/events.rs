//! Reading events: the list of a calendar, and single ones.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::calendars::{Calendar, Calendars, etag};
use super::listing::Listing;
use super::query::Query;
use super::refused::Refused;
use super::zone;

/// The parameters of a list of events.
pub(super) const PARAMETERS: &str = "alwaysIncludeEmail eventTypes iCalUID maxAttendees maxResults orderBy pageToken \
    privateExtendedProperty q sharedExtendedProperty showDeleted showHiddenInvitations singleEvents \
    syncToken timeMax timeMin timeZone updatedMin";
/// The parameters of a single event.
pub(super) const OF_ONE: &str = "alwaysIncludeEmail maxAttendees timeZone";
/// The parameters that a list of changes cannot have.
const RESTRICTIONS: &str =
    "iCalUID orderBy privateExtendedProperty q sharedExtendedProperty timeMin timeMax updatedMin";
/// How many events a page has by default, and at the most.
const PAGE: (usize, usize) = (250, 2_500);
/// How far back changes can be asked for by their dates.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(28 * 24);

impl Calendars {
    /// `GET calendars/{id}/events`.
    pub(super) fn list_events(&self, calendar: &str, query: &Query, now: Timestamp) -> Result<Value, Refused> {
        let of = self.of(calendar)?;
        let filter = Filter::of(query, now)?;
        let listing = Listing::of(query, &of.path(), PAGE, self.tide, now)?;
        let fits = |value: &Value, changed: u64| match listing.since {
            Some(since) => changed > since,
            None => filter.fits(value, of.text("timeZone")),
        };
        let row = |value: &Value| {
            let id = value["id"].as_str().unwrap_or_default();
            let before = if filter.by_update { value["updated"].as_str().unwrap_or_default() } else { "" };
            (format!("{before} {id}"), shown(of, value, filter.most_attendees))
        };
        let kept = of.events.values().filter(|event| !event.is_purged);
        let events = kept.filter(|event| fits(&event.value, event.changed));
        let mut list = listing.page(events.map(|event| row(&event.value)).collect());
        (list["kind"], list["etag"]) = ("calendar#events".into(), etag(self.tide.changes).into());
        list["updated"] = format!("{now:.3}").into();
        for name in ["summary", "description", "timeZone", "accessRole", "defaultReminders"] {
            if let Some(value) = of.entry.get(name) {
                list[name] = value.clone();
            }
        }
        Ok(list)
    }

    /// `GET calendars/{id}/events/{event}`. A deleted event is there, as cancelled.
    pub(super) fn get_event(&self, calendar: &str, id: &str, query: &Query) -> Result<Value, Refused> {
        let of = self.of(calendar)?;
        let most = query.number("maxAttendees", usize::MAX)?;
        self.existing(&of.id, id).map(|value| shown(of, &value, most))
    }
}

/// An event as an answer has it.
pub(super) fn shown(of: &Calendar, value: &Value, most_attendees: Option<usize>) -> Value {
    if value["status"] == "cancelled" {
        // Nobody is promised more of what is deleted.
        let mut stub = json!({ "kind": "calendar#event", "status": "cancelled" });
        for name in ["id", "etag", "recurringEventId", "originalStartTime"] {
            if let Some(value) = value.get(name) {
                stub[name] = value.clone();
            }
        }
        return stub;
    }
    let mut shown = value.clone();
    let hides = ["freeBusyReader", "reader", "writerWithoutPrivateAccess"].contains(&of.text("accessRole"));
    if hides && ["private", "confidential"].iter().any(|hidden| value["visibility"] == *hidden) {
        for name in ["summary", "description", "location", "attendees", "extendedProperties"] {
            shown.as_object_mut().map(|shown| shown.remove(name));
        }
    }
    if let Some(Value::Array(attendees)) = shown.get_mut("attendees")
        && most_attendees.is_some_and(|most| attendees.len() > most)
    {
        attendees.retain(|attendee| attendee["self"] == true);
        shown["attendeesOmitted"] = true.into();
    }
    shown
}

/// Which events a list has.
struct Filter<'a> {
    query: &'a Query,
    deleted: bool,
    by_update: bool,
    most_attendees: Option<usize>,
    updated_min: Option<Timestamp>,
    time_min: Option<Timestamp>,
    time_max: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn of(query: &'a Query, now: Timestamp) -> Result<Self, Refused> {
        if query.flag("singleEvents")? == Some(true) {
            return Err(Refused::parameter("singleEvents", "The simulator has series as a whole only."));
        }
        let deleted = query.flag("showDeleted")?;
        if query.text("syncToken").is_some() {
            if let Some(name) = RESTRICTIONS.split(' ').find(|name| query.text(name).is_some()) {
                let what = if name == "orderBy" { "non-default ordering" } else { "query restrictions" };
                return Err(Refused::parameter(name, format!("Sync token cannot be used with {what}.")));
            }
            if deleted == Some(false) {
                return Err(Refused::parameter("showDeleted", "Sync token requires showDeleted."));
            }
        }
        let by_update = match query.text("orderBy") {
            None => false,
            Some("updated") => true,
            Some(_) => {
                let message = "The requested ordering is not available for the particular query.";
                return Err(Refused::parameter("orderBy", message));
            }
        };
        let updated_min = query.time("updatedMin")?;
        if updated_min.is_some_and(|min| min < now.checked_sub(REMEMBERED).unwrap_or(now)) {
            let message = "The requested minimum modification time lies too far in the past.";
            return Err(Refused::new(410, "updatedMinTooLongAgo", message).at("updatedMin"));
        }
        let (time_min, time_max) = (query.time("timeMin")?, query.time("timeMax")?);
        if time_min.zip(time_max).is_some_and(|(min, max)| min >= max) {
            return Err(Refused::new(400, "timeRangeEmpty", "The specified time range is empty.").at("timeMax"));
        }
        Ok(Self {
            query,
            deleted: deleted == Some(true) || updated_min.is_some(),
            by_update,
            most_attendees: query.number("maxAttendees", usize::MAX)?,
            updated_min,
            time_min,
            time_max,
        })
    }

    fn fits(&self, event: &Value, zone: &str) -> bool {
        let is = |name: &str, field: &Value| self.query.text(name).is_none_or(|wanted| field == wanted);
        let has = |name: &str, sort: &str| {
            self.query.all(name).all(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                event["extendedProperties"][sort][key] == value
            })
        };
        let mut types = self.query.all("eventTypes").peekable();
        let of_type = types.peek().is_none() || types.any(|sort| event["eventType"] == sort);
        let says = |wanted: &str| {
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_lowercase();
            ["summary", "description", "location"].iter().any(|name| text(name).contains(&wanted.to_lowercase()))
        };
        let time = |name: &str| zone::time(&event[name], zone);
        // A series may go on for ever.
        let recurs = event["recurrence"].is_array();
        let is_shown = event["status"] != "cancelled" || event["recurringEventId"].is_string();
        let updated = event["updated"].as_str().and_then(|updated| updated.parse::<Timestamp>().ok());
        (self.deleted || is_shown)
            && is("iCalUID", &event["iCalUID"])
            && has("privateExtendedProperty", "private")
            && has("sharedExtendedProperty", "shared")
            && of_type
            && self.query.text("q").is_none_or(says)
            && self.updated_min.is_none_or(|min| updated.is_some_and(|updated| updated >= min))
            && self.time_min.is_none_or(|min| recurs || time("end").is_some_and(|end| end > min))
            && self.time_max.is_none_or(|max| time("start").is_some_and(|start| start < max))
    }
}
