//! Webhooks: how a provider proves what it sends, and what its deliveries tell.

use bytes::Bytes;
use http::{Request, Response};

use super::{Arrival, Provider, Sample, Unsigned};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::KeyId;

/// The webhooks of a provider.
pub trait Webhooks: Provider {
    /// The reply to a handshake: a request by which the provider finds out whether we are who we say, before any
    /// signature is looked at. `None` if the request is none.
    fn handshake(&self, _arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        None
    }

    /// Finds the secret that signed the request, over its exact bytes and the address that the provider was told.
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault>;

    /// The topic and delivery id as the request names them, and whether it must overtake others; cheap.
    fn label(&self, verified: &Verified) -> Label;

    /// The notices that a delivery gives. A [`Fault::Permanent`] if it is not what the provider documents.
    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault>;

    /// A realistic body of `topic`; `None` if there is no such topic. For samples, never for judging `verify`.
    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes>;

    /// The request as the provider would send it. For samples, never for judging `verify`.
    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault>;
}

impl dyn Webhooks + '_ {
    /// Checks that the body is of the form that the provider sends at all; cheap. See [`crate::Profile::readable`].
    pub fn readable(&self, verified: &Verified) -> Result<(), Fault> {
        (self.profile().readable)(verified)
    }
}

/// The reply to a handshake.
#[derive(Debug)]
pub enum HandshakeReply {
    /// Answer with this response, and keep nothing.
    Answer(Response<Bytes>),
    /// Answer as for an accepted delivery, and keep this code where the operator can read it. The sender is unproven.
    Keep(String),
}

/// The proof of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The secret that signed it.
    pub key: KeyId,
    /// The items of the body, from zero, that nobody proved, where each is proved by itself. They are never reported.
    pub unproved: Vec<usize>,
}

impl From<KeyId> for Proved {
    /// The proof of a whole request.
    fn from(key: KeyId) -> Self {
        Self { key, unproved: Vec::new() }
    }
}

/// A request's own description, cheap to find.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The topic.
    pub topic: Option<String>,
    /// The provider's id of the delivery.
    pub delivery: Option<String>,
    /// Whether it must not wait behind others.
    pub priority: bool,
}
