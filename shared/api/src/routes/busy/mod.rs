//! `/v1/busy`: blocks, which are times that are taken in a calendar because they are in another one of the same person.

pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod remove;
