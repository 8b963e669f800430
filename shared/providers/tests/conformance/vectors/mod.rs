//! What others published of their own signatures. But for the wrappers of `broken`, only these know a provider by name.

mod clover;
mod ebay;
mod google_calendar;
mod meta;
mod microsoft_graph;
mod paysafe;
mod shopify;
mod square;
mod standard_webhooks;
mod whatnot;
mod woocommerce;

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_providers::verified::{self, Verified};
use hooktide_providers::{Arrival, Webhooks};
use http::Request;
use jiff::Timestamp;

/// The key that verifies a request.
fn verify(
    provider: &dyn Webhooks,
    request: &Request<Bytes>,
    url: &str,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<KeyId, AuthFault> {
    provider.verify(&Arrival { request, url, secrets, now }).map(|proved| proved.key)
}

/// A request that is verified.
fn open(
    provider: &dyn Webhooks,
    request: &Request<Bytes>,
    url: &str,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Verified, AuthFault> {
    verified::open(provider, &Arrival { request, url, secrets, now })
}
