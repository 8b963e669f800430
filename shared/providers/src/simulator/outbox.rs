//! Notifications that wait to be sent, and what is made up for them.

use bytes::Bytes;
use http::Request;

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
    waiting: Vec<Request<Bytes>>,
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
        if self.waiting.len() < MOST_WAITING {
            self.waiting.extend(signed.ok());
        }
    }

    /// What waits.
    pub(crate) fn take(&mut self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.waiting)
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
