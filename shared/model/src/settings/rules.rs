//! Sync rules of a connection: whether it is synced, and what of it reaches the user's other connections.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is synced of a connection, and what of it reaches the user's other connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// Whether its changes are found at all. What changes meanwhile is found when it is switched on again.
    pub realtime_sync_enabled: bool,
    /// Whether any of its changes are propagated.
    pub propagate_changes: bool,
    /// Whether what is created is propagated.
    pub propagate_creates: bool,
    /// Whether updates are propagated.
    pub propagate_updates: bool,
    /// Whether deletions are propagated.
    pub propagate_deletes: bool,
    /// Whether quantities are propagated.
    pub propagate_inventory: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            realtime_sync_enabled: true,
            propagate_changes: false,
            propagate_creates: false,
            propagate_updates: false,
            propagate_deletes: false,
            propagate_inventory: false,
        }
    }
}

/// A change of rules: those that are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RulesChange {
    /// Whether its changes are found at all.
    pub realtime_sync_enabled: Option<bool>,
    /// Whether any of its changes are propagated.
    pub propagate_changes: Option<bool>,
    /// Whether what is created is propagated.
    pub propagate_creates: Option<bool>,
    /// Whether updates are propagated.
    pub propagate_updates: Option<bool>,
    /// Whether deletions are propagated.
    pub propagate_deletes: Option<bool>,
    /// Whether quantities are propagated.
    pub propagate_inventory: Option<bool>,
}

impl Rules {
    /// The rules after a change.
    #[must_use]
    pub fn changed(self, change: RulesChange) -> Self {
        Self {
            realtime_sync_enabled: change.realtime_sync_enabled.unwrap_or(self.realtime_sync_enabled),
            propagate_changes: change.propagate_changes.unwrap_or(self.propagate_changes),
            propagate_creates: change.propagate_creates.unwrap_or(self.propagate_creates),
            propagate_updates: change.propagate_updates.unwrap_or(self.propagate_updates),
            propagate_deletes: change.propagate_deletes.unwrap_or(self.propagate_deletes),
            propagate_inventory: change.propagate_inventory.unwrap_or(self.propagate_inventory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_their_documented_names_and_only_what_is_given_changes() {
        let change: RulesChange = serde_json::from_str(r#"{"propagateInventory":true}"#).unwrap();
        let changed = Rules::default().changed(change);
        let expected = serde_json::json!({
            "realtimeSyncEnabled": true, "propagateChanges": false, "propagateCreates": false,
            "propagateUpdates": false, "propagateDeletes": false, "propagateInventory": true,
        });
        assert_eq!(serde_json::to_value(changed).unwrap(), expected);
        assert!(serde_json::from_str::<RulesChange>(r#"{"propagate":true}"#).is_err());
    }
}
