//! Square's API.

mod errors;
mod source;
mod subscriptions;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use jiff::Timestamp;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{ACCESS_TOKEN, API_VERSION, APPLICATION_TOKEN, Square, VERSION_HEADER};
use crate::{Answer, Api, Ask, Base, Refusal};
use hooktide_model::secret::Secrets;

/// The paths that the application is asked under, and not the seller.
const OF_APPLICATION: &str = "/v2/webhooks/";

impl Api for Square {
    fn base(&self) -> Base {
        Base::Fixed("https://connect.squareup.com")
    }

    fn authorise(&self, mut request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        let name = if request.uri().path().contains(OF_APPLICATION) { APPLICATION_TOKEN } else { ACCESS_TOKEN };
        let token = secrets.live(name, now).find_map(|live| live.secret.expose_text())?;
        let text = Zeroizing::new(format!("Bearer {token}"));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Some(request)
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        errors::sort(answer)
    }
}

/// A question, with a body where there is one.
fn question(method: Method, url: &str, body: Option<&Value>) -> Ask {
    let mut request = Request::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
    *request.method_mut() = method;
    // What is not an address is refused by whoever sends it.
    *request.uri_mut() = url.parse().unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(VERSION_HEADER, HeaderValue::from_static(API_VERSION));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ask::Http(request)
}
