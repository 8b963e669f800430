//! Sealing of secrets at rest, and everything else that is derived from the deployment's root keys.
//!
//! A sealed text is `<key id>.<base64url of nonce and ciphertext>`: AES-256-GCM with tenant, record key and field as
//! associated data, so that a sealed secret cannot be opened if it is copied elsewhere. Root keys rotate by adding
//! one and making it current; older ones stay readable by their id.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use data_encoding::BASE64URL_NOPAD;
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::secret::Secret;
use crate::signing;
use crate::tenant::Tenant;

/// Bytes of an AES-GCM nonce.
const NONCE: usize = 12;

/// The root keys of a deployment: several to seal and derive with, and a separate one for webhook addresses.
///
/// All are derived from stored texts of high entropy: a first one, made with the deployment, and one for each rotation
/// since. So any generator of random text can make a deployment's root keys.
#[derive(Debug, Clone)]
pub struct RootKeys {
    first: Secret,
    rotated: Vec<Secret>,
    current: String,
    keys: BTreeMap<String, Secret>,
    address: Secret,
}

/// The stored form of root keys.
#[derive(Serialize, Deserialize)]
struct StoredRootKeys {
    first: String,
    rotated: Vec<String>,
}

/// The minimum length of a root key, in characters: 32 random bytes have 43 as base64.
const SHORTEST: usize = 43;

/// The place that a sealed secret is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant that owns it.
    pub tenant: &'a Tenant,
    /// The partition key of the record that holds it.
    pub record: &'a str,
    /// The field of the record, and the entry in it.
    pub field: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.tenant, self.record, self.field).into_bytes()
    }
}

impl RootKeys {
    /// Generates new root keys.
    pub fn generate(entropy: &Entropy) -> Self {
        Self::of(new_text(entropy), Vec::new())
    }

    /// Parses the stored form.
    pub fn from_json(text: &str) -> Result<Self, Fault> {
        let StoredRootKeys { first, rotated } = serde_json::from_str(text).map_err(|error| {
            // The error's own text is left out, since it quotes its input, which may be a key.
            let (line, column) = (error.line(), error.column());
            Fault::failed(format!("root keys: {:?} error at line {line}, column {column}", error.classify()))
        })?;
        if std::iter::once(&first).chain(&rotated).any(|text| text.len() < SHORTEST) {
            return Err(Fault::failed(format!("root keys: a text has fewer than {SHORTEST} characters")));
        }
        Ok(Self::of(Secret::new(first), rotated.into_iter().map(Secret::new).collect()))
    }

    /// The stored form; only the deployment's own store of root keys may hold it.
    pub fn to_json(&self) -> Secret {
        let text = |secret: &Secret| secret.expose_text().unwrap_or_default().to_owned();
        let stored = StoredRootKeys { first: text(&self.first), rotated: self.rotated.iter().map(text).collect() };
        Secret::new(serde_json::to_vec(&stored).unwrap_or_default())
    }

    /// Adds a key and makes it current; secrets sealed with older keys stay readable.
    pub fn rotate(&mut self, entropy: &Entropy) {
        let rotated = self.rotated.iter().cloned().chain([new_text(entropy)]).collect();
        *self = Self::of(self.first.clone(), rotated);
    }

    fn of(first: Secret, rotated: Vec<Secret>) -> Self {
        let keys = std::iter::once(&first).chain(&rotated).map(|text| {
            let id = signing::sha256(&[b"root key id\0", text.expose()]);
            (BASE64URL_NOPAD.encode(&id[..6]), expanded(text, "root key"))
        });
        let mut keys: Vec<(String, Secret)> = keys.collect();
        let current = keys.last().map(|(id, _)| id.clone()).unwrap_or_default();
        let keys = keys.drain(..).collect();
        Self { address: expanded(&first, "addresses"), first, rotated, current, keys }
    }

    /// Whether the key `id` is among them.
    pub fn knows(&self, id: &str) -> bool {
        self.keys.contains_key(id)
    }

    /// The key that webhook addresses are marked with. It never rotates, since providers keep addresses for years.
    pub fn address_key(&self) -> &Secret {
        &self.address
    }

    /// The ids of all keys.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// The id of the current key.
    pub fn current_id(&self) -> &str {
        &self.current
    }

    /// A separate key for `purpose`, derived from the root key `id`; `None` if there is no such key.
    pub fn derived(&self, id: &str, purpose: &str) -> Option<Secret> {
        self.keys.get(id).map(|root| expanded(root, purpose))
    }

    /// Seals a secret for its place.
    pub fn seal(&self, secret: &Secret, place: Place<'_>, entropy: &Entropy) -> Result<String, Fault> {
        let nonce = entropy.bytes::<NONCE>();
        let sealed = self
            .cipher(&self.current)?
            .encrypt(&Nonce::from(nonce), Payload { msg: secret.expose(), aad: &place.associated_data() })
            .map_err(|_| Fault::failed("a secret could not be sealed"))?;
        Ok(format!("{}.{}", self.current, BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat())))
    }

    /// Opens a secret that was sealed for this place.
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<Secret, Fault> {
        let unreadable =
            || Fault::failed(format!("the sealed secret {} of {} does not open", place.field, place.record));
        let (id, text) = sealed.split_once('.').ok_or_else(unreadable)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| unreadable())?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or_else(unreadable)?;
        self.cipher(id)?
            .decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: &place.associated_data() })
            .map(Secret::new)
            .map_err(|_| unreadable())
    }

    fn cipher(&self, id: &str) -> Result<Aes256Gcm, Fault> {
        let missing = || Fault::retryable(format!("the root key {id} is not known here"));
        let key = self.derived(id, "seal").ok_or_else(missing)?;
        Aes256Gcm::new_from_slice(key.expose()).map_err(|_| missing())
    }
}

/// The id of the root key that a sealed text was made with.
pub fn root_key_of(sealed: &str) -> Option<&str> {
    sealed.split_once('.').map(|(id, _)| id)
}

fn new_text(entropy: &Entropy) -> Secret {
    Secret::new(BASE64URL_NOPAD.encode(&entropy.bytes::<32>()))
}

fn expanded(secret: &Secret, purpose: &str) -> Secret {
    let mut expanded = [0_u8; 32];
    match Hkdf::<Sha256>::new(None, secret.expose()).expand(purpose.as_bytes(), &mut expanded) {
        Ok(()) => Secret::new(expanded),
        Err(hkdf::InvalidLength) => unreachable!("32 bytes are fewer than 255 hashes have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place() {
        let entropy = Entropy::seeded(1);
        let keys = RootKeys::generate(&entropy);
        let (ours, theirs) = (Tenant::system(), Tenant::default_local());
        let place = Place { tenant: &ours, record: "E#shopify#a", field: "client_secret/k" };
        let sealed = keys.seal(&Secret::new("hush"), place, &entropy).unwrap();
        assert_eq!(keys.open(&sealed, place), Ok(Secret::new("hush")));
        for elsewhere in [
            Place { tenant: &theirs, ..place },
            Place { record: "E#shopify#b", ..place },
            Place { field: "client_secret/l", ..place },
        ] {
            assert!(keys.open(&sealed, elsewhere).is_err(), "{elsewhere:?}");
        }
    }

    #[test]
    fn root_keys_rotate_and_older_secrets_stay_readable() {
        let entropy = Entropy::seeded(2);
        let mut keys = RootKeys::generate(&entropy);
        let tenant = Tenant::system();
        let place = Place { tenant: &tenant, record: "r", field: "f" };
        let old = keys.seal(&Secret::new("old"), place, &entropy).unwrap();
        keys.rotate(&entropy);
        let new = keys.seal(&Secret::new("new"), place, &entropy).unwrap();
        let reread = RootKeys::from_json(keys.to_json().expose_text().unwrap()).unwrap();
        assert_eq!(reread.open(&old, place), Ok(Secret::new("old")));
        assert_eq!(reread.open(&new, place), Ok(Secret::new("new")));
        assert_ne!(old.split('.').next(), new.split('.').next());
    }

    #[test]
    fn secrets_are_redacted_in_debug_output() {
        let keys = RootKeys::generate(&Entropy::seeded(3));
        assert!(!format!("{keys:?}").contains("expose"));
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret(redacted)");
    }
}
