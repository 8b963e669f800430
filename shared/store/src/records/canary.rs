//! The canary: a text in the table, sealed with the root keys, so that a table under other root keys is noticed at once
//! and not by addresses that are unknown and secrets that do not open.

use serde::{Deserialize, Serialize};

use super::{Record, Upkeep, insert, replace};
use crate::key::{Area, Key, Partition};
use crate::ports::{Keys, Table};
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_model::sealing::{Place, RootKeys, root_key_of};
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;

/// What is sealed.
const SONG: &str = "hooktide";

/// Whether the root keys and the table belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// They do, as far as anybody knows.
    Sings,
    /// The table was written under other root keys.
    OtherKeys,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sealed {
    sealed: String,
}

impl Record for Sealed {
    const NAME: &'static str = "canary";
}

fn key() -> Key {
    Partition::of(&Tenant::system(), Area::Canary).key("canary")
}

/// Looks at the table's canary; puts one where there is none, and seals it anew after the root keys were rotated.
pub async fn check(table: &dyn Table, keys: &dyn Keys, entropy: &Entropy) -> Result<Canary, Fault> {
    let (key, tenant) = (key(), Tenant::system());
    let place = Place { tenant: &tenant, record: key.partition(), field: "canary" };
    let seal = |keys: &RootKeys| keys.seal(&Secret::new(SONG), place, entropy).map(|sealed| Sealed { sealed });
    let stored = super::get::<Sealed>(table, &key).await?;
    let write = match &stored {
        None => insert(&key, &seal(&*keys.root().await?)?, Upkeep::default())?,
        Some(stored) => {
            let sealed = &stored.record.sealed;
            let id = root_key_of(sealed).unwrap_or_default();
            let keys = keys.root_with(id).await?;
            if !keys.knows(id) || keys.open(sealed, place).is_err() {
                return Ok(Canary::OtherKeys);
            }
            if id == keys.current_id() {
                return Ok(Canary::Sings);
            }
            replace(&key, Some(stored.rev), &seal(&keys)?, Upkeep::default())?
        }
    };
    // Whether or not: somebody else may have been faster, and the next look tries again.
    if let Err(fault) = table.write(write).await {
        tracing::debug!(?fault, "the canary could not be put");
    }
    Ok(Canary::Sings)
}
