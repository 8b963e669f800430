//! Mode switches: a share of a tenant's connections, or of everybody's, is polled instead of relying on webhooks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// A switch; that of the system is the operator's, for the connections of all tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeSwitch {
    /// How many of a hundred connections are polled.
    pub polling_percent: u8,
    /// When it was switched.
    pub since: Timestamp,
    /// The last connection, or tenant, that was woken because of it; absent before the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many connections it changed so far.
    #[serde(default)]
    pub changed: u64,
}

impl Record for ModeSwitch {
    const NAME: &'static str = "mode switch";
}

impl ModeSwitch {
    /// Whether a connection is among those that are polled. The same connections stay among them when the share grows.
    pub fn covers(&self, connection: &str) -> bool {
        let [first, second, ..] = signing::sha256(&[b"mode", connection.as_bytes()]);
        let place = u32::from(u16::from_be_bytes([first, second]));
        place * 100 < u32::from(self.polling_percent) << 16
    }
}

/// The key of a tenant's switch; of the system's, the operator's.
pub fn key(tenant: &Tenant) -> Key {
    Partition::of(tenant, Area::Switches).key("mode")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled(percent: u8) -> Vec<u32> {
        let switch = ModeSwitch { polling_percent: percent, since: Timestamp::UNIX_EPOCH, after: None, changed: 0 };
        (0..10_000).filter(|number| switch.covers(&format!("connection-{number}"))).collect()
    }

    #[test]
    fn a_share_is_that_share_and_a_greater_one_has_the_same_connections_and_more() {
        assert_eq!((polled(0).len(), polled(100).len()), (0, 10_000));
        let (few, more) = (polled(10), polled(40));
        assert!(
            (800..1_200).contains(&few.len()) && (3_700..4_300).contains(&more.len()),
            "{} {}",
            few.len(),
            more.len()
        );
        assert!(few.iter().all(|one| more.contains(one)));
    }
}
