//! A CalDAV server with somebody's account, in memory, with the habits that servers have.

mod collection;
mod edits;
mod listing;
mod reports;
mod resources;
#[cfg(test)]
mod tests;
mod xml;

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::collection::Collection;
use super::{APP_PASSWORD, PROFILE};
use crate::simulator::habits::Habits;
use crate::simulator::meter::Meter;
use crate::simulator::plain::{answer as plain, with};
use crate::simulator::{Edit, Simulator, drawn};

/// The path that leads to the server's calendars.
const WELL_KNOWN: &str = "/.well-known/caldav";
/// How the name of a host begins that keeps accounts on other hosts.
const FRONT: &str = "dav.";
/// How the name of the host begins that keeps this account.
const BACK: &str = "p07-dav.";

/// What a server may do: answer writes with etags, though it rewrites what is put; know no tokens for changes, or no marks of a
/// calendar's state; not say which calendar is the main one; refuse tokens with 412 in place of 403; name members by whole
/// addresses.
const HABITS: &[&str] = &["etag-on-put", "no-sync", "no-ctag", "no-main", "odd-refusals", "whole-addresses"];

/// The account.
pub(super) struct Account {
    meter: Meter,
    /// The number in the account's paths.
    number: String,
    calendars: BTreeMap<String, Collection>,
    habits: Habits,
    seed: u64,
    made: u64,
    is_expired: bool,
}

/// A refusal, or another answer that ends a request.
type Refused = Box<Response<Bytes>>;
type Answered = Result<Response<Bytes>, Refused>;

/// A request, taken apart.
struct Call<'a> {
    request: &'a Request<Bytes>,
    host: String,
    path: String,
    now: Timestamp,
}

impl Account {
    /// An account with two calendars and a list of tasks, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        let number = (10_000 + drawn::number(seed, "account", 90_000)).to_string();
        let (meter, habits) = (Meter::default(), Habits::of(HABITS));
        Self { meter, number, calendars: collection::seeded(seed), habits, seed, made: 0, is_expired: false }
    }

    fn has(&self, habit: &str) -> bool {
        self.habits.has(habit)
    }

    fn principal(&self) -> String {
        format!("/{}/principal/", self.number)
    }

    fn home(&self) -> String {
        format!("/{}/calendars/", self.number)
    }

    fn call(&mut self, call: &Call<'_>) -> Answered {
        let method = call.request.method().as_str();
        let kind = format!("{method} {}", self.kind(&call.path));
        if let Err(seconds) = self.meter.take(&kind, call.now) {
            return Err(Box::new(with(plain(429, "Slow down."), RETRY_AFTER, &seconds.to_string())));
        }
        if call.path == WELL_KNOWN {
            return Err(Box::new(with(plain(301, ""), LOCATION, "/")));
        }
        self.check_user(call)?;
        let home = self.home();
        if let Some(rest) = call.path.strip_prefix(&home) {
            if let Some(back) = back_of(&call.host) {
                return Err(Box::new(with(plain(301, ""), LOCATION, &format!("https://{back}{}", call.path))));
            }
            let rest = rest.to_owned();
            return match rest.split_once('/') {
                None if rest.is_empty() => self.list_home(call),
                None => Err(no(404, "")),
                Some((calendar, "")) => match method {
                    "PROPFIND" => self.list_calendar(call, calendar),
                    "REPORT" => self.report(call, calendar),
                    _ => Err(no(405, "")),
                },
                Some((calendar, name)) => self.resource(call, (calendar, name)),
            };
        }
        match call.path.as_str() {
            "/" => self.root(call),
            path if path == self.principal() => self.of_principal(call),
            _ => Err(no(404, "")),
        }
    }

    /// Refuses whoever is a stranger.
    fn check_user(&self, call: &Call<'_>) -> Result<(), Refused> {
        let passwords = PROFILE.sample_credentials.iter().filter(|(name, _)| *name == APP_PASSWORD);
        let expected = passwords.map(|(_, password)| format!("{}:{password}", PROFILE.sample_account));
        let given = call.request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| BASE64.decode(value.strip_prefix("Basic ")?.as_bytes()).ok());
        let is_known = expected.into_iter().any(|pair| given.as_deref() == Some(pair.as_bytes()));
        if is_known && !self.is_expired {
            return Ok(());
        }
        Err(Box::new(with(plain(401, "Unauthorized"), WWW_AUTHENTICATE, "Basic realm=\"dav\"")))
    }

    /// The sort of a path, for whoever counts.
    fn kind(&self, path: &str) -> &'static str {
        match path.strip_prefix(&self.home()) {
            Some("") => "home",
            Some(rest) if rest.ends_with('/') => "calendar",
            Some(_) => "event",
            None => "server",
        }
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let named = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or(named).unwrap_or_default().to_ascii_lowercase();
        let path = xml::decoded(request.uri().path());
        self.call(&Call { request, host, path, now }).unwrap_or_else(|refused| *refused)
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match edit.what.as_str() {
            "event" => self.edit_event(edit, now),
            "calendar" => self.edit_calendar(edit),
            "habit" => self.habits.edit(edit),
            "tokens" => {
                self.calendars.values_mut().for_each(Collection::forget_tokens);
                Ok("tokens".to_owned())
            }
            what => Err(format!("there is no {what} here; there are event, calendar, habit and tokens")),
        }
    }

    fn expire_credentials(&mut self) {
        self.is_expired = true;
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        let calendars: Value = self.calendars.iter().map(|(id, of)| (id.clone(), of.shown())).collect();
        json!({ "calls": self.meter.calls(), "home": self.home(), "calendars": calendars, "habits": self.habits.shown() })
    }
}

/// The host that keeps the account, where that which was asked does not.
fn back_of(host: &str) -> Option<String> {
    host.strip_prefix(FRONT).map(|domain| format!("{BACK}{domain}"))
}

/// A refusal with the condition of WebDAV that is not met.
fn refused(status: u16, condition: &str) -> Refused {
    let answer = plain(status, &format!("<?xml version=\"1.0\"?><error {}>{condition}</error>", xml::NAMESPACES));
    Box::new(with(answer, CONTENT_TYPE, "application/xml; charset=utf-8"))
}

/// A refusal in words.
fn no(status: u16, text: &str) -> Refused {
    Box::new(plain(status, text))
}
