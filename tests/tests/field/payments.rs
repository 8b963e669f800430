//! Providers of tills and payments, and marketplaces: Square, Clover, Paysafe, eBay.

use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::Case;
use crate::requests::{Step, To, mac64, posted, rewritten, send};

const SQUARE: &str = "hush-square-signature-key";

/// A delivery of Square's whose signature is over what `signed` makes of address and body.
fn square(event: &'static str, body: Value, signed: fn(&To, &str) -> Vec<u8>) -> Step {
    send(move |to| {
        let mut body = body.clone();
        body["event_id"] = json!(event);
        let body = body.to_string();
        let mac = mac64(SQUARE.as_bytes(), &[&signed(to, &body)]);
        // The older signature, SHA-1, still comes along.
        let headers = [("x-square-hmacsha256-signature", &*mac), ("x-square-signature", "ZmFrZQ==")];
        posted(to, &headers, body)
    })
}

fn address_and_body(to: &To, body: &str) -> Vec<u8> {
    format!("{}{body}", to.url).into_bytes()
}

fn count(calculated: &str, quantity: &str) -> Value {
    json!({
        "merchant_id": "SAMPLEMERCHANT1", "type": "inventory.count.updated", "created_at": "2026-11-02T07:59:59Z",
        "data": { "type": "inventory_counts", "id": "84e4ac73", "object": { "inventory_counts": [{
            "calculated_at": format!("2026-11-02T{calculated}Z"), "catalog_object_id": "6F4K33KP",
            "catalog_object_type": "ITEM_VARIATION", "location_id": "EF6D9SAC", "quantity": quantity, "state": "IN_STOCK",
        }] } },
    })
}

/// A count, and others behind it.
fn counts(others: Value) -> Value {
    let mut event = count("07:59:00", "5");
    if let (Some(Value::Array(counts)), Value::Array(others)) =
        (event.pointer_mut("/data/object/inventory_counts"), others)
    {
        counts.extend(others);
    }
    event
}

fn catalog() -> Value {
    json!({
        "merchant_id": "SAMPLEMERCHANT1", "type": "catalog.version.updated", "created_at": "2026-11-02T07:59:59Z",
        "data": { "type": "catalog_version", "id": "", "object": { "catalog_version": { "updated_at": "2026-11-02T07:59:58Z" } } },
    })
}

fn clover(body: Value) -> Step {
    send(move |to| posted(to, &[("x-clover-auth", "hush-clover-auth-code")], body.to_string()))
}

fn paysafe(event: &'static str, body: Value) -> Step {
    send(move |to| {
        let mut body = body.clone();
        body["eventType"] = json!(event);
        let body = body.to_string();
        posted(to, &[("signature", &*mac64(b"hush-paysafe-hmac-key", &[body.as_bytes()]))], body)
    })
}

fn payment(status: &str) -> Value {
    json!({
        "payload": {
            "accountId": "1009688230", "id": "4f6a7727", "merchantRefNum": "hush-1", "amount": 4250, "currencyCode": "CAD",
            "status": status, "paymentType": "SKRILL", "statusTime": "2026-11-02T07:59:00Z",
            "updatedTime": "2026-11-02T07:59:00Z", "txnTime": "2026-11-02T07:58:00Z", "transactionType": "PAYMENT",
        },
        "attemptNumber": "1", "resourceId": "4f6a7727", "eventDate": "2026-11-02T07:59:00Z", "links": [], "mode": "live",
    })
}

/// The sample of eBay's with its header, base64 of JSON, rewritten.
fn ebays_header(request: Request<Bytes>, change: fn(String) -> String) -> Request<Bytes> {
    let mut request = request;
    let header = BASE64.decode(request.headers()["x-ebay-signature"].as_bytes()).expect("base64");
    let header = BASE64.encode(change(String::from_utf8(header).expect("text")).as_bytes());
    request.headers_mut().insert("x-ebay-signature", HeaderValue::from_str(&header).expect("a header"));
    request
}

const DELETION: &str = "MARKETPLACE_ACCOUNT_DELETION";

pub(crate) fn cases() -> Vec<Case> {
    let to_square = |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("square", name, steps, right);
    let refused = || vec![("/statuses", json!([401])), ("/outcomes", json!([]))];
    let events = ["e-1", "e-2", "e-3", "e-4", "e-5"];
    vec![
        to_square(
            "address and body signed, in that order, verify beside the older signature",
            vec![square("e-1", count("07:59:00", "5"), address_and_body)],
            vec![("/statuses", json!([200])), ("/kinds", json!(["stock"]))],
        ),
        to_square(
            "an address signed with a slash more is refused",
            vec![square("e-1", count("07:59:00", "5"), |to, body| format!("{}/{body}", to.url).into_bytes())],
            refused(),
        ),
        to_square(
            "an address signed with the other scheme is refused",
            vec![square("e-1", count("07:59:00", "5"), |to, body| {
                format!("{}{body}", to.url.replacen("http://", "https://", 1)).into_bytes()
            })],
            refused(),
        ),
        to_square(
            "a body signed without the address is refused",
            vec![square("e-1", count("07:59:00", "5"), |_, body| body.as_bytes().to_vec())],
            refused(),
        ),
        to_square(
            "many events of one sale are hints to one sync, and no change each",
            events.into_iter().map(|event| square(event, catalog(), address_and_body)).collect(),
            vec![("/ops", json!([])), ("/waiting", json!(5)), ("/letters", json!(0))],
        ),
        to_square(
            "an event that is retried with its id counts once",
            vec![
                square("e-1", count("07:59:00", "5"), address_and_body),
                square("e-1", count("07:59:00", "5"), address_and_body),
            ],
            vec![("/ops", json!(["created"])), ("/outcomes/1", json!("duplicate"))],
        ),
        to_square(
            "a bent count spoils no other, and the counts are asked for",
            vec![square("e-1", counts(json!([{ "state": 7 }, "bent"])), address_and_body)],
            vec![("/ops", json!(["created"])), ("/last/quantity", json!("5")), ("/waiting", json!(1))],
        ),
        to_square(
            "a count without a quantity makes no zero of it",
            vec![square(
                "e-1",
                counts(json!([{
                    "calculated_at": "2026-11-02T07:59:00Z", "catalog_object_id": "7AAAAAAA", "location_id": "EF6D9SAC",
                    "state": "UNTRACKED",
                }])),
                address_and_body,
            )],
            vec![("/ops", json!(["created", "created"])), ("/last/quantity", Value::Null), ("/letters", json!(0))],
        ),
        Case::new(
            "clover",
            "an odd merchant or event loses none of the others, and the body is kept",
            [clover(json!({ "appId": "APP", "merchants": {
                "SAMPLEMERCH01": [{ "objectId": 7.5, "type": {} }, { "objectId": "I:AAA", "type": "UPDATE", "ts": 1 }],
                "x".repeat(300): [{ "objectId": "I:BBB", "type": "UPDATE", "ts": 1 }],
            } }))],
            [("/statuses", json!([200])), ("/waiting", json!(1)), ("/letters", json!(1))],
        ),
        Case::new(
            "clover",
            "the verification code is answered 200 and shown",
            [send(|to| posted(to, &[], r#"{"verificationCode":"ce7643c1-83ea-4218-abe6-da876c9c7a0a"}"#))],
            [
                ("/statuses", json!([200])),
                ("/connection/handshake/code", json!("ce7643c1-83ea-4218-abe6-da876c9c7a0a")),
            ],
        ),
        Case::new(
            "clover",
            "every update of a delivery counts, whichever merchant stands first",
            [clover(json!({ "appId": "APP", "merchants": {
                "ANOTHER": [{ "objectId": "I:1", "type": "UPDATE", "ts": 1_793_605_140_000_u64 }],
                "SAMPLEMERCH01": [
                    { "objectId": "I:AAA", "type": "UPDATE", "ts": 1_793_605_140_000_u64 },
                    { "objectId": "P:BBB", "type": "CREATE", "ts": 1_793_605_140_000_u64 },
                ],
            } }))],
            [("/statuses", json!([200])), ("/waiting", json!(2)), ("/letters", json!(0))],
        ),
        Case::new(
            "paysafe",
            "a payment by a method of its own is a transaction, whatever its event is called",
            [paysafe("AP_PAYMENT_COMPLETED", payment("COMPLETED"))],
            [("/statuses", json!([200])), ("/kinds", json!(["transaction"])), ("/last/status", json!("COMPLETED"))],
        ),
        Case::new(
            "paysafe",
            "an event that nobody knows and that may be money is kept",
            [paysafe("CROSS_BORDER_CASH_SETTLED", payment("SETTLED"))],
            [("/statuses", json!([200])), ("/letters", json!(1))],
        ),
        Case::new(
            "paysafe",
            "the test of connectivity is answered and leaves no transaction",
            [paysafe("test", json!({ "mode": "test", "eventDate": "2026-11-02T07:59:00Z", "attemptNumber": 1 }))],
            [("/statuses", json!([200])), ("/ops", json!([])), ("/letters", json!(0))],
        ),
        Case::new(
            "ebay",
            "an algorithm written in capitals verifies",
            [Step::Bend(DELETION, |request| ebays_header(request, |text| text.replace("\"ecdsa\"", "\"ECDSA\"")))],
            [("/statuses", json!([200])), ("/letters", json!(0))],
        ),
        Case::new(
            "ebay",
            "a notification that was parsed and written again is refused",
            [Step::Bend(DELETION, |request| {
                rewritten(request, |body| body["metadata"]["schemaVersion"] = json!("1.1"))
            })],
            [("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
    ]
}
