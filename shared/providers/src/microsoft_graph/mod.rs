//! Microsoft Graph: notifications in lots, each of which is proved by its own `clientState`. See the README beside this
//! file.

mod handshake;
mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;

use super::{
    Becomes, Covers, Handshake, Label, Profile, Proof, Provider, Sample, Scheme, Topic, Unsigned, is_json, nests_little,
};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::{Notice, What};
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "microsoft-graph",
    needs: &[],
    topics: &[
        Topic { name: "created", becomes: Becomes::Sync("calendar") },
        Topic { name: "updated", becomes: Becomes::Sync("calendar") },
        Topic { name: "deleted", becomes: Becomes::Sync("calendar") },
        Topic { name: "reauthorizationRequired", becomes: Becomes::Sync("subscription") },
        Topic { name: "subscriptionRemoved", becomes: Becomes::Sync("subscription") },
        Topic { name: "missed", becomes: Becomes::Sync("subscription") },
    ],
    // Graph retries for 4 hours; twice that, since nobody says when they begin.
    window: Duration::from_secs(8 * 3600),
    identity: "subscription, topic, thing and its version; without a version: expiry, id and quarter of an hour",
    schemes: {
        const SCHEMES: &[Scheme] =
            &[Scheme { proof: Proof::Field(payload::PROOF), covers: Covers::NOTHING, list: false }];
        SCHEMES
    },
    // No notification says whose mailbox it is about: an endpoint has one connection.
    signs_account: false,
    // Everything stands in the body.
    headers: &[],
    needed: &["value[].subscriptionId", "value[].clientState", "value[].changeType", "value[].lifecycleEvent"],
    optional: &[],
    items: &["value"],
    own_marks: &[],
    sample_account: "owner@example.com",
    sample_secrets: &[],
};

/// The provider.
pub(super) struct MicrosoftGraph;

impl Provider for MicrosoftGraph {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://graph.microsoft.com")
    }

    fn derives_tokens(&self) -> bool {
        true
    }

    fn accepted(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }

    /// Microsoft asks for it: a refusal would tell whoever made the notification up that it failed, and would be retried.
    fn refused(&self) -> StatusCode {
        StatusCode::ACCEPTED
    }

    fn handshake(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        _secrets: &Secrets,
        _now: Timestamp,
    ) -> Option<Handshake> {
        handshake::answer(request)
    }

    /// One item that verifies is enough; the others are dropped.
    fn verify(
        &self,
        request: &Request<Bytes>,
        url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        self.verify_each(request, url, secrets, now).map(|(key, _)| key)
    }

    fn verify_each(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(KeyId, Vec<usize>), AuthFault> {
        let items = payload::items(request.body()).ok_or(AuthFault::Malformed)?;
        let (mut verified, mut dropped, mut fault) = (None, Vec::new(), AuthFault::Missing);
        for (index, item) in items.into_iter().enumerate() {
            match payload::prove(item, secrets, now) {
                Ok(key) => drop(verified.get_or_insert(key)),
                Err(other) => {
                    dropped.push(index);
                    fault = graver(fault, other);
                }
            }
        }
        Ok((verified.ok_or(fault)?, dropped))
    }

    /// The topic of the first notification; others may have others.
    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::first_topic(verified).filter(|topic| topic.len() <= payload::LONGEST_TOPIC);
        Label { topic, delivery: None, priority: false }
    }

    /// What a key verified was read for it; how deep it nests was not looked at.
    fn readable(&self, verified: &Verified) -> Result<(), Fault> {
        if verified.key_id().is_some() { nests_little(verified.body()) } else { is_json(verified.text()) }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let whole = |index: usize| format!("{}/{index}", signing::sha256_hex(verified.body()));
        let read = |index: usize, notification: payload::Notification<'_>| {
            // With an odd part it could be taken for a repeat of another.
            let identity = match notification.is_odd() {
                true => whole(index),
                false => notification.identity(verified.received_at()),
            };
            let what = notification.told().about(notification.subscription_id());
            Notice { account: None, identity, what }
        };
        // Nothing in it can be believed to tell it from others: only where it stands.
        let odd =
            |index: usize, reason: &str| Notice { account: None, identity: whole(index), what: What::ignored(reason) };
        let notifications = payload::notifications(verified)?.into_iter();
        let notices = notifications.map(|(index, notification)| match notification {
            Some(notification) => read(index, notification),
            None => odd(index, "a notification of no known form"),
        });
        let rest = verified.dropped().contains(&payload::MOST_ITEMS);
        let rest = rest.then(|| odd(payload::MOST_ITEMS, "more notifications than are looked at"));
        Ok(notices.chain(rest).collect())
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let body = sample::signed(&unsigned)?;
        Request::post(unsigned.url)
            .header("content-type", "application/json; charset=utf-8")
            .body(body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}

/// The fault that says more of two: what newer secrets could mend counts most.
fn graver(one: AuthFault, other: AuthFault) -> AuthFault {
    let rank = |fault: &AuthFault| match fault {
        AuthFault::Missing => 0,
        AuthFault::Malformed => 1,
        AuthFault::Expired => 2,
        AuthFault::Mismatch => 3,
        AuthFault::NoSecret => 4,
    };
    if rank(&other) > rank(&one) { other } else { one }
}
