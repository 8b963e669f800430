//! Graph's API for calendars, version 1.0.

mod errors;
mod oauth;
mod source;
mod subscriptions;
mod target;
mod times;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::Value;

use super::MicrosoftGraph;
use crate::protocols::oauth2::OAuth;
use crate::protocols::percent::encoded;
use crate::protocols::rest;
use crate::{Answer, Api, Ask, Base, Refusal};

/// What every question prefers: ids that stay where an event is moved, and times in UTC.
const PREFER: &str = r#"IdType="ImmutableId", outlook.timezone="UTC""#;

impl Api for MicrosoftGraph {
    fn base(&self) -> Base {
        Base::Fixed("https://graph.microsoft.com")
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        errors::sort(answer)
    }

    fn oauth(&self) -> Option<&'static OAuth> {
        Some(&oauth::OAUTH)
    }
}

/// A request below the API's address: the path from its first slash on, with the query.
fn request(api: &str, method: Method, path: &str, body: Option<&Value>) -> Request<Bytes> {
    let mut request = rest::request(method, &format!("{api}{path}"), body);
    request.headers_mut().insert("prefer", HeaderValue::from_static(PREFER));
    request
}

/// The question that reads what is at a path.
fn get(api: &str, path: &str, parameters: &[(&str, &str)]) -> Ask {
    Ask::Http(request(api, Method::GET, &rest::with_query(path, parameters), None))
}

/// The question for a page of a round, of so many events at the most. Their texts come whatever is asked, so they are to be short.
fn get_page(api: &str, path: &str, size: u16) -> Ask {
    let mut request = request(api, Method::GET, path, None);
    let prefer = format!(r#"{PREFER}, outlook.body-content-type="text", odata.maxpagesize={size}"#);
    let prefer = HeaderValue::from_str(&prefer).unwrap_or_else(|_| HeaderValue::from_static(PREFER));
    request.headers_mut().insert("prefer", prefer);
    Ask::Http(request)
}

/// The path of the list of calendars.
const LIST: &str = "/v1.0/me/calendars";

/// The path of a calendar.
fn calendar_path(calendar: &str) -> String {
    format!("{LIST}/{}", encoded(calendar))
}

/// The path of an event.
fn event_path(calendar: &str, event: &str) -> String {
    format!("{}/events/{}", calendar_path(calendar), encoded(event))
}

/// An answer as an object of that type.
fn object<T: for<'de> Deserialize<'de>>(answer: &Answer) -> Result<T, Refusal> {
    rest::object(answer, "the answer is no object of Microsoft's")
}
