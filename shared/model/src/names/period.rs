//! Periods of figures.

use super::names;

names! {
    /// How long the buckets of figures are.
    Period {
        /// An hour.
        Hour => "hour",
        /// A day.
        Day => "day",
        /// A week, from Monday on (ISO 8601).
        Week => "week",
        /// A month.
        Month => "month",
    }
}
