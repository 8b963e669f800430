//! Simulators: a provider's API in memory, so that everything can be tried without an account.
//!
//! Each is built from what the provider documents and what others met, apart from the code that calls the API: it refuses
//! what the provider would refuse. It does no input or output; whoever serves it sends its notifications, and drops, doubles
//! or delays them to see what happens.

pub(crate) mod drawn;
pub(crate) mod habits;
pub(crate) mod ical;
pub(crate) mod json;
pub(crate) mod meter;
pub(crate) mod oauth;
pub(crate) mod outbox;
pub(crate) mod plain;
pub(crate) mod query;
pub(crate) mod tokens;
pub(crate) mod zone;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// An account at a provider, with its API.
pub trait Simulator: Send {
    /// Answers a request to the API.
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes>;

    /// Edits something as its owner would at the provider, and returns its id. An error says what is wrong with the edit.
    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String>;

    /// The notifications that are to be sent since they were last taken, in their order. Some providers send none.
    fn take_notifications(&mut self, _now: Timestamp) -> Vec<Request<Bytes>> {
        Vec::new()
    }

    /// Hears how a notification was answered; `None` if nobody answered. Providers give up on receivers that refuse.
    fn delivered(&mut self, _notification: &Request<Bytes>, _status: Option<http::StatusCode>, _now: Timestamp) {}

    /// Ends the access tokens that were handed out, or the keys, until they are refreshed or given anew.
    fn expire_credentials(&mut self);

    /// Bounds the calls of each minute; those beyond it are answered as the provider answers them. `None` lifts the bound.
    fn limit(&mut self, calls_per_minute: Option<u32>);

    /// What the account has, for whoever looks: at least `calls`, a count of the API's calls by their kinds.
    fn state(&self) -> Value;
}

/// An edit at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The kind of what is edited, such as `product`, `stock` or `event`.
    pub what: String,
    /// Its id; a new one is made without.
    pub id: Option<String>,
    /// The fields to set, by the provider's names; it is deleted without.
    pub fields: Option<Map<String, Value>>,
}
