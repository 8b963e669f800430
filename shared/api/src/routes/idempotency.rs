//! `Idempotency-Key`: a request that is repeated makes nothing twice.

use axum::http::HeaderMap;
use data_encoding::HEXLOWER;
use hooktide_model::address;
use hooktide_model::names::ProblemType;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Key;
use hooktide_store::records::{self, Record};

use super::checks::LONGEST_TEXT;
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// The header that makes repeating a request harmless.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How often a request that met another one with its key is tried.
const TRIES: usize = 3;

/// A request that makes something, and may be repeated.
pub(crate) struct Repeatable {
    /// Whether it has a key.
    pub(crate) keyed: bool,
    /// What is stored of it, to tell another request with the same key: no hash that anybody else could try bodies against.
    pub(crate) fingerprint: String,
    /// How often it was tried.
    tries: usize,
}

impl Repeatable {
    /// A request of a tenant, by the hash of its body.
    pub(crate) async fn new(api: &Api, tenant: &Tenant, headers: &HeaderMap, body: [u8; 32]) -> Answer<Self> {
        let keys = api.ports().keys.root().await?;
        let parts: [&[u8]; 3] = [b"a request\0", tenant.as_str().as_bytes(), &body];
        let mac = signing::hmac_sha256(keys.address_key().expose(), &parts);
        Ok(Self { keyed: headers.contains_key(IDEMPOTENCY_KEY), fingerprint: HEXLOWER.encode(&mac), tries: 0 })
    }

    /// Whether this request made what is there; refuses if another one did. What older code made says nothing.
    pub(crate) fn made(&self, former: Option<&str>) -> Answer<()> {
        if former.is_none_or(|former| signing::equal(former.as_bytes(), self.fingerprint.as_bytes())) {
            return Ok(());
        }
        Err(other_request())
    }

    /// Whether to look again for what it makes, after it was refused: somebody else may have been faster.
    pub(crate) fn looks_again(&mut self, refused: &Refused) -> bool {
        let raced = refused.is(ProblemType::Conflict) || refused.is(ProblemType::Unavailable);
        self.tries += 1;
        self.keyed && raced && self.tries < TRIES
    }
}

/// Refuses a key that was used for another provider: the ids that it gives differ.
pub(crate) async fn refuse_other_provider<R: Record>(
    api: &Api,
    (tenant, resource, provider): (&Tenant, &str, &str),
    headers: &HeaderMap,
    key: impl Fn(&str, &str) -> Key,
    stands: impl Fn(&R) -> bool,
) -> Answer<()> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        return Ok(());
    }
    let mut keys = Vec::new();
    for other in hooktide_providers::ALL.iter().map(|other| other.id()).filter(|other| *other != provider) {
        keys.push(key(other, &id_for(api, tenant, resource, other, headers).await?));
    }
    for item in api.table().get_many(&keys).await?.into_iter().flatten() {
        if stands(&records::decode::<R>(item)?.record) {
            return Err(other_request());
        }
    }
    Ok(())
}

/// Says that a key was used for a request with another body.
pub(crate) fn other_request() -> Refused {
    Refused::invalid(IDEMPOTENCY_KEY, "it was used for a request with another body; take a new key")
}

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
