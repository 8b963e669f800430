//! A request to a webhook address, with all that it is judged by.

use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::Timestamp;

use super::Proved;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{LiveSecret, Secrets};
use hooktide_model::signing;

/// A request that came in, before anybody has verified it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The request, with the exact bytes of its body.
    pub request: &'a Request<Bytes>,
    /// The address that the provider was told to call, exactly: some providers sign it.
    pub url: &'a str,
    /// The secrets of the endpoint.
    pub secrets: &'a Secrets,
    /// The time at which it came.
    pub now: Timestamp,
}

impl<'a> Arrival<'a> {
    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.request.headers()
    }

    /// The exact bytes of the body.
    pub fn body(&self) -> &'a Bytes {
        self.request.body()
    }

    /// The one value of a signature header (see [`signing::signature_header`]).
    pub fn signature(&self, name: &str) -> Result<&'a str, AuthFault> {
        signing::signature_header(self.headers(), name)
    }

    /// The live secrets of `name` that are not empty.
    pub fn live(&self, name: &'a str) -> impl Iterator<Item = &'a LiveSecret> {
        self.secrets.live(name, self.now).filter(|live| !live.secret.expose().is_empty())
    }

    /// Finds the live secret of `name` whose MAC is `signature` (see [`signing::verify_mac`]).
    pub fn verify_mac(
        &self,
        name: &str,
        signature: &[u8],
        mac: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Proved, AuthFault> {
        signing::verify_mac(self.secrets, name, self.now, signature, mac).map(Proved::from)
    }
}
