//! Channels: who watches what until when, and the messages that they get.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::query::is_among;
use super::refused::Refused;
use crate::google_calendar::{CHANNEL, EXPIRATION, NUMBER, RESOURCE, RESOURCE_URI, STATE, TOKEN};
use crate::simulator::drawn;
use crate::simulator::outbox::{Outbox, is_address};

/// The life of a channel by default, and at the most.
const LIFE: (SignedDuration, SignedDuration) =
    (SignedDuration::from_hours(7 * 24), SignedDuration::from_hours(30 * 24));
/// The longest id, and the longest token.
const LONGEST: (usize, usize) = (64, 256);
/// The fields of a channel.
const FIELDS: &str = "kind id type address token expiration params payload resourceId resourceUri";
/// The statuses after which a message is sent again.
const PASSING: &[u16] = &[500, 502, 503, 504];
/// How often a message is sent again.
const MOST_RETRIES: u32 = 8;

/// A channel that is open.
struct Channel {
    /// The path of what it watches.
    path: String,
    address: String,
    token: Option<String>,
    ends_at: Timestamp,
    /// The number of its last message.
    number: u64,
}

/// The channels of a project.
pub(super) struct Channels {
    seed: u64,
    open: BTreeMap<String, Channel>,
    /// How often messages were sent again, by channel and number.
    retries: BTreeMap<(String, String), u32>,
    outbox: Outbox,
    /// Whether messages are sent to the domain of the addresses.
    trusts: bool,
}

impl Channels {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, open: BTreeMap::new(), retries: BTreeMap::new(), outbox: Outbox::new(seed), trusts: true }
    }

    /// Sends messages to the domain of the addresses from now on, or opens no channel to it any more.
    pub(super) fn trust(&mut self, trusts: bool) {
        self.trusts = trusts;
    }

    /// `POST .../watch`: opens a channel, and sends its first message.
    pub(super) fn watch(&mut self, path: String, given: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(given)?;
        let id = text(given, "id")?.ok_or_else(|| missing("id"))?;
        if !(1..=LONGEST.0).contains(&id.len()) || !id.bytes().all(is_of_id) {
            return Err(Refused::new(400, "invalid", "Invalid channel id."));
        }
        if !["web_hook", "webhook"].contains(&text(given, "type")?.ok_or_else(|| missing("type"))?) {
            return Err(Refused::new(400, "invalid", "Invalid channel type."));
        }
        let address = text(given, "address")?.ok_or_else(|| missing("address"))?;
        if !is_address(address) || address.parse::<Uri>().is_err() {
            let message = format!("WebHook callback must be HTTPS: {address}");
            return Err(Refused::new(400, "push.webhookUrlNotHttps", message));
        }
        if !self.trusts {
            let message = format!("Unauthorized WebHook callback channel: {address}");
            return Err(Refused::new(401, "push.webhookUrlUnauthorized", message));
        }
        let token = text(given, "token")?.map(str::to_owned);
        if token.as_ref().is_some_and(|token| token.len() > LONGEST.1) {
            return Err(Refused::new(400, "invalid", "Invalid channel token."));
        }
        let ends_at = ends_at(given, now)?;
        self.close_past(now);
        if self.open.contains_key(id) {
            return Err(Refused::new(400, "channelIdNotUnique", format!("Channel id {id} not unique")));
        }
        let channel = Channel { path, address: address.to_owned(), token, ends_at, number: 1 };
        let mut answer = json!({
            "kind": "api#channel",
            "id": id,
            "resourceId": self.resource(&channel.path),
            "resourceUri": uri(&channel.path),
            "expiration": channel.ends_at.as_millisecond().to_string(),
        });
        if let Some(token) = &channel.token {
            answer["token"] = token.as_str().into();
        }
        let message = self.message(id, &channel, "sync");
        self.outbox.push(message);
        self.open.insert(id.to_owned(), channel);
        Ok(answer)
    }

    /// `POST channels/stop`.
    pub(super) fn stop(&mut self, given: &Map<String, Value>, now: Timestamp) -> Result<(), Refused> {
        known(given)?;
        let id = text(given, "id")?.ok_or_else(|| missing("id"))?;
        let resource = text(given, "resourceId")?.ok_or_else(|| missing("resourceId"))?;
        self.close_past(now);
        let is_it = self.open.get(id).is_some_and(|channel| self.resource(&channel.path) == resource);
        if !is_it {
            let message = format!("Channel '{id}' not found for project '1029384756'");
            return Err(Refused::new(404, "notFound", message));
        }
        self.open.remove(id);
        Ok(())
    }

    /// Tells the watchers of these paths that something changed there, or that nothing is left there to watch.
    pub(super) fn tell(&mut self, touched: &BTreeSet<String>, is_there: impl Fn(&str) -> bool, now: Timestamp) {
        self.close_past(now);
        let watching = self.open.iter().filter(|(_, channel)| touched.contains(&channel.path));
        let ids: Vec<String> = watching.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(mut channel) = self.open.remove(&id) else { continue };
            // Numbers grow, with gaps.
            channel.number += 1 + drawn::number(self.seed, &format!("{id} {}", channel.number), 5);
            let is_there = is_there(&channel.path);
            let message = self.message(&id, &channel, if is_there { "exists" } else { "not_exists" });
            self.outbox.push(message);
            if is_there {
                self.open.insert(id, channel);
            }
        }
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.take(now)
    }

    /// Sends a message again, after a longer time each time, if it met a passing trouble. After any other error it is lost.
    pub(super) fn delivered(&mut self, message: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        let header = |name| message.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = (header(CHANNEL).to_owned(), header(NUMBER).to_owned());
        let before = self.retries.remove(&key).unwrap_or_default();
        if status.is_none_or(|status| PASSING.contains(&status.as_u16())) && before < MOST_RETRIES {
            let wait = SignedDuration::from_secs(10 << before);
            self.outbox.push_at(message.clone(), now.checked_add(wait).unwrap_or(now));
            self.retries.insert(key, before + 1);
        }
    }

    /// The channels that are open.
    pub(super) fn shown(&self) -> Value {
        let shown = |(id, channel): (&String, &Channel)| {
            let Channel { path, address, ends_at, number, .. } = channel;
            json!({
                "id": id,
                "resourceId": self.resource(path),
                "path": path,
                "address": address,
                "expiration": ends_at.to_string(),
                "number": number,
            })
        };
        self.open.iter().map(shown).collect()
    }

    fn close_past(&mut self, now: Timestamp) {
        self.open.retain(|_, channel| now < channel.ends_at);
    }

    /// Google's id of what is at a path, the same for all channels.
    fn resource(&self, path: &str) -> String {
        drawn::id(self.seed, &format!("resource {path}"), 27)
    }

    fn message(
        &self,
        id: &str,
        channel: &Channel,
        state: &str,
    ) -> Result<Request<Bytes>, hooktide_model::fault::Fault> {
        let ends_at = channel.ends_at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut request = Request::post(&channel.address)
            .header("content-type", "application/json; charset=UTF-8")
            .header("user-agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)")
            .header(CHANNEL, id)
            .header(EXPIRATION, ends_at)
            .header(RESOURCE, self.resource(&channel.path))
            .header(RESOURCE_URI, uri(&channel.path))
            .header(STATE, state)
            .header(NUMBER, channel.number.to_string());
        if let Some(token) = &channel.token {
            request = request.header(TOKEN, token);
        }
        crate::sample::sent(request, Bytes::new())
    }
}

/// The address of what is watched.
fn uri(path: &str) -> String {
    format!("https://www.googleapis.com/calendar/v3/{path}?alt=json")
}

/// When a channel ends: at the time that is asked for, after the time to live that is asked for, or by default.
fn ends_at(given: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refused> {
    let invalid = || Refused::new(400, "invalid", "Invalid channel expiration.");
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let (default, most) = LIFE;
    let asked = match (given.get("expiration"), given.get("params").map(|params| &params["ttl"])) {
        (Some(at), _) => {
            let at = number(at).and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or_else(invalid)?;
            now.duration_until(at)
        }
        (None, Some(Value::Null) | None) => default,
        (None, Some(seconds)) => SignedDuration::from_secs(number(seconds).ok_or_else(invalid)?),
    };
    match asked > SignedDuration::ZERO {
        true => now.checked_add(asked.min(most)).map_err(|_| invalid()),
        false => Err(invalid()),
    }
}

fn known(given: &Map<String, Value>) -> Result<(), Refused> {
    match given.keys().find(|name| !is_among(FIELDS, name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
            Err(Refused::new(400, "badRequest", message))
        }
    }
}

fn text<'a>(given: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refused> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str() {
            Some("") => Ok(None),
            Some(text) => Ok(Some(text)),
            None => Err(Refused::new(400, "badRequest", format!("Invalid value at '{name}' (TYPE_STRING)"))),
        },
    }
}

fn missing(name: &str) -> Refused {
    Refused::new(400, "required", format!("Required: {name}"))
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte)
}
