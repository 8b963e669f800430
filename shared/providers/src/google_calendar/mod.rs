//! Google Calendar: messages of headers alone, proved by the token of their channel. See the README beside this file.

mod payload;
mod sample;

use hooktide_model::signing::SUBSCRIPTION_KEY;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use self::payload::Message;
use super::{Becomes, Covers, Label, Profile, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

const TOKEN: &str = "x-goog-channel-token";
const CHANNEL: &str = "x-goog-channel-id";
const EXPIRATION: &str = "x-goog-channel-expiration";
const RESOURCE: &str = "x-goog-resource-id";
const RESOURCE_URI: &str = "x-goog-resource-uri";
const STATE: &str = "x-goog-resource-state";
const NUMBER: &str = "x-goog-message-number";

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "google-calendar",
    needs: &[],
    topics: &[
        Topic { name: "exists", becomes: Becomes::Sync("calendar") },
        Topic { name: "not_exists", becomes: Becomes::Sync("calendar") },
        Topic { name: "sync", becomes: Becomes::Ignored("the channel is open") },
    ],
    // Google retries with growing gaps; for how long is not documented.
    window: Duration::from_secs(72 * 3600),
    identity: "channel and message number",
    schemes: &[Scheme::header(TOKEN, Covers::NOTHING)],
    // No message says whose it is: an endpoint has one connection.
    signs_account: false,
    headers: &[CHANNEL, RESOURCE, STATE, NUMBER, RESOURCE_URI, EXPIRATION],
    needed: &[],
    optional: &[],
    items: &[],
    own_marks: &[],
    sample_account: "owner@example.com",
    sample_secrets: &[],
};

/// The provider.
pub(super) struct GoogleCalendar;

impl Provider for GoogleCalendar {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://www.googleapis.com")
    }

    fn derives_tokens(&self) -> bool {
        true
    }

    /// Nothing is looked up, so the first message passes also when it is faster than the answer to the watch call.
    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let token = signing::signature_header(request.headers(), TOKEN)?;
        let channel = signing::signature_header(request.headers(), CHANNEL)?;
        if !payload::is_channel(channel) {
            return Err(AuthFault::Malformed);
        }
        signing::verify_token(secrets, SUBSCRIPTION_KEY, now, token, channel)
    }

    fn label(&self, verified: &Verified) -> Label {
        let delivery = Message::of(verified).ok().map(|message| message.identity());
        Label { topic: verified.header(STATE).map(str::to_owned), delivery, priority: false }
    }

    /// There is no body. One that comes all the same is not looked at: what counts is said before it.
    fn readable(&self, verified: &Verified) -> Result<(), Fault> {
        Message::of(verified).map(drop)
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let message = Message::of(verified)?;
        let what = match PROFILE.becomes(message.state) {
            None => reading::unknown(message.state),
            becomes => reading::told(becomes).about(message.channel),
        };
        Ok(vec![Notice { account: None, identity: message.identity(), what }])
    }

    /// Empty: the topic stands in a header.
    fn sample(&self, topic: &str, _sample: &Sample<'_>) -> Option<Bytes> {
        PROFILE.becomes(topic).is_some().then(Bytes::new)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let key = unsigned.secret(SUBSCRIPTION_KEY)?;
        let (channel, number) = sample::message(unsigned.delivery, unsigned.account);
        Request::post(unsigned.url)
            .header("content-type", "application/json; charset=utf-8")
            .header(TOKEN, signing::subscription_token(key, &channel))
            .header(CHANNEL, channel)
            .header(EXPIRATION, sample::expiration(unsigned.now))
            .header(RESOURCE, sample::resource(unsigned.account))
            .header(RESOURCE_URI, "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json")
            .header(STATE, unsigned.topic)
            .header(NUMBER, number)
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}
