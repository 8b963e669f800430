//! Samples: realistic deliveries that we make ourselves, for tests and demos.

use bytes::Bytes;
use http::Request;
use http::request::Builder;
use jiff::Timestamp;

use super::{Need, Profile};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};

/// The subject of a sample.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Which of many entities it is about: the same number is the same entity.
    pub number: u64,
    /// The time of its version.
    pub updated_at: Timestamp,
    /// The account that it belongs to.
    pub account: &'a str,
}

/// A delivery to be signed.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The body.
    pub body: Bytes,
    /// The account that it belongs to.
    pub account: &'a str,
    /// The provider's id of the delivery.
    pub delivery: &'a str,
    /// The secrets to sign with.
    pub secrets: &'a Secrets,
    /// The address that it will be sent to.
    pub url: &'a str,
    /// The time of sending.
    pub now: Timestamp,
}

impl Unsigned<'_> {
    /// The newest live secret of `name`.
    pub fn secret(&self, name: &'static str) -> Result<&LiveSecret, Fault> {
        let missing =
            || Fault::permanent(ErrorClass::Unreadable, format!("there is no live secret `{name}` to sign with"));
        self.secrets.live(name, self.now).next().ok_or_else(missing)
    }
}

/// The signed request, with its body.
pub(crate) fn sent(request: Builder, body: Bytes) -> Result<Request<Bytes>, Fault> {
    request.body(body).map_err(|error| Fault::failed(format!("the sample request: {error}")))
}

/// One secret under each name that a provider needs: for samples, where whoever asks gives only one.
pub fn signing_with(profile: &Profile, secret: &Secret) -> Secrets {
    let named = |need: &Need| LiveSecret {
        name: need.name.to_owned(),
        id: KeyId("given".to_owned()),
        secret: secret.clone(),
        retires_at: None,
    };
    Secrets::new(profile.needs.iter().map(named).collect())
}
