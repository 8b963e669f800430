//! Whatnot's webhooks: the proof is of id, time and body.

mod payload;
mod sample;

use bytes::Bytes;
use http::Request;

use super::{PROFILE, SECRET, Whatnot};
use crate::protocols::signed_message::{self, Names};
use crate::verified::Verified;
use crate::{Arrival, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;

/// The longest name of a topic that is reported, in bytes.
const LONGEST_TOPIC: usize = 255;

impl Webhooks for Whatnot {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        signed_message::verify(arrival, &Names::STANDARD, SECRET)
    }

    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::Event::read(verified).ok().map(|event| event.topic);
        Label {
            topic: topic.filter(|topic| topic.len() <= LONGEST_TOPIC),
            delivery: verified.header(Names::STANDARD.id).map(str::to_owned),
            priority: false,
        }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let event = payload::Event::read(verified)?;
        let what = match PROFILE.becomes(&event.topic) {
            None => reading::unknown(&event.topic),
            becomes => reading::told(becomes),
        };
        // The id is signed, and the same whenever the message is tried again.
        let identity = verified.header(Names::STANDARD.id).unwrap_or_default().to_owned();
        Ok(vec![Notice { account: event.seller, identity, what }])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        signed_message::sign(unsigned, SECRET)
    }
}
