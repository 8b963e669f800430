//! Records that a secret still verifies deliveries, written from time to time.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::case::Case;
use hooktide_model::secret::KeyId;
use hooktide_store::ports::{Table, Write};
use hooktide_store::records::endpoint::{LastVerified, last_verified_key};
use hooktide_store::records::{self, Upkeep};
use hooktide_store::remembered::Remembered;

/// The shortest time between two records for one secret.
const EVERY: Duration = Duration::from_secs(300);
/// How many recorded secrets are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The recently recorded secrets, by endpoint.
pub(super) struct Noted(Remembered<(String, KeyId), ()>);

impl Default for Noted {
    fn default() -> Self {
        Self(Remembered::new(REMEMBERED))
    }
}

impl Noted {
    /// Records which secrets verified the cases that did not fail. The records are kept for `keep`.
    pub(super) async fn note(&self, table: &dyn Table, cases: &[Case], keep: Duration, now: Timestamp) {
        let writes = cases.iter().filter(|case| case.fault.is_none()).filter_map(|case| self.write(case, keep, now));
        // The record is a convenience: a failure only leaves a slightly old line.
        for result in table.write_many(writes.collect()).await {
            if let Err(fault) = result {
                warn!(?fault, "a verification was not noted");
            }
        }
    }

    fn write(&self, case: &Case, keep: Duration, now: Timestamp) -> Option<Write> {
        let delivery = case.envelope.delivery()?;
        let key_id = delivery.key_id.as_ref()?;
        if !self.0.take_turn((delivery.endpoint.clone(), key_id.clone()), EVERY, now) {
            return None;
        }
        let key = last_verified_key(&delivery.provider, &delivery.endpoint, key_id);
        records::put(&key, &LastVerified { at: case.envelope.received_at }, Upkeep::until(now + keep)).ok()
    }
}
