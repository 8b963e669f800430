//! The calls of the API, by their paths.

use bytes::Bytes;
use http::header::{HOST, IF_MATCH};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::delta::{self, Token};
use super::mailbox::Found;
use super::query::{Query, prefer};
use super::refused::Refused;
use super::shown::Prefer;
use super::writes::By;
use super::{Account, lists};
use crate::protocols::query::decoded_path;
use crate::simulator::json::object;

/// The path below which the API is.
const API: &str = "/v1.0/";
/// The address of the API, where a request does not say at which one it was called.
const ADDRESS: &str = "https://graph.microsoft.com";

/// The status of an answer, with its body if it has one.
type Answered = Result<(u16, Option<Value>), Refused>;

/// A call, as far as all of them are alike.
struct Call<'a> {
    request: &'a Request<Bytes>,
    prefer: Prefer,
    now: Timestamp,
}

impl Account {
    /// The answer to a call.
    pub(super) fn call(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answered {
        let path = request.uri().path().strip_prefix(API).ok_or_else(Refused::no_resource)?;
        let parts: Option<Vec<String>> = path.split('/').map(decoded_path).collect();
        let parts = parts.ok_or_else(Refused::no_resource)?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        if let Err(after) = self.meter.take(&kind(request.method(), &parts), now) {
            return Err(Refused::limited(after));
        }
        self.access.check(request, now)?;
        let call = Call { request, prefer: prefer(request)?, now };
        match &parts[..] {
            ["subscriptions", rest @ ..] => self.subscription(&call, rest),
            ["me", "calendars"] | ["users", _, "calendars"] => self.calendars(&call),
            ["me" | "users", ..] => {
                let rest = if parts[0] == "me" { &parts[1..] } else { parts.get(2..).unwrap_or_default() };
                match rest {
                    ["calendars", id, rest @ ..] => self.of_calendar(&call, Some(id), rest),
                    ["calendar", rest @ ..] => self.of_calendar(&call, None, rest),
                    // Those are of whatever calendar.
                    ["events", id, rest @ ..] => {
                        let found = self.mailbox.find(None, id)?;
                        self.event(&call, &found, rest)
                    }
                    rest => self.of_calendar(&call, None, rest),
                }
            }
            _ => Err(Refused::no_resource()),
        }
    }

    /// `/me/calendars`.
    fn calendars(&self, call: &Call<'_>) -> Answered {
        if call.request.method() != Method::GET {
            return Err(Refused::no_resource());
        }
        let query = Query::of(call.request, "$select $top $skip")?;
        let all = self.mailbox.calendars.keys().map(|id| self.mailbox.shown(id)).collect();
        lists::page(all, &query, &call.prefer, &call.address()).map(found)
    }

    /// Calls about a calendar.
    fn of_calendar(&mut self, call: &Call<'_>, id: Option<&str>, rest: &[&str]) -> Answered {
        let calendar = self.mailbox.calendar(id)?;
        let (request, prefer) = (call.request, &call.prefer);
        match (request.method(), rest) {
            (&Method::GET, []) => Query::of(request, "$select")?.select(self.mailbox.shown(&calendar)).map(found),
            (&Method::GET, ["calendarView"]) => {
                let query = Query::of(request, lists::OF_WINDOW)?;
                let all = self.mailbox.view(&calendar, query.window()?, prefer);
                lists::page(all, &query, prefer, &call.address()).map(found)
            }
            (&Method::GET, ["calendarView", "delta" | "delta()"]) => self.delta(call, &calendar),
            (&Method::GET, ["events"]) => {
                let query = Query::of(request, lists::PARAMETERS)?;
                let all = self.mailbox.list(&calendar, &query, prefer)?;
                lists::page(all, &query, prefer, &call.address()).map(found)
            }
            (&Method::POST, ["events"]) => {
                let id = self.mailbox.create(&calendar, &body(request)?, By::App, call.now)?;
                let shown = self.mailbox.event(&id)?.shown(None, prefer);
                Ok((201, Some(shown)))
            }
            (_, ["events", event, rest @ ..]) => {
                let found = self.mailbox.find(Some(&calendar), event)?;
                self.event(call, &found, rest)
            }
            _ => Err(Refused::no_resource()),
        }
    }

    fn delta(&self, call: &Call<'_>, calendar: &str) -> Answered {
        let query = Query::of(call.request, delta::PARAMETERS)?;
        let given = query.text("$skiptoken").or(query.text("$deltatoken"));
        let token = match given {
            Some(token) => Token::read(token, calendar, self.mailbox.changes, self.habits)?,
            None => Token::begin(calendar, query.window()?, self.mailbox.changes, self.habits),
        };
        Ok(found(self.mailbox.round(&token, self.habits, &call.prefer, &call.address())))
    }

    /// Calls about an event, or an occurrence of a series.
    fn event(&mut self, call: &Call<'_>, event: &Found, rest: &[&str]) -> Answered {
        let (request, prefer, now) = (call.request, &call.prefer, call.now);
        let if_match = request.headers().get(IF_MATCH).and_then(|etag| etag.to_str().ok());
        match (request.method(), rest) {
            (&Method::GET, []) => self.mailbox.get(event, &Query::of(request, lists::OF_ONE)?, prefer).map(found),
            (&Method::GET, ["instances"]) => {
                let query = Query::of(request, lists::OF_WINDOW)?;
                let all = self.mailbox.instances(event, query.window()?, prefer)?;
                lists::page(all, &query, prefer, &call.address()).map(found)
            }
            (&Method::PATCH, []) => {
                self.mailbox.check_version(event, if_match)?;
                self.mailbox.change(event, &body(request)?, By::App, now)?;
                self.mailbox.get(event, &Query::of(request, "")?, prefer).map(found)
            }
            (&Method::DELETE, []) => {
                self.mailbox.check_version(event, if_match)?;
                self.mailbox.delete(event, By::App, now)?;
                Ok((204, None))
            }
            _ => Err(Refused::no_resource()),
        }
    }

    /// `/subscriptions`.
    fn subscription(&mut self, call: &Call<'_>, rest: &[&str]) -> Answered {
        let (request, now) = (call.request, call.now);
        match (request.method(), rest) {
            (&Method::GET, []) => {
                Query::of(request, "$skiptoken")?;
                self.subscriptions.end_past(now);
                Ok(found(json!({ "value": self.subscriptions.list() })))
            }
            (&Method::POST, []) => {
                let mailbox = &self.mailbox;
                let calendar = |id: &str| mailbox.calendar((!id.is_empty()).then_some(id));
                let made = self.subscriptions.create(&body(request)?, calendar, call.prefer.is_immutable, now)?;
                self.notifications.ask_for_signs(&made);
                Ok((201, Some(made)))
            }
            (&Method::GET, [id]) => self.subscriptions.get(id, now).map(found),
            (&Method::PATCH, [id]) => {
                let renewed = self.subscriptions.renew(id, &body(request)?, now)?;
                self.notifications.release(id);
                Ok(found(renewed))
            }
            (&Method::POST, [id, "reauthorize"]) => {
                self.subscriptions.reauthorise(id, now)?;
                self.notifications.release(id);
                Ok((204, None))
            }
            (&Method::DELETE, [id]) => self.subscriptions.remove(id, now).map(|()| (204, None)),
            _ => Err(Refused::no_resource()),
        }
    }
}

impl Call<'_> {
    /// The address that was called, without its query.
    fn address(&self) -> String {
        let uri = self.request.uri();
        let host = self.request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let origin = match (uri.scheme_str(), uri.authority(), host) {
            (Some(scheme), Some(authority), _) => format!("{scheme}://{authority}"),
            (_, _, Some(host)) => format!("http://{host}"),
            _ => ADDRESS.to_owned(),
        };
        format!("{origin}{}", uri.path())
    }
}

fn found(body: Value) -> (u16, Option<Value>) {
    (200, Some(body))
}

/// The body of a request, as an object.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refused> {
    object(request).ok_or_else(|| Refused::new(400, "BadRequest", "Unable to read JSON request payload."))
}

/// The sort of a call, for whoever counts.
fn kind(method: &Method, parts: &[&str]) -> String {
    let is_after = |at: usize, names: &[&str]| at > 0 && names.contains(&parts[at - 1]);
    let is_id = |at: usize| is_after(at, &["calendars", "events", "subscriptions", "users"]);
    let named: Vec<&str> = (0..parts.len().min(8)).map(|at| if is_id(at) { "{id}" } else { parts[at] }).collect();
    format!("{method} {}", named.join("/"))
}
