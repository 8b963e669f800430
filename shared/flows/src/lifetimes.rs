//! How long answers are kept though nothing has changed. What makes them right is another thing: the versions of their tags.

use std::time::Duration;

/// Preset: for what changes all the time.
pub const BRIEF: Duration = Duration::from_secs(30);
/// Preset: for most.
pub const USUAL: Duration = Duration::from_secs(5 * 60);
/// Preset: for what rarely changes.
pub const LONG: Duration = Duration::from_secs(3600);

/// How long answers are kept at the most. What is zero is made each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Transactions.
    pub transactions: Duration,
    /// Accounts.
    pub accounts: Duration,
    /// Analytics by hour; by day twice as long, by week six times, by month twelve times.
    pub analytics: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { transactions: 4 * BRIEF, accounts: 2 * USUAL, analytics: USUAL }
    }
}
