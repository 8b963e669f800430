//! A feed that somebody publishes, in memory, with the habits of those who serve feeds.

mod feed;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use http::{HeaderName, Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::feed::Feed;
use crate::simulator::meter::Meter;
use crate::simulator::plain::{self, with};
use crate::simulator::{Edit, Simulator};

/// How large an answer is that is too large.
const HUGE: usize = 30 * 1024 * 1024;

/// The calendar that is published. It is at every path.
pub(super) struct Account {
    meter: Meter,
    feed: Feed,
    is_closed: bool,
}

impl Account {
    /// A calendar with a few events, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { meter: Meter::default(), feed: Feed::new(seed), is_closed: false }
    }

    fn answer_to(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.method() != Method::GET || !request.body().is_empty() {
            return answer(405, "", "");
        }
        if self.meter.take("GET feed", now).is_err() {
            return with(answer(429, "text/plain", "Slow down."), HeaderName::from_static("retry-after"), "60");
        }
        if self.is_closed {
            return answer(403, "text/html", "<html><body>Sign in</body></html>");
        }
        let has = |habit: &str| self.feed.habits.has(habit);
        let text = self.feed.text(now);
        if has("moved") && request.uri().path() != "/elsewhere" {
            return with(answer(302, "text/html", ""), LOCATION, "/elsewhere");
        }
        if has("html") {
            return answer(200, "text/html", "<!DOCTYPE html><html><body>BEGIN:VCALENDAR END:VCALENDAR</body></html>");
        }
        if has("empty") {
            return answer(200, "text/calendar", "");
        }
        if has("no-events") {
            return answer(200, "text/calendar", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");
        }
        if has("cut") {
            return answer(200, "text/calendar", &text[..text.len() / 2]);
        }
        if has("huge") {
            return answer(200, "text/calendar", &"X".repeat(HUGE));
        }
        let (etag, modified) = (self.feed.etag(), self.feed.modified());
        let given = |name: HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
        let is_same = match given(IF_NONE_MATCH) {
            Some(known) => !has("no-etag") && known == etag,
            None => !has("no-date") && given(IF_MODIFIED_SINCE) == Some(&modified),
        };
        let mut answer = if is_same { answer(304, "", "") } else { answer(200, "text/calendar; charset=utf-8", &text) };
        if !has("no-etag") {
            answer = with(answer, ETAG, &etag);
        }
        if !has("no-date") {
            answer = with(answer, LAST_MODIFIED, &modified);
        }
        answer
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        self.answer_to(request, now)
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match edit.what.as_str() {
            "event" => self.feed.edit_event(edit, now),
            "habit" => self.feed.habits.edit(edit),
            what => Err(format!("there is no {what} here; there are event and habit")),
        }
    }

    fn expire_credentials(&mut self) {
        self.is_closed = true;
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        json!({ "calls": self.meter.calls(), "events": self.feed.events, "habits": self.feed.habits.shown() })
    }
}

/// An answer with that status, of that kind.
fn answer(status: u16, kind: &str, body: &str) -> Response<Bytes> {
    let answer = plain::answer(status, body);
    if kind.is_empty() { answer } else { with(answer, CONTENT_TYPE, kind) }
}
