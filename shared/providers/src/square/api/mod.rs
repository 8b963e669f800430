//! Square's API.

mod errors;
mod oauth;
mod source;
mod subscriptions;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use jiff::Timestamp;
use serde_json::Value;

use super::{ACCESS_TOKEN, API_VERSION, APPLICATION_TOKEN, Square, VERSION_HEADER};
use crate::protocols::oauth2::OAuth;
use crate::protocols::{bearer, rest};
use crate::{Answer, Api, Ask, Base, Refusal};
use hooktide_model::secret::Secrets;

/// The paths that the application is asked under, and not the seller.
const OF_APPLICATION: &str = "/v2/webhooks/";

impl Api for Square {
    fn base(&self) -> Base {
        Base::Fixed("https://connect.squareup.com")
    }

    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        let name = if request.uri().path().contains(OF_APPLICATION) { APPLICATION_TOKEN } else { ACCESS_TOKEN };
        bearer::authorise(request, secrets, name, now)
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        errors::sort(answer)
    }

    fn oauth(&self) -> Option<&'static OAuth> {
        Some(&oauth::OAUTH)
    }
}

/// A question, with a body where there is one.
fn question(method: Method, url: &str, body: Option<&Value>) -> Ask {
    let mut request = rest::request(method, url, body);
    request.headers_mut().insert(VERSION_HEADER, HeaderValue::from_static(API_VERSION));
    Ask::Http(request)
}
