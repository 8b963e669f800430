//! Keys that a provider signs with and publishes: what to ask for, and what the answers mean. Nothing here does the asking.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::secret::{LiveSecret, Secret, Secrets};

/// What to ask a provider's API for keys. Pure: the flow asks, bounded in number, time and size; it keeps a token for its
/// life, keys by their ids, and for a shorter time ids that nobody knows.
pub trait RemoteKeys: Send + Sync {
    /// The id of the key that the request says it is signed by. Nobody has verified it yet, so it is checked here to be of
    /// the provider's form, and short.
    fn wanted(&self, request: &Request<Bytes>) -> Result<String, AuthFault>;

    /// The request for a token with which keys are asked for; [`AuthFault::NoSecret`] where there are no credentials for it.
    /// `api` is the base address. Credentials are marked as sensitive in all requests, so that nothing shows them.
    fn ask_token(&self, api: &str, secrets: &Secrets, now: Timestamp) -> Result<Request<Bytes>, Fault>;

    /// The token in the answer.
    fn token(&self, answer: &Response<Bytes>) -> Result<ApiToken, Fault>;

    /// The request for the key of that id; `None` if no key can have it.
    fn ask_key(&self, id: &str, api: &str, token: &Secret) -> Result<Option<Request<Bytes>>, Fault>;

    /// The key in the answer.
    fn key(&self, id: &str, answer: &Response<Bytes>) -> Result<KeyAnswer, Fault>;
}

/// A token for a provider's API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The token.
    pub secret: Secret,
    /// How long it can be used from when it was asked for; zero where the provider does not say.
    pub lifetime: Duration,
}

/// An answer about a key.
#[derive(Debug)]
pub enum KeyAnswer {
    /// The key, under the name and id by which [`super::Provider::verify`] looks for it.
    Found(LiveSecret),
    /// The provider has no such key.
    Unknown,
    /// The token is no longer taken.
    TokenRefused,
}
