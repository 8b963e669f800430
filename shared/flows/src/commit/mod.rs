//! Commit: what is learnt at once of a tenant becomes one transaction.

mod heads;
pub mod journal;
