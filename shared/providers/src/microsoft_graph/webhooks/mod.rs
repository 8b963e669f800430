//! Graph's notifications: each item of a body is proved by its own `clientState`.

mod handshake;
mod payload;
mod sample;

use bytes::Bytes;
use http::Request;

use super::MicrosoftGraph;
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, HandshakeReply, Label, Proved, Sample, Unsigned, Webhooks, json};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::{Notice, What};
use hooktide_model::signing;

impl Webhooks for MicrosoftGraph {
    fn handshake(&self, arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        handshake::reply(arrival.request)
    }

    /// One item that verifies is enough; the others are left out.
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let items = payload::items(arrival.body()).ok_or(AuthFault::Malformed)?;
        let (mut key, mut unproved, mut fault) = (None, Vec::new(), AuthFault::Missing);
        for (index, item) in items.into_iter().enumerate() {
            match payload::prove(item, arrival.secrets, arrival.now) {
                Ok(by) => drop(key.get_or_insert(by)),
                Err(other) => {
                    unproved.push(index);
                    fault = graver(fault, other);
                }
            }
        }
        Ok(Proved { key: key.ok_or(fault)?, unproved })
    }

    /// The topic of the first notification; others may have others.
    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::first_topic(verified).filter(|topic| topic.len() <= payload::LONGEST_TOPIC);
        Label { topic, delivery: None, priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let whole = |index: usize| format!("{}/{index}", signing::sha256_hex(verified.body()));
        let read = |index: usize, notification: payload::Notification<'_>| {
            // With an odd part it could be taken for a repeat of another.
            let identity = match notification.is_odd() {
                true => whole(index),
                false => notification.identity(verified.received_at()),
            };
            let through = Some(notification.subscription_id().to_owned());
            let what = notification.told().about(notification.reference()).through(through);
            Notice { account: None, identity, what }
        };
        // Nothing in it can be believed to tell it from others but its place.
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
        let request = Request::post(unsigned.url).header("content-type", "application/json; charset=utf-8");
        sent(request, body)
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

/// Checks the body. Whatever a key verified was read for it; only its depth was not looked at.
pub(super) fn check(verified: &Verified) -> Result<(), Fault> {
    if verified.key_id().is_some() { json::nests_little(verified.body()) } else { json::check(verified.text()) }
}
