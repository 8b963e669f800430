//! The API of a provider: where it is, and what its answers mean.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::{Answer, Arrival, Ask, Base, Provider, Refusal};
use crate::protocols::answers;
use crate::protocols::bearer;
use crate::protocols::oauth2::{ACCESS_TOKEN, OAuth};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::secret::{LiveSecret, Secret, Secrets};
use jiff::Timestamp;

/// The API of a provider.
pub trait Api: Provider {
    /// Where it is. The operator may set another origin for a sandbox (see the settings).
    fn base(&self) -> Base;

    /// The request with what proves us: the access token as RFC 6750 has it, where it is got by OAuth. `None` where the connection
    /// has no such credentials. `secrets` are the connection's credentials, and what verifies its deliveries.
    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        self.oauth().and_then(|_| bearer::authorise(request, secrets, ACCESS_TOKEN, now))
    }

    /// Sorts an answer by what to do next; an error for all that is no success.
    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        answers::sort(answer)
    }

    /// What to do about credentials that are refused with this answer, beside giving others, where more is known of it.
    fn advice(&self, _answer: &Answer) -> Option<&'static str> {
        None
    }

    /// How its access tokens are got, where they are got by OAuth.
    fn oauth(&self) -> Option<&'static OAuth> {
        None
    }

    /// The keys that it signs with and publishes, where they are not ours to configure.
    fn keys(&self) -> Option<&dyn RemoteKeys> {
        None
    }
}

/// Keys that a provider signs with and publishes. The flow asks, bounded in number, time and size; it keeps a token for
/// its life, keys by their ids, and for a shorter time ids that nobody knows.
pub trait RemoteKeys: Send + Sync {
    /// The id of the key that the request says it is signed by. Nobody has verified it yet, so it is checked here to be
    /// of the provider's form, and short.
    fn wanted(&self, arrival: &Arrival<'_>) -> Result<String, AuthFault>;

    /// The next question: for a token where the task has none, else for the key. `None` where nothing can be asked, for
    /// want of credentials or because no key can have the id. Credentials are marked as sensitive in all requests, so that
    /// nothing shows them.
    fn first(&self, task: &KeyTask<'_>) -> Result<Option<Ask>, Fault>;

    /// Reads the answer to that question.
    fn read(&self, task: &KeyTask<'_>, answer: &Answer) -> Result<KeyStep, Refusal>;
}

/// The look-up of one key.
#[derive(Debug, Clone, Copy)]
pub struct KeyTask<'a> {
    /// The id of the key.
    pub id: &'a str,
    /// The base address of the API.
    pub api: &'a str,
    /// The secrets of the endpoint, among them the credentials.
    pub secrets: &'a Secrets,
    /// The token to ask with, once there is one.
    pub token: Option<&'a Secret>,
    /// The time of asking.
    pub now: Timestamp,
}

/// A step towards a key.
#[derive(Debug)]
pub enum KeyStep {
    /// The token to go on with.
    Token(ApiToken),
    /// The key, under the name and id by which [`crate::Webhooks::verify`] looks for it.
    Found(LiveSecret),
    /// The provider has no such key.
    Unknown,
}

/// A token for a provider's API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The token.
    pub secret: Secret,
    /// How long it can be used from when it was asked for; zero where the provider does not say.
    pub lifetime: Duration,
}
