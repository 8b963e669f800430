//! The secrets that eBay needs: their names, and their forms.

use super::key::{self, SampleKey};
use crate::protocols::query;
use hooktide_model::secret::Secret;

pub(super) const VERIFICATION_TOKEN: &str = "verification_token";
pub(super) const PUBLIC_KEY: &str = "public_key";
pub(super) const SAMPLE_KEY: &str = "sample_key";
pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// Refuses a verification token that eBay would not take.
pub(super) fn check_token(secret: &Secret) -> Result<(), &'static str> {
    let text = secret.expose_text().unwrap_or_default();
    let fits = text.len() >= 32 && query::is_plain(text, 80);
    if fits { Ok(()) } else { Err("must be 32 to 80 letters, digits, `-` and `_`") }
}

/// Refuses a text that is not plain.
pub(super) fn check_text(secret: &Secret) -> Result<(), &'static str> {
    let text = secret.expose_text().unwrap_or_default();
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err("must be plain text") }
}

/// Refuses a public key that does not say its own id.
pub(super) fn check_public_key(secret: &Secret) -> Result<(), &'static str> {
    let form = "must be JSON with `kid`, `key`, `algorithm` and `digest`, the last three as eBay gives them";
    if key::is_pinned(secret) { Ok(()) } else { Err(form) }
}

/// Refuses a private key that cannot sign.
pub(super) fn check_sample_key(secret: &Secret) -> Result<(), &'static str> {
    let form = "must be JSON with `kid` and, as `key`, the 64 hexadecimal digits of a P-256 private key";
    SampleKey::of(secret).map(drop).ok_or(form)
}
