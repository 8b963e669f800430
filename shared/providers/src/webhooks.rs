//! Webhooks: how a provider signs its deliveries, and what they report.

use bytes::Bytes;
use http::{Request, Response};

use super::{Arrival, Provider, Sample, Unsigned};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::KeyId;

/// The webhooks of a provider.
pub trait Webhooks: Provider {
    /// The reply to a handshake: a request by which the provider checks that the endpoint is ours, before any signature is
    /// looked at. `None` if the request is not a handshake.
    fn handshake(&self, _arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        None
    }

    /// Finds the secret that signed the request, over its exact bytes and the address registered with the provider.
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault>;

    /// The topic and delivery id as the request names them, and whether it must overtake others; cheap.
    fn label(&self, verified: &Verified) -> Label;

    /// The notices of a delivery; a [`Fault::Permanent`] if it does not have the form that the provider documents.
    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault>;

    /// A realistic body of `topic`; `None` if there is no such topic. For samples, never for judging `verify`.
    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes>;

    /// The request as the provider would send it. For samples, never for judging `verify`.
    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault>;
}

impl dyn Webhooks + '_ {
    /// Checks cheaply that the body has the general form of the provider's bodies. See [`crate::Profile::readable`].
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
    /// The indexes, from zero, of the body's items that are not proved, where each item is proved separately. Such items
    /// are never reported.
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
