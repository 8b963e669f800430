//! Google Calendar: messages of headers alone, proved by the token of their channel. See the README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use self::payload::Message;
use super::{Becomes, Covers, Label, Need, Provider, SUBSCRIPTION_KEY, Sample, Scheme, Topic, Unsigned};
use crate::fault::{AuthFault, Fault};
use crate::notice::{Notice, What};
use crate::secret::{KeyId, Secrets};
use crate::signing;
use crate::verified::Verified;

const TOKEN: &str = "x-goog-channel-token";
const CHANNEL: &str = "x-goog-channel-id";
const EXPIRATION: &str = "x-goog-channel-expiration";
const RESOURCE: &str = "x-goog-resource-id";
const RESOURCE_URI: &str = "x-goog-resource-uri";
const STATE: &str = "x-goog-resource-state";
const NUMBER: &str = "x-goog-message-number";

/// The provider.
pub(super) struct GoogleCalendar;

impl Provider for GoogleCalendar {
    fn id(&self) -> &'static str {
        "google-calendar"
    }

    fn needs(&self) -> &'static [Need] {
        &[]
    }

    fn topics(&self) -> &'static [Topic] {
        const TOPICS: &[Topic] = &[
            Topic { name: "exists", becomes: Becomes::Sync("calendar") },
            Topic { name: "not_exists", becomes: Becomes::Sync("calendar") },
            Topic { name: "sync", becomes: Becomes::Ignored("the channel is open") },
        ];
        TOPICS
    }

    /// Google retries with growing gaps; for how long is not documented.
    fn window(&self) -> Duration {
        Duration::from_secs(72 * 3600)
    }

    fn identity(&self) -> &'static str {
        "channel and message number"
    }

    fn schemes(&self) -> &'static [Scheme] {
        const SCHEMES: &[Scheme] = &[Scheme::header(TOKEN, Covers::NOTHING)];
        SCHEMES
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://www.googleapis.com")
    }

    fn derives_tokens(&self) -> bool {
        true
    }

    /// No message says whose it is: an endpoint has one connection.
    fn signs_account(&self) -> bool {
        false
    }

    fn headers(&self) -> &'static [&'static str] {
        &[CHANNEL, RESOURCE, STATE, NUMBER, RESOURCE_URI, EXPIRATION]
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
        let what = match self.topics().iter().find(|topic| topic.name == message.state).map(|topic| topic.becomes) {
            Some(Becomes::Sync(resource)) => What::Hint { resource, of: Some(message.channel.to_owned()) },
            Some(Becomes::Ignored(reason)) => What::ignored(reason),
            Some(Becomes::Kind(_) | Becomes::Privacy) | None => What::ignored("unknown topic"),
        };
        Ok(vec![Notice { account: None, identity: message.identity(), what }])
    }

    fn sample_account(&self) -> &'static str {
        "owner@example.com"
    }

    fn sample_secrets(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Empty: the topic stands in a header.
    fn sample(&self, topic: &str, _sample: &Sample<'_>) -> Option<Bytes> {
        self.topics().iter().any(|known| known.name == topic).then(Bytes::new)
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
