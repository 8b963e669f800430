//! `Idempotency-Key`: a request that is repeated makes nothing twice.

use axum::http::HeaderMap;
use hooktide_core::address;
use hooktide_core::tenant::Tenant;

use super::checks::LONGEST_TEXT;
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// The header that makes repeating a request harmless.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A new id for a resource; the same one for the same idempotency key.
pub(crate) async fn id_for(
    api: &Api,
    tenant: &Tenant,
    resource: &str,
    provider: &str,
    headers: &HeaderMap,
) -> Answer<String> {
    let keys = api.ports().keys.root().await?;
    match headers.get(IDEMPOTENCY_KEY) {
        None => Ok(address::new_id(provider, &keys, &api.ports().entropy)),
        Some(key) if key.len() <= LONGEST_TEXT => {
            let parts = [tenant.as_str().as_bytes(), resource.as_bytes(), provider.as_bytes(), key.as_bytes()];
            let seed = parts.join(&0);
            Ok(address::id_from(provider, &seed, &keys))
        }
        Some(_) => Err(Refused::invalid(IDEMPOTENCY_KEY, "it has at most 255 characters")),
    }
}
