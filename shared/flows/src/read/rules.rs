//! Rules: how long answers are kept, and which changes they depend on. Data, in this one file.

use std::time::Duration;

use super::Reader;
use super::answers::Dependency;
use hooktide_model::names::{Kind, Period};
use hooktide_store::records::tag;

/// For what changes all the time.
pub const BRIEF: Duration = Duration::from_secs(30);
/// For most.
pub const USUAL: Duration = Duration::from_secs(5 * 60);
/// For what rarely changes.
pub const LONG: Duration = Duration::from_secs(3600);
/// The most companies whose tags an answer depends on one by one; beyond it, on those of all.
const MOST_COMPANIES: usize = 16;

/// How answers of an endpoint are kept.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The endpoint.
    pub endpoint: &'static str,
    /// How long an answer is kept at the most, though nothing has changed.
    pub lifetime: Duration,
}

/// `/v1/transactions`.
pub static TRANSACTIONS: Rule = Rule { endpoint: "transactions", lifetime: Duration::from_secs(120) };
/// `/v1/transactions/{id}`.
pub static TRANSACTION: Rule = Rule { endpoint: "transaction", lifetime: Duration::from_secs(120) };
/// `/v1/accounts`.
pub static ACCOUNTS: Rule = Rule { endpoint: "accounts", lifetime: Duration::from_secs(600) };
/// `/v1/accounts/{id}`.
pub static ACCOUNT: Rule = Rule { endpoint: "account", lifetime: Duration::from_secs(600) };

/// `/v1/analytics`, by period.
pub fn analytics(period: Period) -> &'static Rule {
    static HOUR: Rule = Rule { endpoint: "analytics", lifetime: USUAL };
    static DAY: Rule = Rule { endpoint: "analytics", lifetime: Duration::from_secs(600) };
    static WEEK: Rule = Rule { endpoint: "analytics", lifetime: Duration::from_secs(1800) };
    static MONTH: Rule = Rule { endpoint: "analytics", lifetime: LONG };
    match period {
        Period::Hour => &HOUR,
        Period::Day => &DAY,
        Period::Week => &WEEK,
        Period::Month => &MONTH,
    }
}

/// What lists of transactions, and figures of them, depend on: the transactions of one company, of one connection, or all of those
/// that a reader may see; and what their companies are called.
pub fn of_transactions(reader: Reader<'_>, connection: Option<&str>, company: Option<&str>) -> Vec<Dependency> {
    let companies = match company {
        Some(company) => vec![company.to_owned()],
        None => reader.companies.to_vec(),
    };
    let mut tags = match (connection, companies.as_slice()) {
        (_, companies @ [_, ..]) if companies.len() <= MOST_COMPANIES => {
            companies.iter().map(|company| tag::company(company)).collect()
        }
        (Some(connection), _) => vec![tag::prefix(Kind::Transaction, connection)],
        (None, _) => vec![Kind::Transaction.collection().to_owned()],
    };
    tags.push(tag::CONNECTIONS.to_owned());
    tags.sort_unstable();
    tags.dedup();
    tags.into_iter().map(Dependency::Tag).collect()
}

/// What lists of accounts depend on: the accounts, and the failures of payments, after which an account may have been closed.
pub fn of_accounts(connection: Option<&str>) -> Vec<Dependency> {
    let tags = match connection {
        Some(connection) => [tag::prefix(Kind::Account, connection), tag::failures(connection)],
        None => [Kind::Account.collection().to_owned(), tag::FAILURES.to_owned()],
    };
    tags.into_iter().chain([tag::CONNECTIONS.to_owned()]).map(Dependency::Tag).collect()
}
