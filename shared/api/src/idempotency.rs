//! The `Idempotency-Key` header.

use axum::http::HeaderMap;
use hooktide_flows::connect::Repeat;
use hooktide_model::tenant::Tenant;

use crate::answer::Answer;
use crate::state::Api;

/// The header that makes repeating a request harmless.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The key of a request, if it has one.
pub(crate) fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(IDEMPOTENCY_KEY).map(|key| key.as_bytes())
}

/// The key of a tenant's request, with the hash of its body.
pub(crate) async fn repeat(api: &Api, tenant: &Tenant, headers: &HeaderMap, body: [u8; 32]) -> Answer<Repeat> {
    Ok(Repeat::new(api.ports(), tenant, key_of(headers), body).await?)
}
