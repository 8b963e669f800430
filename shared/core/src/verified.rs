//! Requests whose signature was checked. Nothing else can be parsed.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use crate::envelope::Delivery;
use crate::fault::{AuthFault, Fault};
use crate::ports::Blobs;
use crate::providers::Provider;
use crate::secret::{KeyId, Secrets};

/// A request that its provider proved to have sent. Only [`open`] makes one of a request, and only [`reopen`] of what
/// [`open`] let onto a queue.
#[derive(Debug, Clone)]
pub struct Verified {
    headers: BTreeMap<String, String>,
    body: Bytes,
    key_id: Option<KeyId>,
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

    /// The secret that verified it.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }
}

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
    let key_id = provider.verify(request, url, secrets, now)?;
    let headers = provider
        .headers()
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), request.headers().get(*name)?.to_str().ok()?.to_owned())))
        // What nobody signed must not grow what is kept.
        .filter(|(_, value)| value.len() <= LONGEST_HEADER)
        .collect();
    Ok(Verified { headers, body: request.body().clone(), key_id: Some(key_id) })
}

/// What was verified before it was queued; the hash of its body is checked.
pub async fn reopen(delivery: &Delivery, blobs: &dyn Blobs) -> Result<Verified, Fault> {
    let body = delivery.body(blobs).await?;
    Ok(Verified { headers: delivery.headers.clone(), body, key_id: delivery.key_id.clone() })
}
