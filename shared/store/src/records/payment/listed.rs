//! Transactions as they are listed, the newest first, and found by their ids.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{CompanyId, TotalId};
use crate::key::{Area, Key, Partition};
use crate::records::Record;
use crate::records::entity::EntityId;
use hooktide_model::payment::Transaction;
use hooktide_model::tenant::Tenant;

/// The latest time that is told apart from later ones, in milliseconds since 1970.
const LATEST: i64 = 999_999_999_999_999;
/// The longest id of a company, in bytes.
const LONGEST_COMPANY: usize = 255;

/// What lists and totals have of a transaction; its entity keeps it, so that the commit of the next state can take it back.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The time at which it counts, in milliseconds since 1970.
    pub at: i64,
    /// Its company, as [`CompanyId::company`].
    pub company: String,
    /// The provider's id, without its sort.
    pub id: String,
    /// The figure that it is counted in; none where its amount or its currency is not known.
    pub counted: Option<Counted>,
}

/// How a transaction is counted.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// The currency.
    pub currency: String,
    /// The status.
    pub status: String,
    /// What it is.
    pub kind: String,
    /// How it was paid, where that is known.
    pub payment_type: Option<String>,
    /// The amount, in minor units.
    pub amount: i64,
}

impl Listing {
    /// The listing of a transaction of this connection.
    pub fn of(transaction: &Transaction, connection: &str) -> Self {
        let currency = transaction.currency.clone().filter(|currency| !currency.is_empty());
        let counted = transaction.amount_minor.zip(currency).map(|(amount, currency)| Counted {
            currency,
            status: transaction.status.clone(),
            kind: transaction.kind.clone(),
            payment_type: transaction.payment_type.clone().filter(|word| !word.is_empty()),
            amount,
        });
        let company = transaction.company.as_ref().filter(|company| (1..=LONGEST_COMPANY).contains(&company.len()));
        Self {
            at: transaction.counts_at().min(LATEST),
            company: company.cloned().unwrap_or_else(|| connection.to_owned()),
            id: transaction.id.clone(),
            counted,
        }
    }

    /// Its company.
    pub fn company(&self, connection: &str) -> CompanyId {
        CompanyId { connection: connection.to_owned(), company: self.company.clone() }
    }

    /// The figure that it is counted in, and the amount that it adds there.
    pub fn total(&self, connection: &str) -> Option<(TotalId, i64)> {
        let counted = self.counted.clone()?;
        let id = TotalId {
            company: self.company(connection),
            quarter: super::quarter_of(self.at),
            currency: counted.currency,
            status: counted.status,
            kind: counted.kind,
            payment_type: counted.payment_type,
        };
        Some((id, counted.amount))
    }

    /// The key of the listed transaction.
    pub fn key(&self, tenant: &Tenant, entity: &EntityId) -> Key {
        self.company(&entity.connection).transactions(tenant).key(place(self.at, &entity.id))
    }
}

/// A transaction, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTransaction {
    /// The connection that reported it.
    pub connection: String,
    /// The provider.
    pub provider: String,
    /// The id of its entity, which tells it from what has the same id and is of another sort.
    pub entity: String,
    /// Its document.
    #[serde(flatten)]
    pub transaction: Transaction,
}

impl Record for ListedTransaction {
    const NAME: &'static str = "listed transaction";
}

/// The place of a transaction among those of its company.
pub fn place(at: i64, entity: &str) -> String {
    format!("{:015}#{entity}", at.clamp(0, LATEST))
}

/// The last place before a time, in milliseconds since 1970.
pub fn end_of(before: i64) -> String {
    format!("{:015}#\u{10ffff}", before.saturating_sub(1).clamp(0, LATEST))
}

/// Where the transaction of an id is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ById {
    /// The connection that reported it.
    pub connection: String,
    /// The id of its entity.
    pub entity: String,
}

impl Record for ById {
    const NAME: &'static str = "transaction by its id";
}

impl ById {
    /// The partition of all transactions that have this id, whichever connection reported them and of whichever sort they are.
    pub fn all(tenant: &Tenant, id: &str) -> Partition {
        Partition::of(tenant, Area::TransactionIds(id))
    }

    /// The key for an entity with this id.
    pub fn key(tenant: &Tenant, id: &str, entity: &EntityId) -> Key {
        Self::all(tenant, id).key(format!("{}#{}", entity.connection, entity.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_by_time_and_end_right_before_one() {
        assert!(place(999, "b") < place(1_000, "a"));
        assert!(place(999, "\u{10fffe}") < end_of(1_000) && end_of(1_000) < place(1_000, ""));
        assert_eq!(place(-5, "a"), place(0, "a"));
    }

    #[test]
    fn what_lacks_an_amount_or_a_currency_is_listed_and_not_counted() {
        let whole = Transaction {
            id: "1".into(),
            kind: "PAYMENT".into(),
            status: "HELD".into(),
            amount_minor: Some(5),
            currency: Some("EUR".into()),
            payment_type: None,
            reference: None,
            company: None,
            occurred_at: "1970-01-01T00:15:00Z".into(),
            updated_at: "1970-01-01T00:20:00Z".into(),
        };
        let listing = Listing::of(&whole, "c");
        assert_eq!((listing.at, listing.company.as_str()), (900_000, "c"));
        assert_eq!(listing.total("c").map(|(id, amount)| (id.quarter, amount)), Some((900, 5)));
        for part in [Transaction { amount_minor: None, ..whole.clone() }, Transaction { currency: None, ..whole }] {
            assert_eq!(Listing::of(&part, "c").total("c"), None);
        }
    }
}
