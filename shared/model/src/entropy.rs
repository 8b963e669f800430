//! Where randomness comes from: the operating system in a host, a seed in a simulation.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use ulid::Ulid;

use crate::fault::Fault;

/// A cryptographic generator, seeded once. `Debug` does not show its state.
pub struct Entropy(Mutex<StdRng>);

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

impl Entropy {
    /// Seeds a generator from the operating system.
    pub fn from_system() -> Result<Self, Fault> {
        let rng = StdRng::try_from_rng(&mut SysRng)
            .map_err(|error| Fault::failed(format!("the system gives no randomness: {error}")))?;
        Ok(Self(Mutex::new(rng)))
    }

    /// Makes a repeatable generator, for simulations and tests only.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Returns `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// Returns a number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        u32::from_be_bytes(self.bytes()) as f64 / (f64::from(u32::MAX) + 1.0)
    }

    /// An identifier that sorts by `now`: 48 bits of milliseconds, 80 random ones (a ULID, in lower case).
    pub fn time_ordered_id(&self, now: Timestamp) -> String {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let random = u128::from_be_bytes(self.bytes());
        Ulid::from_parts(millis, random).to_string().to_lowercase()
    }
}
