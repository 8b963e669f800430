//! Requests whose signature was checked. Nothing else can be parsed.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Provider, reading};
use hooktide_model::envelope::Delivery;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::secret::{KeyId, Secrets};

/// A request that its provider proved to have sent. Only [`open`] makes one of a request (and [`trust`], for test tools),
/// and only [`reopen`] of what was let onto a queue.
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
        read.map_err(|error| reading::misfit::<T>(body, &error, ""))
    }

    /// Which items of the body nobody proved to have sent, from zero: they must not be told of.
    pub fn dropped(&self) -> &[usize] {
        &self.dropped
    }

    /// When it was received, by our clock; the same whenever it is parsed again.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The secret that verified it.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }
}

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest value of a header that is kept, in bytes.
const LONGEST_HEADER: usize = 1024;

/// Checks a request's signature; what the signature does not fit is not parsed.
///
/// `url` is the address that the provider was told, which some providers sign.
pub fn open(
    provider: &dyn Provider,
    request: &Request<Bytes>,
    url: &str,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Verified, AuthFault> {
    let (key_id, dropped) = provider.verify_each(request, url, secrets, now)?;
    let headers = kept(provider, request.headers());
    Ok(Verified { headers, body: request.body().clone(), key_id: Some(key_id), dropped, received_at: now })
}

/// Takes a request as if its provider had proved to have sent it: for test tools, which others guard.
pub fn trust(provider: &dyn Provider, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Verified {
    Verified { headers: kept(provider, headers), body, key_id: None, dropped: Vec::new(), received_at: now }
}

/// The headers that the provider says it reads.
fn kept(provider: &dyn Provider, headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in provider.headers() {
        let value = headers.get(*name).filter(|value| value.len() <= LONGEST_HEADER);
        // More than ASCII, since a store's address may be written in its own letters. What nobody signed must not grow what is
        // kept.
        let value = value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        if let Some(value) = value.filter(|value| !value.contains(char::is_control)) {
            kept.insert((*name).to_owned(), value.to_owned());
        }
    }
    kept
}

/// What was verified before it was queued, at the time `received_at`, with its body.
pub fn reopen(delivery: &Delivery, body: Bytes, received_at: Timestamp) -> Verified {
    let (headers, key_id, dropped) = (delivery.headers.clone(), delivery.key_id.clone(), delivery.dropped.clone());
    Verified { headers, body, key_id, dropped, received_at }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::by_id;

    #[test]
    fn a_header_is_kept_as_text_without_control_characters() {
        let woocommerce = by_id("woocommerce").unwrap();
        let source = "x-wc-webhook-source";
        let long = [b'x'; LONGEST_HEADER + 1];
        for (value, expected) in [
            (&b"https://shop.example/"[..], Some("https://shop.example/")),
            ("https://läden.example/ü/".as_bytes(), Some("https://läden.example/ü/")),
            (b"", Some("")),
            (&long[1..], std::str::from_utf8(&long[1..]).ok()),
            (&long, None),
            (b"https://l\xe4den.example/", None),
            (b"https://shop.example/\t", None),
            ("https://shop.example/\u{85}".as_bytes(), None),
        ] {
            let headers = HeaderMap::from_iter([(source.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())]);
            let trusted = trust(woocommerce, &headers, Bytes::new(), Timestamp::UNIX_EPOCH);
            assert_eq!(trusted.header(source), expected, "{:.80}", String::from_utf8_lossy(value));
        }
    }
}
