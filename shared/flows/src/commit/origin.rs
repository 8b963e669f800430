//! The origin of facts: the message, the page or the row that they came in.

use std::time::Duration;

use jiff::Timestamp;

use hooktide_model::envelope::{self, Delivery, Envelope, EnvelopeKind};
use hooktide_model::names::Outcome;
use hooktide_store::records::journal::Entry;

/// The longest reason, in bytes.
const LONGEST_REASON: usize = 500;

/// The origin of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The id of the envelope, page or import that they came in, the same whenever that is processed again.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// The endpoint that received them; empty if there is none.
    pub endpoint: String,
    /// The provider's topic.
    pub topic: Option<String>,
    /// The provider's own id of the delivery.
    pub delivery: Option<String>,
    /// The secret that verified it.
    pub key_id: Option<String>,
    /// How long the provider may repeat it.
    pub window: Duration,
    /// When it was received, or when its request was sent.
    pub received_at: Timestamp,
    /// The trace id.
    pub trace: String,
    /// Whether a queue delivers it again until the bus has heard of its changes.
    pub is_delivered_again: bool,
}

impl Origin {
    /// The origin of an envelope's facts. Without a provider that is known here, none of them is remembered.
    pub fn of(envelope: &Envelope, window: Duration) -> Self {
        let from = |provider: &str, endpoint: &str| Self {
            id: envelope.id.clone(),
            provider: provider.to_owned(),
            endpoint: endpoint.to_owned(),
            topic: None,
            delivery: None,
            key_id: None,
            window,
            received_at: envelope.received_at,
            trace: envelope.trace().to_owned(),
            is_delivered_again: true,
        };
        match &envelope.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => Self {
                topic: delivery.topic.clone(),
                delivery: delivery.delivery.clone(),
                key_id: delivery.key_id.as_ref().map(ToString::to_string),
                ..from(provider_of(delivery), &delivery.endpoint)
            },
            EnvelopeKind::Handshake(handshake) => {
                Self { topic: Some("handshake".into()), ..from(&handshake.provider, &handshake.endpoint) }
            }
            EnvelopeKind::Job(job) => {
                Self { topic: Some(job.job.to_string()), delivery: Some(job.resource.clone()), ..from("hooktide", "") }
            }
        }
    }

    /// The origin of facts that are not redelivered: a page of a sync, the rows of an import, a cart. Its `id` is the same
    /// whenever these are read again.
    pub fn once(id: String, provider: &str, received_at: Timestamp) -> Self {
        Self {
            trace: trace_of(&id),
            id,
            provider: provider.to_owned(),
            endpoint: String::new(),
            topic: None,
            delivery: None,
            key_id: None,
            window: Duration::ZERO,
            received_at,
            is_delivered_again: false,
        }
    }

    /// Whether the facts are what somebody read, rather than what was sent.
    pub(super) fn is_read(&self) -> bool {
        !self.is_delivered_again
    }

    /// The journal's entry `id` with an outcome, without a connection, a reason or a change.
    pub(crate) fn entry(&self, id: String, outcome: Outcome, now: Timestamp) -> Entry {
        Entry {
            id,
            connection: None,
            provider: self.provider.clone(),
            topic: self.topic.clone(),
            delivery: self.delivery.clone(),
            outcome,
            reason: None,
            received_at: self.received_at,
            processed_at: now,
            verified_with: self.key_id.clone(),
            trace: self.trace.clone(),
            change: None,
        }
    }
}

fn provider_of(delivery: &Delivery) -> &str {
    if delivery.provider.is_empty() { "unknown" } else { &delivery.provider }
}

fn trace_of(id: &str) -> String {
    let traceparent = envelope::traceparent_from(id.as_bytes());
    traceparent.split('-').nth(1).unwrap_or_default().to_owned()
}

/// Cuts a reason to a bounded length, since records are bounded.
pub(crate) fn cut(reason: &str) -> String {
    let mut end = reason.len().min(LONGEST_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].to_owned()
}
