//! Payment handles, payments, settlements, refunds and credits, which deliveries and answers of the API have in one form.

use std::fmt;

use jiff::Timestamp;

use super::topics::TRANSACTIONS;
use crate::json::unreadable;
use crate::lenient::{Lenient, Minor, Unread, fields};
use crate::reading::is_id;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::payment::{Transaction, word};

/// A sort of resource.
pub(super) struct Sort {
    /// The text that the names of its events begin with.
    events: &'static str,
    /// Paysafe's word for it.
    kind: &'static str,
    /// The text by which its ids are told from those of other sorts.
    pub(super) prefix: &'static str,
    /// The path below which the API has each by its id, where it has.
    pub(super) path: Option<&'static str>,
}

const fn asked(events: &'static str, kind: &'static str, prefix: &'static str, path: &'static str) -> Sort {
    Sort { events, kind, prefix, path: Some(path) }
}

const fn told(events: &'static str, kind: &'static str, prefix: &'static str) -> Sort {
    Sort { events, kind, prefix, path: None }
}

/// All sorts. The first whose events begin like an event counts.
const SORTS: &[Sort] = &[
    asked("PAYMENT_HANDLE_", "PAYMENT_HANDLE", "payment-handle", "paymenthandles"),
    told("PAYMENT_RETURN_", "PAYMENT_RETURN", "payment-return"),
    told("PAYMENT_RETURNED_", "PAYMENT_RETURN", "payment-return"),
    asked("PAYMENT_", "PAYMENT", "payment", "payments"),
    asked("SETTLEMENT_", "SETTLEMENT", "settlement", "settlements"),
    asked("REFUND_", "REFUND", "refund", "refunds"),
    asked("SA_CREDIT_", "STANDALONE_CREDIT", "standalone-credit", "standalonecredits"),
    // Alternative payments, the API before the Payments API. Its ids are of sorts of its own.
    told("AP_PAYMENT_", "PAYMENT", "alternative-payment"),
    told("AP_SETTLEMENT_", "SETTLEMENT", "alternative-settlement"),
    told("AP_REFUND_", "REFUND", "alternative-refund"),
    told("AP_RETURN_", "PAYMENT_RETURN", "alternative-return"),
];

impl Sort {
    /// The sort that an event is about, and the status that its name ends in.
    pub(super) fn of_event(name: &str) -> Option<(&'static Self, &str)> {
        SORTS.iter().find_map(|sort| Some((sort, name.strip_prefix(sort.events)?)))
    }

    /// The sort of an entity, and Paysafe's id of it.
    pub(super) fn of_entity(entity: &str) -> Option<(&'static Self, &str)> {
        let (prefix, id) = entity.split_once(':')?;
        SORTS.iter().find(|sort| sort.prefix == prefix).map(|sort| (sort, id))
    }
}

fields! {
    /// The fields of a payment handle, payment, settlement, refund or credit.
    pub(super) struct Resource {
        pub(super) id: Lenient<String>,
        pub(super) account_id: Lenient<String> = "accountId",
        /// The account below a master account that it was made by.
        pub(super) child_account_num: Lenient<String> = "childAccountNum",
        merchant_ref_num: Lenient<String> = "merchantRefNum",
        pub(super) amount: Lenient<Minor>,
        pub(super) currency_code: Lenient<String> = "currencyCode",
        status: Lenient<String>,
        payment_type: Lenient<String> = "paymentType",
        updated_time: Lenient<Timestamp> = "updatedTime",
        status_time: Lenient<Timestamp> = "statusTime",
        txn_time: Lenient<Timestamp> = "txnTime",
    }
}

/// The facts about a resource that are said beside it.
pub(super) struct Beside<'a> {
    /// The path of the resource in the body, with a dot at its end; empty where the body is the resource.
    pub(super) within: &'static str,
    /// Its id, which counts before its own.
    pub(super) id: Option<String>,
    /// Its status, where it has none itself.
    pub(super) status: Option<&'a str>,
    /// The time of the event, where the resource has no time of a change.
    pub(super) event_date: Option<Timestamp>,
}

/// A resource as it was read.
pub(super) struct Told {
    /// Paysafe's id.
    pub(super) id: String,
    /// The merchant account that it names.
    pub(super) account: Option<String>,
    /// The time of its state.
    pub(super) time: Timestamp,
    /// Its state, whole.
    pub(super) entity: EntityNotice,
}

/// The path of a field.
struct Path(&'static str, &'static str);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

impl Resource {
    /// Reads its state.
    pub(super) fn read(self, sort: &Sort, beside: Beside<'_>) -> Result<Told, Fault> {
        let path = |name| Path(beside.within, name);
        let id = id(beside.id.or(self.id.needed_if_there(path("id"))?))?;
        let status = self.status.needed_if_there(path("status"))?.or_else(|| beside.status.map(str::to_owned));
        let status = status.ok_or_else(|| unreadable("no status"))?;
        // One that is there and cannot be read is no reason to take an older one.
        let time = match self.updated_time.needed_if_there(path("updatedTime"))? {
            None => self.status_time.needed_if_there(path("statusTime"))?,
            updated => updated,
        };
        let began = self.txn_time.needed_if_there(path("txnTime"))?;
        let time = time.or(beside.event_date).or(began).ok_or_else(|| unreadable("no time"))?;
        let account = self.account_id.needed_if_there(path("accountId"))?;
        let mut unread = Unread::default();
        // Some payloads are too short to say them; all that is paid has both.
        let amount = self.amount.needed_if_there(path("amount"))?;
        let currency = self.currency_code.needed_if_there(path("currencyCode"))?.map(|text| word(&text));
        for (name, known) in [("amount", amount.is_some()), ("currencyCode", currency.is_some())] {
            if !known {
                unread.note(path(name));
            }
        }
        let document = Transaction {
            id: id.clone(),
            kind: sort.kind.to_owned(),
            amount_minor: amount.map(|Minor(amount)| amount),
            currency,
            payment_type: self.payment_type.or_note(&mut unread, path("paymentType")).map(|text| word(&text)),
            reference: self.merchant_ref_num.or_note(&mut unread, path("merchantRefNum")),
            company: account.clone(),
            occurred_at: began.or(beside.event_date).unwrap_or(time).to_string(),
            updated_at: time.to_string(),
            status: word(&status),
        };
        let entity = EntityNotice {
            occurred_at: Some(time),
            unread: unread.into_paths(),
            source: Some(TRANSACTIONS),
            ..EntityNotice::new(
                Kind::Transaction,
                format!("{}:{id}", sort.prefix),
                version(time, &document.status),
                State::Present(Document::Transaction(Box::new(document))),
            )
        };
        Ok(Told { id, account, time, entity })
    }
}

/// In place of a status, of what is deleted.
pub(super) const DELETED: &str = "DELETED";

/// How far along the status is, and the time of it. A status never goes back: what is reported of an earlier one later, or with a
/// later time, changes nothing. One that is not known counts as far along as a completed one, so that the later of both counts.
pub(super) fn version(time: Timestamp, status: &str) -> Version {
    let rank = match status {
        "INITIATED" | "RECEIVED" => 1,
        "PENDING" | "PROCESSING" | "HELD" => 2,
        "PAYABLE" => 3,
        // Some come after `COMPLETED`, and nothing comes after them.
        "FAILED" | "CANCELLED" | "EXPIRED" | "ERROR" | "ERRORED" | "REFUNDED" | "RETURNED" => 5,
        DELETED => 6,
        _ => 4,
    };
    Version::ranked(rank, time)
}

/// An id that can be one of ours.
pub(super) fn id(id: Option<String>) -> Result<String, Fault> {
    id.filter(|id| is_id(id)).ok_or_else(|| unreadable("no id, or one that cannot be"))
}
