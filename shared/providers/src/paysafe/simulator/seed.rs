//! The payments that an account begins with.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::sorts::Sort;
use crate::simulator::drawn;

/// When the first payment was made: 1 November 2026, in seconds.
const BEGINNING: i64 = 1_793_491_200;
/// The payments: their currency, how they are paid, and the status of the payment, its settlement and its refund, if it has one.
const PAYMENTS: &[(&str, &str, &str, &str, &str)] = &[
    ("CAD", "CARD", "COMPLETED", "COMPLETED", ""),
    ("EUR", "SKRILL", "COMPLETED", "PENDING", ""),
    ("USD", "CARD", "COMPLETED", "COMPLETED", "COMPLETED"),
    ("JPY", "CARD", "COMPLETED", "PENDING", "PENDING"),
    ("GBP", "PAYSAFECARD", "FAILED", "", ""),
    ("EUR", "NETELLER", "PENDING", "", ""),
];

/// The payments of a new account.
pub(super) fn ledger(seed: u64) -> Ledger {
    let mut ledger = Ledger::new(seed);
    let mut now = Timestamp::from_second(BEGINNING).unwrap_or_default();
    for (number, (currency, kind, payment, settlement, refund)) in PAYMENTS.iter().enumerate() {
        let amount = 500 + drawn::number(seed, &format!("amount {number}"), 9_500);
        let made =
            [("payment-handle", "COMPLETED"), ("payment", payment), ("settlement", settlement), ("refund", refund)];
        for (what, status) in made.into_iter().filter(|(_, status)| !status.is_empty()) {
            now = now.checked_add(SignedDuration::from_mins(7)).unwrap_or(now);
            let fields = json!({
                "amount": amount,
                "currencyCode": currency,
                "paymentType": kind,
                "status": status,
                "merchantRefNum": format!("{what}-{}", 1_001 + number),
            });
            if let (Some(sort), Value::Object(fields)) = (Sort::of_edit(what), fields) {
                ledger.make(sort, &fields, now);
            }
        }
    }
    ledger
}
