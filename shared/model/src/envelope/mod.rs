//! The envelope: the versioned form of a message on a queue.
//!
//! Readers take this version and all before it (`upgrade`); a newer one waits, since a rollback must not lose deliveries
//! that the newer code accepted. Bodies up to [`INLINE`] travel as they are; larger ones, and those that are not UTF-8,
//! as zstd and base64. A body that is still over [`LARGEST_TEXT`] goes to the blob store and travels by reference (a
//! claim check). The hash of the raw bytes is checked on reading.

mod delivery;
mod payload;
mod upgrade;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

pub use self::delivery::{Delivery, Handshake, Inquiry, Oversized};
pub use self::payload::{
    INLINE, LARGEST_BODY, LARGEST_TEXT, LARGEST_VERIFIED, Packed, Payload, compress, decompress, pack,
};
pub use self::upgrade::{EnvelopeFault, VERSION};
use crate::fault::Fault;
use crate::job_kind::JobKind;
use crate::place::JournalPlace;
use crate::signing;
use crate::tenant::Tenant;

/// A message on a queue.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The version of this form.
    pub v: u32,
    /// The content.
    #[serde(flatten)]
    pub kind: EnvelopeKind,
    /// The id, which sorts by the time of receipt and stays the same over retries and replays.
    pub id: String,
    /// When the request was received, or the job created.
    pub received_at: Timestamp,
    /// How many tries have failed through the message's own fault.
    #[serde(default)]
    pub attempt: u32,
    /// How many times it was put off because something was unavailable; the waits grow with it.
    #[serde(default)]
    pub deferred: u32,
    /// The earliest time at which to process it.
    pub not_before: Option<Timestamp>,
    /// The W3C trace context, from receipt to the last effect.
    #[serde(default)]
    pub traceparent: String,
    /// How often it was replayed. This tells a letter that is kept again from the one that was replayed, whatever the
    /// clocks say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replayed: u32,
    /// The one account that this copy is about, where the delivery was kept for several. Notices about the others are kept,
    /// or were processed, separately.
    pub only: Option<String>,
    /// Places in the journal where it may have been committed, but the outcome is unknown or the bus was not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub committed: Vec<Unpublished>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A place of a tenant's journal that the bus may not have heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpublished {
    /// The tenant that the journal belongs to.
    pub tenant: Tenant,
    /// The place.
    #[serde(flatten)]
    pub at: JournalPlace,
}

/// The content of an envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum EnvelopeKind {
    /// A verified request that has the form that the provider documents.
    Notice(Delivery),
    /// A verified request that does not have that form.
    Unreadable(Delivery),
    /// A code for somebody who sets up an endpoint. Its sender is unproven.
    Handshake(Handshake),
    /// Work on a tenant's records.
    Job(Job),
}

/// Work on a tenant's records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The tenant that the records belong to.
    pub tenant: Tenant,
    /// What to do.
    pub job: JobKind,
    /// The object of the work: a resource, or the id of a replay.
    pub resource: String,
}

/// How many characters name the account in the name of a letter that is about one of several.
const ACCOUNT: usize = 16;

impl Envelope {
    /// The name under which it is kept: its id and, where a delivery is kept for several accounts, the account that this
    /// copy is about, so that no letter takes the place of another.
    pub fn kept_as(&self) -> String {
        match &self.only {
            Some(only) => format!("{}-{}", self.id, &signing::sha256_hex(only.as_bytes())[..ACCOUNT]),
            None => self.id.clone(),
        }
    }

    /// A new envelope that was not tried yet.
    pub fn new(id: String, kind: EnvelopeKind, received_at: Timestamp) -> Self {
        Self {
            v: VERSION,
            traceparent: traceparent_from(id.as_bytes()),
            id,
            kind,
            received_at,
            attempt: 0,
            deferred: 0,
            not_before: None,
            replayed: 0,
            only: None,
            committed: Vec::new(),
        }
    }

    /// The text to send, escaped to the characters that SQS takes: it refuses two that JSON may hold unescaped.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    pub fn encode(&self) -> Result<String, Fault> {
        let text = serde_json::to_string(self)
            .map_err(|error| Fault::failed(format!("an envelope does not serialise: {error}")))?;
        // They can only occur inside JSON strings.
        Ok(if text.contains(['\u{fffe}', '\u{ffff}']) {
            text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
        } else {
            text
        })
    }

    /// The trace id of the trace context.
    pub fn trace(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// The delivery that it carries, readable or not.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => Some(delivery),
            EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_) => None,
        }
    }

    /// The delivery that it carries, to be changed.
    pub fn delivery_mut(&mut self) -> Option<&mut Delivery> {
        match &mut self.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => Some(delivery),
            EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_) => None,
        }
    }

    /// The group that it takes its turn with in a fair queue.
    pub fn group(&self) -> &str {
        match &self.kind {
            // SQS rejects an empty group id, so deliveries without an endpoint share one.
            EnvelopeKind::Notice(Delivery { endpoint, .. }) | EnvelopeKind::Unreadable(Delivery { endpoint, .. })
                if endpoint.is_empty() =>
            {
                "nobody"
            }
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => &delivery.endpoint,
            EnvelopeKind::Handshake(handshake) => &handshake.endpoint,
            EnvelopeKind::Job(job) => job.tenant.as_str(),
        }
    }
}

/// A sampled W3C trace context whose ids are derived from `seed`.
pub fn traceparent_from(seed: &[u8]) -> String {
    let digest = data_encoding::HEXLOWER.encode(&signing::sha256(&[b"traceparent\0", seed]));
    format!("00-{}-{}-01", &digest[..32], &digest[32..48])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn what_is_sent_has_only_characters_that_sqs_takes() {
        let mut envelope = Envelope::decode(include_str!("../../fixtures/envelope-v3.json")).unwrap();
        let body = Bytes::from("a \u{fffe}\u{ffff} \u{0} \\ufffe z");
        let EnvelopeKind::Notice(delivery) = &mut envelope.kind else { panic!("a notice") };
        delivery.payload = pack(&body, "p", "i").unwrap().payload;
        let text = envelope.encode().unwrap();
        let taken =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(taken), "{text:?}");
        assert_eq!(Envelope::decode(&text), Ok(envelope));
    }
}
