//! Idempotency keys: a request that is repeated makes nothing twice.

use data_encoding::HEXLOWER;
use hooktide_model::address;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Key;
use hooktide_store::records::{self, Record};

use super::fields::LONGEST_TEXT;
use super::{Context, Refusal};
use crate::Ports;

/// The field that a refused key is reported under: the header that carries it.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// How often a request that met another one with its key is tried.
const TRIES: usize = 3;

/// The key of a request that makes something, and a fingerprint of its body.
#[derive(Debug, Clone, Default)]
pub struct Repeat {
    key: Option<Vec<u8>>,
    /// Tells another request with the same key; no hash that anybody else could try bodies against.
    fingerprint: Option<String>,
}

impl Repeat {
    /// A key whose requests are all the same.
    pub fn under(key: &str) -> Self {
        Self { key: Some(key.as_bytes().to_vec()), fingerprint: None }
    }

    /// The key of a tenant's request, if it has one, with the hash of its body.
    pub async fn new(ports: &Ports, tenant: &Tenant, key: Option<&[u8]>, body: [u8; 32]) -> Result<Self, Fault> {
        let keys = ports.keys.root().await?;
        let parts: [&[u8]; 3] = [b"a request\0", tenant.as_str().as_bytes(), &body];
        let mac = signing::hmac_sha256(keys.address_key().expose(), &parts);
        Ok(Self { key: key.map(<[u8]>::to_vec), fingerprint: Some(HEXLOWER.encode(&mac)) })
    }

    /// Whether a repeat of this request is recognised.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The fingerprint, for the record that the request makes.
    pub(super) fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }

    /// Refuses if another request made the record. A record without a fingerprint says nothing.
    pub(super) fn made(&self, former: Option<&str>) -> Result<(), Refusal> {
        let (Some(former), Some(own)) = (former, &self.fingerprint) else { return Ok(()) };
        if signing::equal(former.as_bytes(), own.as_bytes()) { Ok(()) } else { Err(other_request()) }
    }

    /// Whether to look again for what the request makes, after a try was refused: somebody else may have been faster.
    pub(super) fn looks_again(&self, refusal: &Refusal, tries: usize) -> bool {
        self.has_key() && refusal.is_race() && tries < TRIES
    }

    /// Refuses a key that was used for another provider: the ids that it gives differ.
    pub(super) async fn refuse_other_provider<R: Record>(
        &self,
        context: Context<'_>,
        (resource, provider): (&str, &str),
        key: impl Fn(&str, &str) -> Key,
        exists: impl Fn(&R) -> bool,
    ) -> Result<(), Refusal> {
        if !self.has_key() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for other in hooktide_providers::ALL.iter().map(|other| other.id()).filter(|other| *other != provider) {
            keys.push(key(other, &self.id(context, resource, other).await?));
        }
        for item in context.table().get_many(&keys).await?.into_iter().flatten() {
            if exists(&records::decode::<R>(item)?.record) {
                return Err(other_request());
            }
        }
        Ok(())
    }

    /// A new id for a resource; the same one for the same key.
    pub(super) async fn id(&self, context: Context<'_>, resource: &str, provider: &str) -> Result<String, Refusal> {
        id_for(context, (resource, provider), self.key.as_deref()).await
    }
}

/// Refuses a key that was used for a request with another body.
pub fn other_request() -> Refusal {
    Refusal::invalid(IDEMPOTENCY_KEY, "it was used for a request with another body; take a new key")
}

/// A new id for a resource; the same one for the same key.
pub async fn id_for(
    context: Context<'_>,
    (resource, provider): (&str, &str),
    key: Option<&[u8]>,
) -> Result<String, Refusal> {
    let keys = context.ports.keys.root().await?;
    match key {
        None => Ok(address::new_id(provider, &keys, &context.ports.entropy)),
        Some(key) if key.len() <= LONGEST_TEXT => {
            let parts = [context.tenant.as_str().as_bytes(), resource.as_bytes(), provider.as_bytes(), key];
            Ok(address::id_from(provider, &parts.join(&0), &keys))
        }
        Some(_) => Err(Refusal::invalid(IDEMPOTENCY_KEY, "it has at most 255 characters")),
    }
}
