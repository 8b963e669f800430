//! Somebody's account at Google Calendar, with its API, in memory.

mod access;
mod calendars;
mod channels;
mod edits;
mod event;
mod events;
mod fields;
mod listing;
mod query;
mod refused;
mod seed;
mod series;
#[cfg(test)]
mod tests;
mod writes;
mod zone;

use bytes::Bytes;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::access::Access;
use self::calendars::{Calendars, LIST};
use self::channels::Channels;
use self::fields::Fields;
use self::query::Query;
use self::refused::Refused;
use self::writes::{check_updates, check_version};
use crate::protocols::query::decoded_path;
use crate::simulator::meter::Meter;
use crate::simulator::plain::empty;
use crate::simulator::tokens::Giver;
use crate::simulator::{Edit, Simulator, json, query as parameters};

/// The path below which the API is.
const API: &str = "/calendar/v3/";
/// The parameters of a write.
const OF_WRITE: &str = "alwaysIncludeEmail conferenceDataVersion eventLabelVersion maxAttendees sendNotifications \
    sendUpdates supportsAttachments";

/// The account.
pub(super) struct Account {
    meter: Meter,
    /// How many calls were one too many.
    limited: u64,
    access: Access,
    calendars: Calendars,
    channels: Channels,
}

impl Account {
    /// An account with a few calendars, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        let (meter, access) = (Meter::default(), Access::new(seed));
        Self { meter, limited: 0, access, calendars: seed::calendars(seed), channels: Channels::new(seed) }
    }

    /// The answer to a call; without a body where there is nothing to say.
    fn call(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Option<Value>, Refused> {
        let path = request.uri().path().strip_prefix(API).ok_or_else(Refused::not_found)?;
        let parts: Option<Vec<String>> = path.split('/').map(decoded_path).collect();
        let parts = parts.ok_or_else(Refused::not_found)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if self.meter.take(&kind(request.method(), &parts), now).is_err() {
            self.limited += 1;
            return Err(Refused::limited(self.limited));
        }
        self.access.check(request, now)?;
        self.access.check_scope(request.method(), &parts)?;
        let pairs = parameters::parameters(request);
        let query = |known: &str| Query::of(pairs.clone(), known);
        let Self { calendars, channels, .. } = self;
        Ok(Some(match (request.method(), &parts[..]) {
            (&Method::GET, ["users", "me", "calendarList"]) => calendars.list(&query(calendars::PARAMETERS)?, now)?,
            (&Method::POST, ["users", "me", "calendarList", "watch"]) => {
                query(calendars::PARAMETERS)?;
                channels.watch(LIST.to_owned(), &body(request)?, now)?
            }
            (&Method::GET, ["users", "me", "calendarList", id]) => query("").and_then(|_| calendars.get_entry(id))?,
            (&Method::GET, ["calendars", id]) => query("").and_then(|_| calendars.get(id))?,
            (&Method::GET, ["calendars", id, "events"]) => {
                calendars.list_events(id, &query(events::PARAMETERS)?, now)?
            }
            (&Method::POST, ["calendars", id, "events", "watch"]) => {
                query(events::PARAMETERS)?;
                channels.watch(calendars.watchable(id)?, &body(request)?, now)?
            }
            (&Method::GET, ["calendars", id, "events", event]) => {
                calendars.get_event(id, event, &query(events::OF_ONE)?)?
            }
            (&Method::POST, ["channels", "stop"]) => {
                query("")?;
                channels.stop(&body(request)?, now)?;
                return Ok(None);
            }
            (method, ["calendars", id, "events", rest @ ..]) if rest.len() < 2 => {
                check_updates(&query(OF_WRITE)?)?;
                let id = calendars.writable(id)?;
                return write(calendars, (&id, rest), (method, request), now);
            }
            _ => return Err(Refused::not_found()),
        }))
    }

    /// Tells the watchers of what was touched.
    fn tell(&mut self, now: Timestamp) {
        let touched = self.calendars.take_touched();
        let calendars = &self.calendars;
        let is_there = |path: &str| {
            path == LIST || calendars.all.values().any(|of| of.path() == path && calendars.of(&of.id).is_ok())
        };
        self.channels.tell(&touched, is_there, now);
    }
}

/// A write to the events of a calendar: below its path, an event's id follows, if it has one already.
fn write(
    calendars: &mut Calendars,
    (calendar, rest): (&str, &[&str]),
    (method, request): (&Method, &Request<Bytes>),
    now: Timestamp,
) -> Result<Option<Value>, Refused> {
    let [id] = rest else {
        return match *method {
            Method::POST => calendars.insert(calendar, &body(request)?, now).map(Some),
            _ => Err(Refused::not_found()),
        };
    };
    let if_match = request.headers().get(IF_MATCH).and_then(|etag| etag.to_str().ok());
    check_version(&calendars.existing(calendar, id)?, if_match)?;
    match *method {
        Method::PATCH => calendars.change((calendar, id), &body(request)?, false, now).map(Some),
        Method::PUT => calendars.change((calendar, id), &body(request)?, true, now).map(Some),
        Method::DELETE => calendars.delete(calendar, id, now).map(|()| None),
        _ => Err(Refused::not_found()),
    }
}

/// The sort of a call, for whoever counts.
fn kind(method: &Method, parts: &[&str]) -> String {
    let is_id = |at: usize| match parts {
        ["users", ..] => at == 3 && parts[at] != "watch",
        ["calendars", ..] => at == 1 || at == 3 && parts[at] != "watch",
        _ => false,
    };
    let named: Vec<&str> = (0..parts.len().min(6)).map(|at| if is_id(at) { "{id}" } else { parts[at] }).collect();
    format!("{method} {}", named.join("/"))
}

/// The body of a request, as an object.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refused> {
    json::object(request).ok_or_else(|| Refused::new(400, "parseError", "Parse Error"))
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if let Some(answer) = self.access.answer(request, now) {
            return answer;
        }
        let pairs = parameters::parameters(request);
        let fields = pairs.iter().find(|(name, _)| name == "fields").map(|(_, fields)| fields.as_str());
        let answer = Fields::of(fields).and_then(|fields| Ok((fields, self.call(request, now)?)));
        self.tell(now);
        let known = request.headers().get(IF_NONE_MATCH).and_then(|etag| etag.to_str().ok());
        match answer {
            Ok((_, None)) => empty(StatusCode::NO_CONTENT),
            Ok((_, Some(body))) if known.is_some() && body["etag"].as_str() == known => empty(StatusCode::NOT_MODIFIED),
            Ok((fields, Some(body))) => json::answer(200, &fields.select(body)),
            Err(refused) => refused.into_answer(),
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = match (edit.what.as_str(), &edit.fields) {
            ("event", _) => self.calendars.edit_event(edit, now)?,
            ("calendar", _) => self.calendars.edit_calendar(edit)?,
            ("tokens", None) => {
                self.calendars.forget_tokens();
                edit.what.clone()
            }
            ("bin", None) => {
                self.calendars.empty_bin();
                edit.what.clone()
            }
            ("consent", None) => {
                self.access.revoke();
                edit.what.clone()
            }
            ("scope", _) => self.access.consents.edit(edit)?,
            ("domain", fields) => {
                self.channels.trust(fields.is_some());
                edit.what.clone()
            }
            _ => {
                let text = "what is edited is an event or a calendar; the tokens of lists, what is in the bin, the consent, a \
                            scope of it, and the trust in the domain of webhooks can be deleted";
                return Err(text.to_owned());
            }
        };
        self.tell(now);
        Ok(id)
    }

    fn expire_credentials(&mut self) {
        self.access.expire();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        let calendars = self.calendars.all.values();
        let calendars = calendars.map(|of| json!({ "id": of.id, "removed": of.is_removed, "events": of.events.len() }));
        json!({
            "calls": self.meter.calls(),
            "calendars": calendars.collect::<Vec<_>>(),
            "subscriptions": self.channels.shown(),
        })
    }
    fn take_notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.channels.take(now)
    }

    fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        self.channels.delivered(notification, status, now);
    }
}
