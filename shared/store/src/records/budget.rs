//! Budgets: the calls that an account was granted lately, whether its provider answers, and whether it limits them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::tenant::Tenant;

/// The calls that an account was granted lately, whether its provider answers, and whether it limits them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The portions of calls that were granted lately, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<Granted>,
    /// Whether the provider answers.
    #[serde(default)]
    pub breaker: Breaker,
    /// Whether it said that there were too many calls.
    #[serde(default)]
    pub limit: Limit,
}

/// Calls that were granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub calls: u32,
}

/// Whether the provider answers: after failures in a row, it is left alone for a while.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// How many calls in a row got no answer that can be used.
    #[serde(default)]
    pub failures: u32,
    /// How often the breaker opened since the last answer.
    #[serde(default)]
    pub opened: u32,
    /// Since when there was no such answer.
    pub since: Option<Timestamp>,
    /// Until when nobody asks; from then on, one call finds out.
    pub open_until: Option<Timestamp>,
}

/// Whether the provider said that there were too many calls: nobody asks for the account until it takes some again.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How often in a row it said so.
    #[serde(default)]
    pub in_a_row: u32,
    /// Until when nobody asks.
    pub until: Option<Timestamp>,
}

impl Record for Budget {
    const NAME: &'static str = "budget";
}

/// The key of a connection's budget.
pub fn key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::Budgets).key(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_of_before_limits_were_noted_is_read() {
        let former = r#"{"granted":[{"at":"2026-11-29T12:00:00Z","calls":2}],"breaker":{"failures":1,"opened":0}}"#;
        let budget: Budget = serde_json::from_str(former).unwrap();
        assert_eq!((budget.breaker.failures, budget.limit), (1, Limit::default()));
        assert_eq!(serde_json::from_str::<Budget>("{}").unwrap(), Budget::default());
    }
}
