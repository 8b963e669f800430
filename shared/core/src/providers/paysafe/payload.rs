//! Paysafe's bodies, read into our terms.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MERCHANT_ACCOUNT, WALLET_ACCOUNT, WALLET_OTHER, WALLET_RESTRICTION, WALLET_TRANSACTION};
use crate::fault::Fault;
use crate::names::Kind;
use crate::notice::{Document, EntityNotice, Notice, State, Version, What};
use crate::payment::{Account, Transaction};
use crate::providers::reading::{is_id, unreadable};

/// The longest name of an event, in bytes.
const LONGEST_NAME: usize = 64;

/// How the names of events begin, what they are about, and how its ids are told from those of other sorts. The first
/// that fits counts.
const RESOURCES: &[(&str, &str, &str)] = &[
    ("PAYMENT_HANDLE_", "PAYMENT_HANDLE", "payment-handle"),
    ("PAYMENT_RETURN_", "PAYMENT_RETURN", "payment-return"),
    ("PAYMENT_RETURNED_", "PAYMENT_RETURN", "payment-return"),
    ("PAYMENT_", "PAYMENT", "payment"),
    ("SETTLEMENT_", "SETTLEMENT", "settlement"),
    ("REFUND_", "REFUND", "refund"),
    ("SA_CREDIT_", "STANDALONE_CREDIT", "standalone-credit"),
];

/// A body of any sort.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    event_name: Option<String>,
    #[serde(rename = "EventName")]
    event_name_in_capitals: Option<String>,
    event_type: Option<String>,
    event_date: Option<Timestamp>,
    resource_id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    // From here on, of embedded wallets, which name no event; what others mean by these names is never read.
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    operation_type: Option<&'a RawValue>,
    #[serde(borrow)]
    account_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    sort: Option<&'a RawValue>,
    #[serde(borrow)]
    transaction: Option<&'a RawValue>,
    #[serde(borrow)]
    restrictions: Option<&'a RawValue>,
    #[serde(borrow)]
    kyc_verification_status: Option<&'a RawValue>,
}

/// What a payment handle, payment, settlement, refund or credit is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    id: Option<String>,
    account_id: Option<String>,
    merchant_ref_num: Option<String>,
    amount: Option<i64>,
    currency_code: Option<String>,
    status: Option<String>,
    payment_type: Option<String>,
    updated_time: Option<Timestamp>,
    status_time: Option<Timestamp>,
    txn_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MerchantAccount {
    account_number: Option<String>,
    acct_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WalletTransaction {
    id: String,
    account_id: Option<String>,
    #[serde(rename = "type")]
    sort: Option<String>,
    amount: Option<i64>,
    currency_code: Option<String>,
    status: Option<String>,
    payment_type: Option<String>,
    merchant_ref_num: Option<String>,
}

impl Event<'_> {
    /// Its topic: the event's name; where it has none, what its shape says.
    pub(super) fn topic(&self) -> Option<&str> {
        match self.name() {
            Some(name) if name.starts_with("ACCT_") => Some(MERCHANT_ACCOUNT),
            Some(name) => Some(name).filter(|name| name.len() <= LONGEST_NAME),
            None if self.transaction.is_some() => Some(WALLET_TRANSACTION),
            None if self.restrictions.is_some() => Some(WALLET_RESTRICTION),
            None if self.account_id.is_some() && self.sort.is_some() => Some(WALLET_ACCOUNT),
            None if self.timestamp.is_some() || self.kyc_verification_status.is_some() => Some(WALLET_OTHER),
            None => None,
        }
    }

    /// The first of its names that is not empty.
    fn name(&self) -> Option<&str> {
        let names = [&self.event_name, &self.event_name_in_capitals, &self.event_type];
        names.into_iter().filter_map(Option::as_deref).find(|name| !name.is_empty())
    }

    /// A payment handle, payment, settlement, refund or credit: its state, whole.
    pub(super) fn transaction(&self, name: &str) -> Result<Notice, Fault> {
        let sort = RESOURCES.iter().find_map(|(begins, sort, prefix)| Some((name.strip_prefix(begins)?, sort, prefix)));
        let (ends, sort, prefix) = sort.ok_or_else(|| unreadable("an event of no known resource"))?;
        let resource: Resource = read(self.payload)?;
        let id = id(self.resource_id.as_deref().or(resource.id.as_deref()))?;
        let status = resource.status.unwrap_or_else(|| ends.to_owned());
        let changed = resource.updated_time.or(resource.status_time);
        let time = changed.or(self.event_date).or(resource.txn_time).ok_or_else(|| unreadable("no time"))?;
        let event = self.event_date.unwrap_or(time);
        let document = Transaction {
            id: id.to_owned(),
            kind: (*sort).to_owned(),
            amount: resource.amount,
            currency: resource.currency_code,
            payment_type: resource.payment_type,
            reference: resource.merchant_ref_num,
            account: resource.account_id.clone(),
            updated_at: time.to_string(),
            status,
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            ..EntityNotice::new(
                Kind::Transaction,
                format!("{prefix}:{id}"),
                version(time, &document.status),
                State::Present(Document::Transaction(Box::new(document))),
            )
        };
        Ok(Notice {
            account: resource.account_id,
            identity: format!("{prefix}/{id}/{name}/{event}/{time}"),
            what: What::Entity(entity),
        })
    }

    /// The status of a merchant account.
    pub(super) fn merchant_account(&self) -> Result<Notice, Fault> {
        let account: MerchantAccount = read(self.payload)?;
        let id = id(self.resource_id.as_deref().or(account.account_number.as_deref()))?;
        let time = self.event_date.ok_or_else(|| unreadable("no time"))?;
        let document = Account {
            id: id.to_owned(),
            status: account.acct_status.clone(),
            reference: None,
            updated_at: time.to_string(),
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            ..EntityNotice::new(
                Kind::Account,
                id.to_owned(),
                Version::from_time(time),
                State::Present(Document::Account(document)),
            )
        };
        Ok(Notice {
            account: Some(account.account_number.clone().unwrap_or_else(|| id.to_owned())),
            identity: format!("account/{id}/{}/{time}", self.name().unwrap_or_default()),
            what: What::Entity(entity),
        })
    }

    /// A transaction of an embedded wallet.
    pub(super) fn wallet_transaction(&self) -> Result<Notice, Fault> {
        let told: WalletTransaction = read(self.transaction)?;
        let id = id(Some(&told.id))?;
        let time: Timestamp = read(self.timestamp)?;
        let (change, operation): (String, String) = (read(self.id)?, read(self.operation_type)?);
        let identity = format!("wallet-transaction/{id}/{change}/{time}");
        let deleted = operation.eq_ignore_ascii_case("delete");
        let whole = (told.sort, told.status, told.amount, told.currency_code);
        let (version, state) = match whole {
            _ if deleted => (version(time, DELETED), State::Deleted),
            (Some(sort), Some(status), Some(amount), Some(currency)) => {
                let version = version(time, &status);
                let document = Transaction {
                    id: id.to_owned(),
                    kind: sort,
                    status,
                    amount: Some(amount),
                    currency: Some(currency),
                    payment_type: told.payment_type,
                    reference: told.merchant_ref_num,
                    account: told.account_id,
                    updated_at: time.to_string(),
                };
                (version, State::Present(Document::Transaction(Box::new(document))))
            }
            // An update may have what changed only, and that is not the state.
            _ => return Ok(Notice { account: None, identity, what: What::hint("transactions") }),
        };
        let id = format!("wallet-transaction:{id}");
        let entity =
            EntityNotice { occurred_at: Some(time), ..EntityNotice::new(Kind::Transaction, id, version, state) };
        Ok(Notice { account: None, identity, what: What::Entity(entity) })
    }
}

/// In place of a status, of what is deleted.
const DELETED: &str = "DELETED";

/// The milliseconds of the time, and how far along the status is. Paysafe's times have whole seconds, and without
/// `updatedTime` all events of a payment have the time of its beginning: their content must not decide then.
fn version(time: Timestamp, status: &str) -> Version {
    let progress = match status {
        "INITIATED" | "RECEIVED" => 0,
        "PAYABLE" => 2,
        "COMPLETED" => 3,
        // Some come after `COMPLETED`, and nothing comes after them.
        "FAILED" | "CANCELLED" | "EXPIRED" | "ERROR" | "ERRORED" | "REFUNDED" | "RETURNED" => 4,
        DELETED => 5,
        _ => 1,
    };
    Version(Version::from_time(time).0 + progress)
}

/// An id that can be one of ours.
fn id(id: Option<&str>) -> Result<&str, Fault> {
    id.filter(|id| is_id(id)).ok_or_else(|| unreadable("no id, or one that cannot be"))
}

fn read<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>) -> Result<T, Fault> {
    let part = part.ok_or_else(|| unreadable("a part of the documented form is missing"))?;
    serde_json::from_str(part.get()).map_err(|_| unreadable("a part is not of the documented form"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_hides_no_other() {
        for (json, expected) in [
            (r#"{"eventName":"PAYMENT_HELD","eventType":"PAYMENT_FAILED"}"#, Some("PAYMENT_HELD")),
            (r#"{"eventName":"","eventType":"PAYMENT_FAILED"}"#, Some("PAYMENT_FAILED")),
            (r#"{"eventName":null,"EventName":"","eventType":"ACCT_ENABLED"}"#, Some(MERCHANT_ACCOUNT)),
            (r#"{"eventName":"","transaction":{}}"#, Some(WALLET_TRANSACTION)),
            (r#"{"eventName":""}"#, None),
        ] {
            assert_eq!(serde_json::from_str::<Event<'_>>(json).unwrap().topic(), expected, "{json}");
        }
    }
}
