//! Payments as they are listed and counted: written by the commit that changes the entity, so that lists and figures never
//! differ from what is known.
//!
//! A company is one account of a connection; where a payment names none, the connection is its company. Everything of a
//! company lies in partitions of its own, so that what one company has costs the others nothing.

mod account;
mod company;
mod listed;
mod recount;
pub mod rolled;
mod total;

pub use self::account::ListedAccount;
pub use self::company::{Company, CompanyId};
pub use self::listed::{ById, ListedTransaction, Listing, end_of, place};
pub use self::recount::Recount;
pub use self::total::{QUARTER, Total, TotalId, at_quarter, quarter_of};
