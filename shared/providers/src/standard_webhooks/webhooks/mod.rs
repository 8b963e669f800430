//! Webhooks in the standard's form: the proof is of id, time and body.

mod payload;
mod sample;
mod written;

use bytes::Bytes;
use http::Request;

use super::{PROFILE, SECRET, SVIX, StandardWebhooks};
use crate::protocols::signed_message::{self, Names};
use crate::verified::Verified;
use crate::{Arrival, Becomes, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::Notice;

/// The longest name of a topic that is reported, in bytes.
const LONGEST_TOPIC: usize = 255;

impl Webhooks for StandardWebhooks {
    /// One set of names or the other, never a header of each.
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let of_svix = SVIX.any(arrival.headers()) && !Names::STANDARD.any(arrival.headers());
        signed_message::verify(arrival, if of_svix { &SVIX } else { &Names::STANDARD }, SECRET)
    }

    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::topic(verified).filter(|topic| topic.len() <= LONGEST_TOPIC);
        let becomes = topic.as_deref().and_then(|topic| PROFILE.becomes(topic));
        let priority = becomes == Some(Becomes::Kind(Kind::Transaction));
        Label { topic, delivery: id(verified).map(str::to_owned), priority }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let event = payload::Event::read(verified)?;
        let topic = event.topic.as_deref().unwrap_or_default();
        let what = match PROFILE.becomes(topic) {
            Some(Becomes::Kind(kind)) if topic.ends_with(".deleted") => event.deleted(kind)?,
            Some(Becomes::Kind(kind)) => event.document(kind)?,
            None => reading::unknown(topic),
            other => reading::told(other),
        };
        // The id is signed, and the same whenever the message is tried again.
        Ok(vec![Notice { account: event.account, identity: id(verified).unwrap_or_default().to_owned(), what }])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        signed_message::sign(unsigned, SECRET)
    }
}

/// The id that was signed: of the names that [`crate::Webhooks::verify`] went by.
fn id(verified: &Verified) -> Option<&str> {
    verified.header(Names::STANDARD.id).or_else(|| verified.header(SVIX.id))
}
