//! The envelope: what travels on a queue, versioned.
//!
//! Readers take this version and the one before; a newer one waits (a rollback must not lose what the newer code
//! accepted). Bodies up to [`INLINE`] travel as they are; larger ones, and those that are not UTF-8, as zstd and
//! base64; what is still over [`LARGEST_TEXT`] then goes to the blob store and travels by reference (a claim check).
//! The hash of the raw bytes is checked on reading.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use jiff::Timestamp;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::fault::{ErrorClass, Fault};
use crate::names::JobKind;
use crate::secret::KeyId;
use crate::signing;
use crate::tenant::Tenant;

/// The version that is written. Version 2 knew no handshakes and no dropped items.
pub const VERSION: u32 = 3;
/// The largest body that is kept, in bytes; also what a compressed one may grow to.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// The largest body that a request may have, in bytes. What is larger than [`LARGEST_BODY`] is verified and not kept.
pub const LARGEST_VERIFIED: usize = 6 * 1024 * 1024;
/// The largest body that travels inline as it is, in bytes.
pub const INLINE: usize = 48 * 1024;
/// The largest encoded body that travels inline, in bytes.
pub const LARGEST_TEXT: usize = 240 * 1024;
/// The zstd level: bodies are compressed on the accept path, where speed counts.
const LEVEL: i32 = 1;

/// A message on a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The version of this form.
    pub v: u32,
    /// What it carries.
    #[serde(flatten)]
    pub kind: EnvelopeKind,
    /// Its identity, sorted by the time of receipt. Stays the same over retries and replays.
    pub id: String,
    /// When the request was received, or the job was raised.
    pub received_at: Timestamp,
    /// How many tries have failed by the message's own fault.
    #[serde(default)]
    pub attempt: u32,
    /// How many times it was put off because something was not to be had; paces the waiting.
    #[serde(default)]
    pub deferred: u32,
    /// Not to be processed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// W3C trace context, from receipt to the last effect.
    #[serde(default)]
    pub traceparent: String,
    /// How often it was replayed: a letter that is kept anew is told from the one that was sent by it, whatever the clocks say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replayed: u32,
    /// The one account that it is about, where it was kept for several: what it tells of others is kept, or was processed,
    /// on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Where in the journal it may have been committed, though nobody knows, or the bus has not heard of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub committed: Vec<Place>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A position of a tenant's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Whose journal.
    pub tenant: Tenant,
    /// The lane.
    pub lane: u8,
    /// The position in it.
    pub position: u64,
}

/// What an envelope carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum EnvelopeKind {
    /// A verified request that reads as the provider documents.
    Notice(Delivery),
    /// A verified request that does not.
    Unreadable(Delivery),
    /// A code that somebody who sets up an endpoint waits for. Nobody proved who sent it.
    Handshake(Handshake),
    /// Work on a tenant's records.
    Job(Job),
}

/// A code that a provider sent to find out whether we are who we say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// From which provider, as the address says.
    pub provider: String,
    /// To which endpoint.
    pub endpoint: String,
    /// The code.
    pub code: String,
}

/// A verified request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// From which provider.
    pub provider: String,
    /// To which endpoint.
    pub endpoint: String,
    /// The endpoint's tenant at receipt, if known: the delivery is filed there if the endpoint's record is absent later.
    /// Nothing else is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Tenant>,
    /// Which secret verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// The provider's topic, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The provider's own id of the delivery, if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The headers that the provider's parser reads, and no others.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Which items of the body nobody proved to have sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<usize>,
    /// What is asked instead of reading the body, which was too large to be kept: the payload is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oversized: Option<Oversized>,
    /// The body.
    #[serde(flatten)]
    pub payload: Payload,
    /// SHA-256 of the raw body, in hexadecimal.
    pub sha256: String,
}

/// What is left of a body that was too large to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversized {
    /// How large it was.
    pub bytes: usize,
    /// What has to be asked instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask>,
    /// Why nothing is done about the rest of it, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// A resource that has to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The account to ask about, if the delivery names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The identity of the notice that it stands for.
    pub identity: String,
    /// The resource.
    pub resource: String,
    /// Which of several of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// A body, encoded for the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encoding")]
pub enum Payload {
    /// As it is.
    #[serde(rename = "utf-8")]
    Text {
        /// The body.
        body: String,
    },
    /// Compressed.
    #[serde(rename = "zstd+base64")]
    Compressed {
        /// The encoded body.
        body: String,
    },
    /// In the blob store, compressed.
    #[serde(rename = "zstd")]
    Blob {
        /// Its path.
        blob: String,
    },
}

/// Work on a tenant's records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Whose records.
    pub tenant: Tenant,
    /// What to do.
    pub job: JobKind,
    /// With what: a resource, or the id of a replay.
    pub resource: String,
}

/// An encoded body, and what must be stored before it is sent.
#[derive(Debug)]
pub struct Packed {
    /// What the envelope carries.
    pub payload: Payload,
    /// The claim check's path and bytes, if the body needs one.
    pub claim: Option<(Path, Bytes)>,
}

/// Encodes a body for the envelope `id` of `provider`.
pub fn pack(body: &Bytes, provider: &str, id: &str) -> Result<Packed, Fault> {
    if body.len() <= INLINE
        && let Ok(text) = std::str::from_utf8(body)
    {
        return Ok(Packed { payload: Payload::Text { body: text.to_owned() }, claim: None });
    }
    let compressed = compress(body)?;
    let text = BASE64.encode(&compressed);
    if text.len() <= LARGEST_TEXT {
        return Ok(Packed { payload: Payload::Compressed { body: text }, claim: None });
    }
    let path = Path::from(format!("claims/{provider}/{id}"));
    Ok(Packed { payload: Payload::Blob { blob: path.to_string() }, claim: Some((path, compressed.into())) })
}

/// Compresses bytes for storing.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|error| Fault::failed(format!("compressing failed: {error}")))
}

/// Decompresses what [`compress`] made, up to `limit` bytes.
pub fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    zstd::bulk::decompress(bytes, limit)
        .map_err(|error| Fault::permanent(ErrorClass::BodyLost, format!("stored bytes do not decompress: {error}")))
}

/// Why a message is not an envelope that can be processed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// It was written by newer code: it waits until that runs here.
    #[error("the message has version {0}, newer than this program's {VERSION}")]
    Newer(u32),
    /// It is no envelope of ours.
    #[error("the message is no envelope: {0}")]
    Foreign(String),
}

/// How many characters name the account of a letter that is about one of several.
const ACCOUNT: usize = 16;

impl Envelope {
    /// The name under which it is kept: its id, and that of the one account that it is about, where it was kept for several,
    /// so that no letter takes the place of another.
    pub fn kept_as(&self) -> String {
        match &self.only {
            Some(only) => format!("{}-{}", self.id, &signing::sha256_hex(only.as_bytes())[..ACCOUNT]),
            None => self.id.clone(),
        }
    }

    /// A new one, not tried yet.
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

    /// Reads a message, of this version or the one before.
    pub fn decode(message: &str) -> Result<Self, EnvelopeFault> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        // Not the error's own text, which repeats what it stumbled over: that may be somebody's data.
        let foreign = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            EnvelopeFault::Foreign(format!("{:?} error at line {line}, column {column}", error.classify()))
        };
        let Version { v } = serde_json::from_str(message).map_err(foreign)?;
        if v > VERSION {
            return Err(EnvelopeFault::Newer(v));
        }
        if v + 1 < VERSION {
            return Err(EnvelopeFault::Foreign(format!("version {v} is no longer read")));
        }
        let mut envelope: Self = serde_json::from_str(message).map_err(foreign)?;
        envelope.v = VERSION;
        Ok(envelope)
    }

    /// The text to send. It has only characters that SQS takes: of those that JSON may hold as they are, two are not.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    pub fn encode(&self) -> Result<String, Fault> {
        let text = serde_json::to_string(self)
            .map_err(|error| Fault::failed(format!("an envelope does not serialise: {error}")))?;
        // They can only stand inside of JSON's strings.
        Ok(if text.contains(['\u{fffe}', '\u{ffff}']) {
            text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
        } else {
            text
        })
    }

    /// The trace id in its trace context.
    pub fn trace(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// The delivery that it carries, read or not.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => Some(delivery),
            EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn delivery_mut(&mut self) -> Option<&mut Delivery> {
        match &mut self.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => Some(delivery),
            EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_) => None,
        }
    }

    /// What its place in a fair queue is shared with.
    pub fn group(&self) -> &str {
        match &self.kind {
            // SQS takes no empty name for a group, so deliveries without an endpoint share one.
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
    use super::*;

    #[test]
    fn bodies_travel_inline_then_compressed_then_by_claim_check() {
        let text = Bytes::from(vec![b'a'; INLINE]);
        assert!(matches!(pack(&text, "p", "i").unwrap().payload, Payload::Text { .. }));
        let larger = Bytes::from(vec![b'a'; INLINE + 1]);
        assert!(matches!(pack(&larger, "p", "i").unwrap().payload, Payload::Compressed { .. }));
        let binary = Bytes::from_static(b"\xff");
        assert!(matches!(pack(&binary, "p", "i").unwrap().payload, Payload::Compressed { .. }));
        let noise: Vec<u8> = (0..10_000_u32).flat_map(|n| signing::sha256(&[&n.to_be_bytes()])).collect();
        let packed = pack(&Bytes::from(noise), "p", "i").unwrap();
        assert_eq!(packed.payload, Payload::Blob { blob: "claims/p/i".into() });
        assert!(packed.claim.is_some());
    }

    #[test]
    fn version_2_is_still_read_and_a_newer_version_waits() {
        let old = include_str!("../fixtures/envelope-v2.json");
        let envelope = Envelope::decode(old).unwrap();
        assert_eq!((envelope.v, envelope.trace().len()), (VERSION, 32));
        let newer = old.replace("\"v\": 2", "\"v\": 4");
        assert_eq!(Envelope::decode(&newer), Err(EnvelopeFault::Newer(4)));
        assert!(matches!(Envelope::decode("{}"), Err(EnvelopeFault::Foreign(_))));
    }

    #[test]
    fn this_version_reads_what_it_wrote() {
        let current = include_str!("../fixtures/envelope-v3.json");
        let envelope = Envelope::decode(current).unwrap();
        assert_eq!(Envelope::decode(&envelope.encode().unwrap()), Ok(envelope));
    }

    #[test]
    fn what_is_sent_has_only_characters_that_sqs_takes() {
        let mut envelope = Envelope::decode(include_str!("../fixtures/envelope-v3.json")).unwrap();
        let body = Bytes::from("a \u{fffe}\u{ffff} \u{0} \\ufffe z");
        let EnvelopeKind::Notice(delivery) = &mut envelope.kind else { panic!("a notice") };
        delivery.payload = pack(&body, "p", "i").unwrap().payload;
        let text = envelope.encode().unwrap();
        let taken =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(text.chars().all(taken), "{text:?}");
        assert_eq!(Envelope::decode(&text), Ok(envelope));
    }

    #[test]
    fn a_bomb_does_not_grow_beyond_the_largest_body() {
        let bomb = compress(&vec![0; LARGEST_BODY + 1]).unwrap();
        assert!(decompress(&bomb, LARGEST_BODY).is_err());
    }
}
