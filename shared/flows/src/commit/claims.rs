//! Claims of deliveries whose effect reaches beyond the table.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::known::Known;
use super::plan::Plan;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Key, Table, WriteFault};
use hooktide_store::records::Stored;
use hooktide_store::records::delivery::{Attempt, Delivery};

/// A delivery that must be claimed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    /// The key of its record.
    key: Key,
    /// Its stored record, if it has one.
    stored: Option<Stored<Delivery>>,
    /// The id of the origin that claims it.
    origin: String,
    /// How long its provider may repeat it.
    window: Duration,
}

/// The claims that a plan needs before it can be carried out.
pub(super) fn needed(plan: &Plan<'_>, known: &Known) -> Vec<Claim> {
    let claim = |(key, fact): &(Key, &super::Fact)| Claim {
        key: key.clone(),
        stored: known.deliveries.get(key).cloned(),
        origin: fact.origin.id.clone(),
        window: fact.origin.window,
    };
    plan.claims.iter().map(claim).collect()
}

/// The deliveries that a commit has claimed.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<Key, Stored<Delivery>>);

impl Claims {
    /// The claim of a delivery.
    pub(super) fn get(&self, key: &Key) -> Option<&Stored<Delivery>> {
        self.0.get(key)
    }

    /// Claims deliveries. One that another commit claims at the same time is left to it.
    pub(super) async fn take(&mut self, table: &dyn Table, claims: Vec<Claim>, now: Timestamp) -> Result<(), Fault> {
        for Claim { key, stored, origin, window } in claims {
            let attempt = Attempt { stored: stored.as_ref(), envelope: &origin, window, now };
            match table.write(attempt.claim(&key)?).await {
                Ok(_) => drop(self.0.insert(key, attempt.claimed())),
                Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
                Err(WriteFault::Fault(fault)) => return Err(fault),
            }
        }
        Ok(())
    }
}
