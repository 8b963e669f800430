//! eBay's signature header and keys: which key signed, and whether it did.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use hooktide_model::fault::AuthFault;
use hooktide_model::secret::{LiveSecret, Secret};
use hooktide_model::signing::{self, Hash, P256Key};

/// The longest id of a key; eBay's have 36 characters.
const LONGEST_KID: usize = 64;

/// The JSON in the signature header.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    signature: String,
    digest: String,
}

/// The proof in a request.
pub(super) struct Proof {
    pub(super) kid: String,
    hash: Hash,
    signature: Vec<u8>,
}

impl Proof {
    /// Reads the signature header.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, AuthFault> {
        let json = signing::strict_base64(signing::signature_header(headers, super::SIGNATURE)?)?;
        let header: Header = serde_json::from_slice(&json).map_err(|_| AuthFault::Malformed)?;
        let hash = hash(&header.digest).filter(|_| header.alg.eq_ignore_ascii_case("ecdsa") && is_kid(&header.kid));
        let signature = signing::strict_base64(&header.signature)?;
        Ok(Self { kid: header.kid, hash: hash.ok_or(AuthFault::Malformed)?, signature })
    }

    /// Whether it is by this key, over these bytes.
    pub(super) fn is_by(&self, key: &PublicKey, body: &[u8]) -> bool {
        // Which hash counts is the key's to say; the header, which is not signed, may only agree.
        key.matches(&self.kid) && key.hash == self.hash && key.key.verifies(key.hash, body, &self.signature)
    }
}

/// A key as eBay answers it. The id is ours to add.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    kid: Option<String>,
    key: String,
    algorithm: String,
    digest: String,
}

/// A public key of eBay's.
pub(super) struct PublicKey {
    kid: String,
    hash: Hash,
    key: P256Key,
}

impl PublicKey {
    /// The key in a secret: one that was fetched has eBay's id as the secret's, one that was stored says it itself.
    pub(super) fn of(live: &LiveSecret) -> Option<Self> {
        Self::read(live.secret.expose(), Some(&live.id.0))
    }

    /// Whether it goes by that id.
    pub(super) fn matches(&self, kid: &str) -> bool {
        self.kid == kid
    }

    /// The key in eBay's answer about the key of that id.
    pub(super) fn read(answer: &[u8], id: Option<&str>) -> Option<Self> {
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        let kid = answer.kid.or_else(|| id.map(str::to_owned)).filter(|kid| is_kid(kid))?;
        let hash = hash(&answer.digest).filter(|_| answer.algorithm.eq_ignore_ascii_case("ecdsa"))?;
        Some(Self { kid, hash, key: P256Key::from_spki(&spki(&answer.key)?)? })
    }
}

/// Whether a secret is a key that says its own id.
pub(super) fn is_pinned(secret: &Secret) -> bool {
    PublicKey::read(secret.expose(), None).is_some()
}

/// The bytes of a PEM, which eBay writes on one line.
fn spki(pem: &str) -> Option<Vec<u8>> {
    let base64 = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = base64.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    signing::strict_base64(&base64).ok()
}

fn hash(digest: &str) -> Option<Hash> {
    match digest {
        "SHA1" => Some(Hash::Sha1),
        "SHA256" => Some(Hash::Sha256),
        _ => None,
    }
}

/// Whether a text can be a key's id: it goes into an address before anybody is verified.
pub(super) fn is_kid(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LONGEST_KID).contains(&text.len()) && text.bytes().all(fits)
}

/// A key that signs samples.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SampleKey {
    kid: String,
    key: String,
    #[serde(default = "sha1")]
    digest: String,
}

fn sha1() -> String {
    "SHA1".to_owned()
}

impl SampleKey {
    /// The key in a secret, if it can sign.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let key: Self = serde_json::from_slice(secret.expose()).ok()?;
        key.proof(b"").is_some().then_some(key)
    }

    /// The signature header of a body.
    pub(super) fn proof(&self, body: &[u8]) -> Option<String> {
        let scalar = HEXLOWER_PERMISSIVE.decode(self.key.as_bytes()).ok().filter(|_| is_kid(&self.kid))?;
        let signature = BASE64.encode(&signing::sign_p256(&scalar, hash(&self.digest)?, body)?);
        let (kid, digest) = (self.kid.clone(), self.digest.clone());
        let header = Header { alg: "ecdsa".into(), kid, signature, digest };
        serde_json::to_vec(&header).ok().map(|json| BASE64.encode(&json))
    }
}
