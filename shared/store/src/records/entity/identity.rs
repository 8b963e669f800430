//! Identities of deliveries.

use hooktide_model::signing;

/// How many bytes an identity has.
pub(super) const IDENTITY: usize = 16;

/// The hash of a delivery's identity within a connection, by which repeats are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity(pub(super) [u8; IDENTITY]);

impl Identity {
    /// The hash over provider, connection and the provider's delivery identity.
    pub fn new(provider: &str, connection: &str, delivery: &str) -> Self {
        let parts = [provider.as_bytes(), b"\0", connection.as_bytes(), b"\0", delivery.as_bytes()];
        let digest = signing::sha256(&parts);
        let mut identity = [0; IDENTITY];
        identity.copy_from_slice(&digest[..IDENTITY]);
        Self(identity)
    }

    /// The hash in hexadecimal.
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}
