//! Paysafe's bodies, read into our terms.

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::json::{part, unreadable};
use crate::lenient::{Lenient, Minor, Object, Unread, fields};
use crate::paysafe::resource::{Beside, DELETED, Resource, Sort, Told, id, version};
use crate::paysafe::topics::{ACCOUNTS, TRANSACTIONS};
use crate::paysafe::topics::{MERCHANT_ACCOUNT, WALLET_ACCOUNT, WALLET_OTHER, WALLET_RESTRICTION, WALLET_TRANSACTION};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, Notice, State, Version, What};
use hooktide_model::payment::{Account, Transaction, word};

/// The longest name of an event, in bytes.
const LONGEST_NAME: usize = 64;
/// The text by which the ids of wallets' transactions are told from those of other sorts.
const WALLET: &str = "wallet-transaction";

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
        let (sort, ends) = Sort::of_event(name).ok_or_else(|| unreadable("an event of no known resource"))?;
        let Object(resource): Object<Resource> = part(self.payload, "payload")?;
        let event_date = self.event_date.needed_if_there("eventDate")?;
        let named = self.resource_id.needed_if_there("resourceId")?;
        let beside = Beside { within: "payload.", id: named, status: Some(ends), event_date };
        let Told { id, account, time, entity } = resource.read(sort, beside)?;
        let (prefix, event) = (sort.prefix, event_date.unwrap_or(time));
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
        let identity = format!("{WALLET}/{id}/{}/{time}", change.needed("id")?);
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
                let status = word(&status);
                let version = version(time, &status);
                let way = told.payment_type.or_note(&mut unread, "transaction.paymentType");
                let document = Transaction {
                    id: id.clone(),
                    kind: word(&sort),
                    status,
                    amount_minor: Some(amount),
                    currency: Some(word(&currency)),
                    payment_type: way.map(|text| word(&text)),
                    reference: told.merchant_ref_num.or_note(&mut unread, "transaction.merchantRefNum"),
                    company: told.account_id.or_note(&mut unread, "transaction.accountId"),
                    occurred_at: time.to_string(),
                    updated_at: time.to_string(),
                };
                (version, State::Present(Document::Transaction(Box::new(document))))
            }
            // An update may have what changed only, and that is not the state.
            _ => {
                let what = What::hint_at(TRANSACTIONS, format!("{WALLET}:{id}"));
                return Ok(Notice { account: None, identity, what });
            }
        };
        let id = format!("{WALLET}:{id}");
        let entity = EntityNotice {
            occurred_at: Some(time),
            unread: unread.into_paths(),
            source: Some(TRANSACTIONS),
            ..EntityNotice::new(Kind::Transaction, id, version, state)
        };
        Ok(Notice { account: None, identity, what: What::Entity(entity) })
    }
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
