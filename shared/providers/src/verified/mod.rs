//! Verified requests: nothing else can be parsed.

mod open;

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;

use crate::json;
use hooktide_model::fault::Fault;
use hooktide_model::secret::KeyId;

pub use self::open::{open, reopen, trust};

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A request that its provider proved to have sent. Only [`open()`] makes one of a request (and [`trust`], for test
/// tools), and only [`reopen`] of what was let onto a queue.
#[derive(Debug, Clone)]
pub struct Verified {
    headers: BTreeMap<String, String>,
    body: Bytes,
    key_id: Option<KeyId>,
    dropped: Vec<usize>,
    received_at: Timestamp,
}

impl Verified {
    /// A header that the provider says it reads.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// All headers that the provider says it reads.
    pub fn headers(&self) -> &BTreeMap<String, String> {
        &self.headers
    }

    /// The exact bytes that were signed.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The text of the body: what was signed, without the byte order mark that some senders write before it.
    pub fn text(&self) -> &[u8] {
        self.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.body)
    }

    /// The body as JSON. A [`Fault::Permanent`] that names the field and quotes nothing if it is not of the form of `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        let body = self.text();
        // One look at all of it is quicker than one at each text in it.
        let read = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        };
        read.map_err(|error| json::misfit::<T>(body, &error, ""))
    }

    /// The items of the body, from zero, that nobody proved to have sent: they must not be reported.
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// The time at which it was received, by our clock; the same whenever it is parsed again.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The secret that verified it.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }
}
