//! What happened in a run: counts of everything that can happen, and a hash over all of it in order.

use std::collections::BTreeMap;

use hooktide_model::signing;

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    counts: BTreeMap<&'static str, u64>,
    hash: [u8; 32],
    pending: Vec<u8>,
}

/// How many bytes are hashed at once.
const CHUNK: usize = 16 * 1024;

impl Trace {
    /// One more of `name`.
    pub fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Goes into the hash.
    pub fn add(&mut self, name: &str, detail: &str) {
        self.pending.extend_from_slice(name.as_bytes());
        self.pending.push(0);
        self.pending.extend_from_slice(detail.as_bytes());
        self.pending.push(b'\n');
        if self.pending.len() >= CHUNK {
            self.hash = signing::sha256(&[&self.hash, &self.pending]);
            self.pending.clear();
        }
    }

    /// How often everything happened.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// The hash of all that was added, in hexadecimal.
    pub fn hash(&self) -> String {
        data_encoding::HEXLOWER.encode(&signing::sha256(&[&self.hash, &self.pending])[..16])
    }
}
