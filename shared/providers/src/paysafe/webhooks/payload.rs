//! Paysafe's bodies, read into our terms.

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::json::{part, unreadable};
use crate::lenient::{Lenient, Minor, Object, Unread, fields};
use crate::paysafe::topics::{ACCOUNTS, TRANSACTIONS};
use crate::paysafe::topics::{MERCHANT_ACCOUNT, WALLET_ACCOUNT, WALLET_OTHER, WALLET_RESTRICTION, WALLET_TRANSACTION};
use crate::reading::is_id;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, Notice, State, Version, What};
use hooktide_model::payment::{Account, Transaction};

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
    // Alternative payments, the API before the Payments API. Its ids are of sorts of its own.
    ("AP_PAYMENT_", "PAYMENT", "alternative-payment"),
    ("AP_SETTLEMENT_", "SETTLEMENT", "alternative-settlement"),
    ("AP_REFUND_", "REFUND", "alternative-refund"),
    ("AP_RETURN_", "PAYMENT_RETURN", "alternative-return"),
];

fields! {
    /// A body of any sort.
    pub(super) struct Event<'a> {
        event_name: Lenient<String> = "eventName",
        event_name_in_capitals: Lenient<String> = "EventName",
        event_type: Lenient<String> = "eventType",
        event_date: Lenient<Timestamp> = "eventDate",
        resource_id: Lenient<String> = "resourceId",
        payload: Option<&'a RawValue>,
        // From here on, of embedded wallets, which name no event; what others mean by these names is never read.
        id: Option<&'a RawValue>,
        timestamp: Option<&'a RawValue>,
        operation_type: Option<&'a RawValue> = "operationType",
        account_id: Option<&'a RawValue> = "accountId",
        sort: Option<&'a RawValue> = "type",
        transaction: Option<&'a RawValue>,
        restrictions: Option<&'a RawValue>,
        kyc_verification_status: Option<&'a RawValue> = "kycVerificationStatus",
    }
}

fields! {
    /// The fields of a payment handle, payment, settlement, refund or credit.
    struct Resource {
        id: Lenient<String>,
        account_id: Lenient<String> = "accountId",
        merchant_ref_num: Lenient<String> = "merchantRefNum",
        amount: Lenient<Minor>,
        currency_code: Lenient<String> = "currencyCode",
        status: Lenient<String>,
        payment_type: Lenient<String> = "paymentType",
        updated_time: Lenient<Timestamp> = "updatedTime",
        status_time: Lenient<Timestamp> = "statusTime",
        txn_time: Lenient<Timestamp> = "txnTime",
    }
}

fields! {
    struct MerchantAccount {
        account_number: Lenient<String> = "accountNumber",
        acct_status: Lenient<String> = "acctStatus",
    }
}

fields! {
    struct WalletTransaction {
        id: Lenient<String>,
        account_id: Lenient<String> = "accountId",
        sort: Lenient<String> = "type",
        amount: Lenient<Minor>,
        currency_code: Lenient<String> = "currencyCode",
        status: Lenient<String>,
        payment_type: Lenient<String> = "paymentType",
        merchant_ref_num: Lenient<String> = "merchantRefNum",
    }
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
            // No other shape is documented: what is not recognised may be about money.
            None if self.kyc_verification_status.is_some() => Some(WALLET_OTHER),
            None => None,
        }
    }

    /// The first of its names that is not empty.
    fn name(&self) -> Option<&str> {
        let names = [&self.event_name, &self.event_name_in_capitals, &self.event_type];
        names.into_iter().filter_map(|name| name.as_ref().map(String::as_str)).find(|name| !name.is_empty())
    }

    /// A payment handle, payment, settlement, refund or credit: its state, whole.
    pub(super) fn transaction(self, name: &str) -> Result<Notice, Fault> {
        let sort = RESOURCES.iter().find_map(|(begins, sort, prefix)| Some((name.strip_prefix(begins)?, sort, prefix)));
        let (ends, sort, prefix) = sort.ok_or_else(|| unreadable("an event of no known resource"))?;
        let Object(resource): Object<Resource> = part(self.payload, "payload")?;
        let named = self.resource_id.needed_if_there("resourceId")?;
        let id = id(named.or(resource.id.needed_if_there("payload.id")?))?;
        let status = resource.status.needed_if_there("payload.status")?.unwrap_or_else(|| ends.to_owned());
        let event_date = self.event_date.needed_if_there("eventDate")?;
        // One that is there and cannot be read is no reason to take an older one.
        let time = match resource.updated_time.needed_if_there("payload.updatedTime")? {
            None => resource.status_time.needed_if_there("payload.statusTime")?,
            updated => updated,
        };
        let time = match time.or(event_date) {
            None => resource.txn_time.needed_if_there("payload.txnTime")?,
            known => known,
        };
        let time = time.ok_or_else(|| unreadable("no time"))?;
        let event = event_date.unwrap_or(time);
        let account = resource.account_id.needed_if_there("payload.accountId")?;
        let mut unread = Unread::default();
        // Some payloads are too short to say them; all that is paid has both.
        let amount = resource.amount.needed_if_there("payload.amount")?;
        let currency = resource.currency_code.needed_if_there("payload.currencyCode")?;
        for (path, known) in [("payload.amount", amount.is_some()), ("payload.currencyCode", currency.is_some())] {
            if !known {
                unread.note(path);
            }
        }
        let document = Transaction {
            id: id.clone(),
            kind: (*sort).to_owned(),
            amount: amount.map(|Minor(amount)| amount),
            currency,
            payment_type: resource.payment_type.or_note(&mut unread, "payload.paymentType"),
            reference: resource.merchant_ref_num.or_note(&mut unread, "payload.merchantRefNum"),
            account: account.clone(),
            updated_at: time.to_string(),
            status,
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            unread: unread.into_paths(),
            source: Some(TRANSACTIONS),
            ..EntityNotice::new(
                Kind::Transaction,
                format!("{prefix}:{id}"),
                version(time, &document.status),
                State::Present(Document::Transaction(Box::new(document))),
            )
        };
        Ok(Notice { account, identity: format!("{prefix}/{id}/{name}/{event}/{time}"), what: What::Entity(entity) })
    }

    /// The status of a merchant account.
    pub(super) fn merchant_account(self) -> Result<Notice, Fault> {
        let Object(account): Object<MerchantAccount> = part(self.payload, "payload")?;
        let number = account.account_number.needed_if_there("payload.accountNumber")?;
        let name = self.name().unwrap_or_default().to_owned();
        let id = id(self.resource_id.needed_if_there("resourceId")?.or_else(|| number.clone()))?;
        let time = self.event_date.needed("eventDate")?;
        let document = Account {
            id: id.clone(),
            status: account.acct_status.needed("payload.acctStatus")?,
            reference: None,
            updated_at: time.to_string(),
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            source: Some(ACCOUNTS),
            ..EntityNotice::new(
                Kind::Account,
                id.clone(),
                Version::from_time(time),
                State::Present(Document::Account(document)),
            )
        };
        Ok(Notice {
            identity: format!("account/{id}/{name}/{time}"),
            account: Some(number.unwrap_or(id)),
            what: What::Entity(entity),
        })
    }

    /// A transaction of an embedded wallet.
    pub(super) fn wallet_transaction(&self) -> Result<Notice, Fault> {
        let Object(told): Object<WalletTransaction> = part(self.transaction, "transaction")?;
        let id = id(Some(told.id.needed("transaction.id")?))?;
        let time: Timestamp = part(self.timestamp, "timestamp")?;
        let change: Lenient<String> = part(self.id, "id")?;
        let operation: Lenient<String> = part(self.operation_type, "operationType")?;
        let identity = format!("wallet-transaction/{id}/{}/{time}", change.needed("id")?);
        let deleted = operation.needed("operationType")?.eq_ignore_ascii_case("delete");
        let whole = (
            told.sort.needed_if_there("transaction.type")?,
            told.status.needed_if_there("transaction.status")?,
            told.amount.needed_if_there("transaction.amount")?,
            told.currency_code.needed_if_there("transaction.currencyCode")?,
        );
        let mut unread = Unread::default();
        let (version, state) = match whole {
            _ if deleted => (version(time, DELETED), State::Deleted),
            (Some(sort), Some(status), Some(Minor(amount)), Some(currency)) => {
                let version = version(time, &status);
                let document = Transaction {
                    id: id.clone(),
                    kind: sort,
                    status,
                    amount: Some(amount),
                    currency: Some(currency),
                    payment_type: told.payment_type.or_note(&mut unread, "transaction.paymentType"),
                    reference: told.merchant_ref_num.or_note(&mut unread, "transaction.merchantRefNum"),
                    account: told.account_id.or_note(&mut unread, "transaction.accountId"),
                    updated_at: time.to_string(),
                };
                (version, State::Present(Document::Transaction(Box::new(document))))
            }
            // An update may have what changed only, and that is not the state.
            _ => return Ok(Notice { account: None, identity, what: What::hint(TRANSACTIONS) }),
        };
        let id = format!("wallet-transaction:{id}");
        let entity = EntityNotice {
            occurred_at: Some(time),
            unread: unread.into_paths(),
            source: Some(TRANSACTIONS),
            ..EntityNotice::new(Kind::Transaction, id, version, state)
        };
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
fn id(id: Option<String>) -> Result<String, Fault> {
    id.filter(|id| is_id(id)).ok_or_else(|| unreadable("no id, or one that cannot be"))
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
