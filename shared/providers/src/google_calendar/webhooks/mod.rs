//! Google's messages: headers alone, of which the channel's token is the proof.

mod payload;
mod sample;

use bytes::Bytes;
use http::Request;

use self::payload::Message;
use super::{GoogleCalendar, PROFILE};
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;
use hooktide_model::signing::SUBSCRIPTION_KEY;

pub(super) const TOKEN: &str = "x-goog-channel-token";
pub(super) const CHANNEL: &str = "x-goog-channel-id";
pub(super) const EXPIRATION: &str = "x-goog-channel-expiration";
pub(super) const RESOURCE: &str = "x-goog-resource-id";
pub(super) const RESOURCE_URI: &str = "x-goog-resource-uri";
pub(super) const STATE: &str = "x-goog-resource-state";
pub(super) const NUMBER: &str = "x-goog-message-number";

impl Webhooks for GoogleCalendar {
    /// Nothing is looked up, so the first message passes also when it is faster than the answer to the watch call.
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let token = arrival.signature(TOKEN)?;
        let channel = arrival.signature(CHANNEL)?;
        if !payload::is_channel(channel) {
            return Err(AuthFault::Malformed);
        }
        signing::verify_token(arrival.secrets, SUBSCRIPTION_KEY, arrival.now, token, channel).map(Proved::from)
    }

    fn label(&self, verified: &Verified) -> Label {
        let delivery = Message::of(verified).ok().map(|message| message.identity());
        Label { topic: verified.header(STATE).map(str::to_owned), delivery, priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let message = Message::of(verified)?;
        let what = match PROFILE.becomes(message.state) {
            None => reading::unknown(message.state),
            becomes => reading::told(becomes).about(message.channel).through(payload::opened(verified, &message)),
        };
        Ok(vec![Notice { account: None, identity: message.identity(), what }])
    }

    /// Empty: the topic is in a header.
    fn sample(&self, topic: &str, _sample: &Sample<'_>) -> Option<Bytes> {
        PROFILE.becomes(topic).is_some().then(Bytes::new)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let key = unsigned.secret(SUBSCRIPTION_KEY)?;
        let (channel, number) = sample::message(unsigned.delivery, unsigned.account);
        let request = Request::post(unsigned.url)
            .header("content-type", "application/json; charset=utf-8")
            .header(TOKEN, signing::subscription_token(key, &channel))
            .header(CHANNEL, channel)
            .header(EXPIRATION, sample::expiration(unsigned.now))
            .header(RESOURCE, sample::resource(unsigned.account))
            .header(RESOURCE_URI, "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json")
            .header(STATE, unsigned.topic)
            .header(NUMBER, number);
        sent(request, unsigned.body)
    }
}

/// Checks the headers. There is no body; one that comes all the same is not read.
pub(super) fn check(verified: &Verified) -> Result<(), Fault> {
    Message::of(verified).map(drop)
}
