//! Realistic bodies, for samples and simulations.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use crate::paysafe::topics::{MERCHANT_ACCOUNT, WALLET_ACCOUNT, WALLET_OTHER, WALLET_RESTRICTION, WALLET_TRANSACTION};
use hooktide_model::signing;

/// In place of a topic, for a payment of any status, as a merchant has them.
pub(super) const ANY: &str = "payment";

/// The events of a hundred payments, the ways in which they are paid, and their currencies: how many of each there are.
const EVENTS: [(&str, u64); 6] = [
    ("PAYMENT_COMPLETED", 82),
    ("PAYMENT_FAILED", 7),
    ("PAYMENT_PENDING", 4),
    ("PAYMENT_CANCELLED", 3),
    ("PAYMENT_HELD", 1),
    ("REFUND_COMPLETED", 3),
];
const WAYS: [(&str, u64); 4] = [("CARD", 71), ("SKRILL", 14), ("NETELLER", 9), ("PAYSAFECARD", 6)];
const CURRENCIES: [(&str, u64); 4] = [("CAD", 70), ("USD", 15), ("EUR", 13), ("JPY", 2)];

/// A body of `topic`, which is one of ours.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let time = sample.updated_at.to_string();
    let value = match topic {
        "test" => json!({ "mode": "test", "eventDate": time, "eventType": "test", "attemptNumber": 1 }),
        MERCHANT_ACCOUNT => merchant_account(sample, &time),
        WALLET_TRANSACTION => json!({
            "id": uuid(sample, "change"),
            "timestamp": time,
            "operationType": "Update",
            "transaction": {
                "id": wallet_id(sample, 504),
                "slipId": wallet_id(sample, 500),
                "customerId": wallet_id(sample, 505),
                "accountId": wallet_id(sample, 501),
                "type": "DEPOSIT",
                "amount": amount(sample),
                "currencyCode": "EUR",
                "creationTime": time,
                "direction": "CREDIT",
                "paymentType": "CARD",
                "instrumentType": "CARD",
                "status": "COMPLETED",
            },
        }),
        WALLET_ACCOUNT => json!({
            "customerId": wallet_id(sample, 505),
            "externalId": format!("customer-{}", sample.number),
            "accountId": wallet_id(sample, 501),
            "type": "IBAN_ASSIGNED",
            "timestamp": time,
        }),
        WALLET_RESTRICTION => json!({
            "id": uuid(sample, "change"),
            "timestamp": time,
            "customer": customer(sample),
            "restrictions": [{ "name": "OUTGOING_TRANSACTIONS" }],
            "operationType": "UPDATE",
        }),
        WALLET_OTHER => json!({
            "customerId": wallet_id(sample, 505),
            "externalId": format!("customer-{}", sample.number),
            "kycVerificationStatus": "COMPLETED",
        }),
        ANY => any_payment(sample, &time),
        name => payment(name, sample, &time),
    };
    serde_json::to_vec(&value).ok().map(Bytes::from)
}

fn payment(name: &str, sample: &Sample<'_>, time: &str) -> Value {
    let (sort, status) = name.rsplit_once('_').unwrap_or(("PAYMENT", name));
    let id = uuid(sample, sort);
    json!({
        "payload": {
            "accountId": sample.account,
            "id": id,
            "merchantRefNum": format!("order-{}", sample.number),
            "transactionType": "PAYMENT",
            "amount": amount(sample),
            "currencyCode": "CAD",
            "status": status,
            "paymentType": "CARD",
            "statusTime": time,
            "updatedTime": time,
            "txnTime": "2026-01-05T10:00:00Z",
        },
        "eventType": name,
        "attemptNumber": "1",
        "resourceId": id,
        "eventDate": "2026-01-05T10:00:00Z",
        "links": [{
            "href": format!("https://api.test.paysafe.com/paymenthub/v1/payments/{id}"),
            "rel": sort.to_ascii_lowercase(),
        }],
        "mode": "live",
        "eventName": name,
    })
}

/// A payment of a hundred, as its number chooses: most are small, and a few are large.
fn any_payment(sample: &Sample<'_>, time: &str) -> Value {
    let [event, way, currency, size, began] = [0, 1, 2, 3, 4].map(|part: usize| {
        let digest = signing::sha256(&[&sample.number.to_be_bytes(), &[u8::try_from(part).unwrap_or(0)]]);
        u64::from(u16::from_be_bytes([digest[0], digest[1]]))
    });
    let mut value = payment(chosen(&EVENTS, event), sample, time);
    let began = (sample.updated_at - Duration::from_secs(began % 90)).to_string();
    value["eventDate"] = json!(began);
    let payload = &mut value["payload"];
    payload["txnTime"] = json!(began);
    payload["paymentType"] = json!(chosen(&WAYS, way));
    payload["currencyCode"] = json!(chosen(&CURRENCIES, currency));
    payload["amount"] = json!(499 + size % 200 * (size / 200 % 60 + 1));
    value
}

/// What a number chooses among a hundred.
fn chosen(among: &[(&'static str, u64)], number: u64) -> &'static str {
    let mut left = number % 100;
    let found = among.iter().find(|(_, share)| {
        let is_found = left < *share;
        left = left.saturating_sub(*share);
        is_found
    });
    found.or(among.first()).map_or("", |(name, _)| name)
}

/// An account that the number names as the resource, on behalf of the one that samples are for.
fn merchant_account(sample: &Sample<'_>, time: &str) -> Value {
    let number = (1_000_000_000 + sample.number % 1_000_000_000).to_string();
    json!({
        "id": uuid(sample, "change"),
        "resourceId": number,
        "mode": "live",
        "eventDate": time,
        "eventType": "ACCT_ENABLED",
        "attemptNumber": 0,
        "payload": { "partnerId": 1000, "acctStatus": "Enabled", "accountNumber": sample.account },
        "links": [{
            "rel": "accounts",
            "href": format!("https://api.test.paysafe.com/accountmanagement/v1/accounts/{number}"),
        }],
    })
}

fn customer(sample: &Sample<'_>) -> Value {
    json!({ "id": wallet_id(sample, 505), "externalId": format!("customer-{}", sample.number) })
}

fn amount(sample: &Sample<'_>) -> i64 {
    1_000 + sample.updated_at.as_second().rem_euclid(500)
}

fn wallet_id(sample: &Sample<'_>, begins: u64) -> String {
    format!("{begins}{:07}", sample.number)
}

/// An id of the account's sample; no two accounts have the same.
fn uuid(sample: &Sample<'_>, of: &str) -> String {
    let digest = signing::sha256_hex(format!("{}/{of}", sample.account).as_bytes());
    format!("{}-{}-4000-8000-{:012x}", &digest[..8], &digest[8..12], sample.number)
}
