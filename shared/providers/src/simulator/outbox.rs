//! Notifications that wait to be sent, and what is made up for them.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::drawn;
use crate::Profile;
use hooktide_model::fault::Fault;
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};

/// How many notifications wait at the most; what nobody takes is lost.
const MOST_WAITING: usize = 10_000;

/// The notifications of an account.
#[derive(Debug)]
pub(crate) struct Outbox {
    seed: u64,
    made: u64,
    /// Each with the time from which on it is sent.
    waiting: Vec<(Timestamp, Request<Bytes>)>,
}

impl Outbox {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0, waiting: Vec::new() }
    }

    /// The number of what is made next.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A new id of so many letters and digits.
    pub(crate) fn next_id(&mut self, purpose: &str, length: usize) -> String {
        let number = self.next_number();
        drawn::id(self.seed, &format!("{purpose} {number}"), length)
    }

    /// Adds a notification, signed as its provider signs it.
    pub(crate) fn push(&mut self, signed: Result<Request<Bytes>, Fault>) {
        signed.into_iter().for_each(|notification| self.push_at(notification, Timestamp::MIN));
    }

    /// Adds a notification that is sent from that time on.
    pub(crate) fn push_at(&mut self, notification: Request<Bytes>, at: Timestamp) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push((at, notification));
        }
    }

    /// What is to be sent now.
    pub(crate) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        let waiting = std::mem::take(&mut self.waiting);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(at, _)| *at <= now);
        self.waiting = later;
        due.into_iter().map(|(_, notification)| notification).collect()
    }
}

/// One secret to sign with.
pub(crate) fn signing_by(name: &str, text: &str) -> Secrets {
    let secret = Secret::new(text.as_bytes());
    Secrets::new(vec![LiveSecret { name: name.to_owned(), id: KeyId("own".to_owned()), secret, retires_at: None }])
}

/// A credential or secret of a provider's samples; empty if there is none of that name.
pub(crate) fn sample(profile: &Profile, name: &str) -> &'static str {
    let all = profile.sample_credentials.iter().chain(profile.sample_secrets);
    all.into_iter().find(|(of, _)| *of == name).map_or("", |(_, text)| text)
}

/// Whether webhooks can be sent to an address: providers want HTTPS; here, this machine will do without.
pub(crate) fn is_address(url: &str) -> bool {
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    url.starts_with("https://") || local.iter().any(|start| url.starts_with(start))
}
