//! The user of the API, by name and password.

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::answer::Refused;
use crate::paysafe::{PASSWORD, PROFILE, USERNAME};
use crate::simulator::{drawn, outbox};

/// Who may ask.
pub(super) struct Access {
    seed: u64,
    /// How often the password was replaced.
    replaced: u32,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, replaced: 0 }
    }

    /// Replaces the password by a new one.
    pub(super) fn replace(&mut self) {
        self.replaced += 1;
    }

    fn password(&self) -> String {
        match self.replaced {
            0 => outbox::sample(&PROFILE, PASSWORD).to_owned(),
            times => format!("B-qa2-0-{}", drawn::id(self.seed, &format!("password {times}"), 40)),
        }
    }

    /// Refuses a request of anybody else.
    pub(super) fn check(&self, request: &Request<Bytes>) -> Result<(), Refused> {
        let given =
            request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.strip_prefix("Basic "));
        let expected = BASE64.encode(format!("{}:{}", outbox::sample(&PROFILE, USERNAME), self.password()).as_bytes());
        if given == Some(expected.as_str()) { Ok(()) } else { Err(Refused::stranger()) }
    }

    /// The user that counts now.
    pub(super) fn shown(&self) -> Value {
        json!({ "username": outbox::sample(&PROFILE, USERNAME), "password": self.password() })
    }
}
