//! Google's Calendar API, version 3.

mod block;
mod errors;
mod moment;
mod oauth;
mod source;
mod subscriptions;
mod target;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::GoogleCalendar;
use crate::protocols::oauth2::OAuth;
use crate::protocols::percent::encoded;
use crate::protocols::rest;
use crate::{Answer, Api, Ask, Base, Refusal};

impl Api for GoogleCalendar {
    fn base(&self) -> Base {
        Base::Fixed("https://www.googleapis.com")
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        errors::sort(answer)
    }

    fn oauth(&self) -> Option<&'static OAuth> {
        Some(&oauth::OAUTH)
    }
}

/// The question that reads what is at a path.
fn get(api: &str, path: &str, parameters: &[(&str, &str)]) -> Ask {
    Ask::Http(rest::request(Method::GET, &address(api, path, parameters), None))
}

/// The question that posts a body to a path.
fn post(api: &str, path: &str, body: &Value) -> Ask {
    Ask::Http(rest::request(Method::POST, &address(api, path, &[]), Some(body)))
}

/// The address of a path, with these parameters.
fn address(api: &str, path: &str, parameters: &[(&str, &str)]) -> String {
    rest::with_query(&format!("{api}/calendar/v3/{path}"), parameters)
}

/// An answer as an object of that type.
fn object<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, Refusal> {
    rest::object(answer, "the answer is no object of Google's")
}

/// The path of the list of calendars.
const LIST: &str = "users/me/calendarList";

/// The path of a calendar's entry in the list.
fn entry_path(calendar: &str) -> String {
    format!("{LIST}/{}", encoded(calendar))
}

/// The path of a calendar.
fn calendar_path(calendar: &str) -> String {
    format!("calendars/{}", encoded(calendar))
}

/// The path of an event.
fn event_path(calendar: &str, event: &str) -> String {
    format!("{}/events/{}", calendar_path(calendar), encoded(event))
}
