//! `/v1/connections/{id}/sync`: how a connection is synced, and what is decided about it.

pub(crate) mod change;
pub(crate) mod mode;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod test;
