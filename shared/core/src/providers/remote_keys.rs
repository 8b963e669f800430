//! Keys that a provider signs with and publishes: what to ask for, step by step. Nothing here does the asking.

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::fault::{AuthFault, Fault};
use crate::secret::{LiveSecret, Secrets};

/// What to ask a provider's API for one key. Pure: the flow asks, bounded in time and size, and remembers keys by id for an
/// hour, ids that nobody knows for a shorter time.
pub trait RemoteKeys: Send + Sync {
    /// The id of the key that the request says it is signed by. Nobody has verified it yet, so it is checked here to be of
    /// the provider's form, and short.
    fn wanted(&self, request: &Request<Bytes>) -> Result<String, AuthFault>;

    /// What to do next, after these answers to the requests so far, oldest first. `api` is the base address.
    fn next(
        &self,
        id: &str,
        api: &str,
        secrets: &Secrets,
        now: Timestamp,
        answers: &[Response<Bytes>],
    ) -> Result<KeyStep, Fault>;
}

/// A step of fetching a key.
#[derive(Debug)]
pub enum KeyStep {
    /// Send this, and come back with its answer. Its credentials are marked as sensitive, so that nothing shows them.
    Ask(Request<Bytes>),
    /// The key, under the name and id by which [`super::Provider::verify`] looks for it.
    Found(LiveSecret),
    /// The provider has no such key.
    Unknown,
}
