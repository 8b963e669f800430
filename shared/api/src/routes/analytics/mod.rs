//! `/v1/analytics`: counts and sums of transactions.

pub(crate) mod read;
pub(crate) mod rebuild;
