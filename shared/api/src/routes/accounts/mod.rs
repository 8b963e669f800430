//! `/v1/accounts`: merchant accounts.

pub(crate) mod list;
pub(crate) mod show;
