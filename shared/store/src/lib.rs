//! What flows reach the world through, and what they keep there.
//!
//! [`ports`] says what a host must plug; [`records`] is everything typed over the one table, once. The semantics are
//! DynamoDB's: what a call says to it is decided in [`statement`] and [`expression`], and what it costs in [`metering`].
//! [`times`] is the table of how long runs, leases and hidden messages last.

pub mod bodies;
pub mod expression;
pub mod key;
pub mod metering;
pub mod ports;
pub mod records;
pub mod remembered;
pub mod statement;
pub mod times;
