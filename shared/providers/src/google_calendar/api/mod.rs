//! Google's Calendar API, version 3.

mod errors;
mod oauth;
mod source;
mod subscriptions;

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::Value;

use super::{ACCESS_TOKEN, GoogleCalendar};
use crate::protocols::oauth2::OAuth;
use crate::protocols::percent::encoded;
use crate::protocols::{bearer, rest};
use crate::{Answer, Api, Ask, Base, Refusal};
use hooktide_model::secret::Secrets;

impl Api for GoogleCalendar {
    fn base(&self) -> Base {
        Base::Fixed("https://www.googleapis.com")
    }

    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        bearer::authorise(request, secrets, ACCESS_TOKEN, now)
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
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let url = format!("{api}/calendar/v3/{path}?{}", query.join("&"));
    Ask::Http(rest::request(Method::GET, &url, None))
}

/// The question that posts a body to a path.
fn post(api: &str, path: &str, body: &Value) -> Ask {
    Ask::Http(rest::request(Method::POST, &format!("{api}/calendar/v3/{path}"), Some(body)))
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
