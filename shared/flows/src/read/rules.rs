//! Rules: how long answers are kept, and which changes make them stale. Data, in this one file.
//!
//! What raises which tag is the other half: a change of any kind raises its collection's and its connection's
//! ([`tag::collections`]), a payment its company's, one that failed those of failures, and a notice of payments that says no
//! state those of figures. `docs/answers.md` has both halves for each topic, as the tests saw them.

use std::time::Duration;

use super::Reader;
use super::answers::Dependency;
use crate::lifetimes::Lifetimes;
use hooktide_model::names::{Kind, Period};
use hooktide_store::records::tag;

/// The most companies whose tags an answer depends on one by one; beyond it, on those of all.
const MOST_COMPANIES: usize = 16;

/// What makes an answer stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// A change of a transaction among those that are asked about.
    Transactions,
    /// A change of an account among those that are asked about.
    Accounts,
    /// A payment that failed: an account may have been closed after it.
    Failures,
    /// A notice of payments that says no state.
    Figures,
    /// What connections and companies are called, and which there are.
    Connections,
}

/// How answers of an endpoint are kept.
#[derive(Debug)]
pub struct Rule {
    /// The endpoint.
    pub endpoint: &'static str,
    /// How long an answer is kept at the most.
    pub lifetime: fn(&Lifetimes) -> Duration,
    /// What makes it stale.
    pub on: &'static [On],
    /// Whether processes share answers by the table: where making one reads much more than it costs to write it.
    pub is_shared: bool,
}

/// `/v1/transactions`.
pub static TRANSACTIONS: Rule = Rule {
    endpoint: "transactions",
    lifetime: |lifetimes| lifetimes.transactions,
    on: &[On::Transactions, On::Connections],
    is_shared: true,
};
/// `/v1/transactions/{id}`; and a change of this one.
pub static TRANSACTION: Rule = Rule {
    endpoint: "transaction",
    lifetime: |lifetimes| lifetimes.transactions,
    on: &[On::Connections],
    is_shared: false,
};
/// `/v1/accounts`.
pub static ACCOUNTS: Rule = of_accounts("accounts");
/// `/v1/accounts/{id}`.
pub static ACCOUNT: Rule = of_accounts("account");

const fn of_accounts(endpoint: &'static str) -> Rule {
    let on = &[On::Accounts, On::Failures, On::Connections];
    Rule { endpoint, lifetime: |lifetimes| lifetimes.accounts, on, is_shared: false }
}

/// `/v1/analytics`, by period.
pub fn analytics(period: Period) -> &'static Rule {
    const fn rule(lifetime: fn(&Lifetimes) -> Duration) -> Rule {
        let on = &[On::Transactions, On::Figures, On::Connections];
        Rule { endpoint: "analytics", lifetime, on, is_shared: true }
    }
    static HOUR: Rule = rule(|lifetimes| lifetimes.analytics);
    static DAY: Rule = rule(|lifetimes| 2 * lifetimes.analytics);
    static WEEK: Rule = rule(|lifetimes| 6 * lifetimes.analytics);
    static MONTH: Rule = rule(|lifetimes| 12 * lifetimes.analytics);
    match period {
        Period::Hour => &HOUR,
        Period::Day => &DAY,
        Period::Week => &WEEK,
        Period::Month => &MONTH,
    }
}

impl Rule {
    /// What an answer depends on that is about one connection, or about one company, or about all that a reader may see.
    pub fn dependencies(&self, reader: Reader<'_>, connection: Option<&str>, company: Option<&str>) -> Vec<Dependency> {
        let of_kind = |kind: Kind| match connection {
            Some(connection) => tag::prefix(kind, connection),
            None => kind.collection().to_owned(),
        };
        let tags_on = |on: &On| match on {
            On::Transactions => match companies(reader, company).as_slice() {
                [] => vec![of_kind(Kind::Transaction)],
                companies => companies.iter().map(|company| tag::company(company)).collect(),
            },
            On::Accounts => vec![of_kind(Kind::Account)],
            On::Failures => vec![connection.map_or_else(|| tag::FAILURES.to_owned(), tag::failures)],
            On::Figures => vec![tag::FIGURES.to_owned()],
            On::Connections => vec![tag::CONNECTIONS.to_owned()],
        };
        let mut tags: Vec<String> = self.on.iter().flat_map(tags_on).collect();
        tags.sort_unstable();
        tags.dedup();
        tags.into_iter().map(Dependency::Tag).collect()
    }
}

/// The companies whose tags a question about transactions depends on one by one; none where it depends on those of all.
fn companies(reader: Reader<'_>, company: Option<&str>) -> Vec<String> {
    let companies = company.map_or_else(|| reader.companies.to_vec(), |company| vec![company.to_owned()]);
    if companies.len() <= MOST_COMPANIES { companies } else { Vec::new() }
}
