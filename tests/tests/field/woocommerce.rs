//! WooCommerce.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::Case;
use crate::requests::{Step, mac64, posted, send, with};

const KEY: &str = "hush-woocommerce-secret";

/// A product, modified at a time of the day when the cases run.
pub(crate) fn product(modified: &str, fields: Value) -> Value {
    let product = json!({
        "id": 799, "name": "Hollow Mug", "type": "simple", "status": "publish", "sku": "MUG-1", "price": "29.50",
        "date_modified_gmt": format!("2026-11-02T{modified}"), "manage_stock": true, "stock_quantity": 11,
        "images": [], "variations": [], "global_unique_id": "",
    });
    with(product, fields)
}

/// A delivery that is signed with `key`.
fn signed(topic: &'static str, id: u64, source: &'static str, key: &'static str, body: impl Into<Bytes>) -> Step {
    let body = body.into();
    send(move |to| {
        let id = format!("delivery-{id}");
        let headers = [
            ("x-wc-webhook-source", source),
            ("x-wc-webhook-topic", topic),
            ("x-wc-webhook-signature", &mac64(key.as_bytes(), &[&body])),
            ("x-wc-webhook-delivery-id", &id),
        ];
        posted(to, &headers, body.clone())
    })
}

/// A delivery of the connection's own store.
pub(crate) fn sent(topic: &'static str, id: u64, body: &Value) -> Step {
    signed(topic, id, "https://demo.example/", KEY, body.to_string())
}

pub(crate) fn updated(id: u64, body: &Value) -> Step {
    sent("product.updated", id, body)
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("woocommerce", name, steps, right);
    let mug = product("07:59:00", json!({}));
    let ties = (0..=10).map(|sold| updated(sold, &product("07:59:00", json!({ "stock_quantity": 10 - sold }))));
    let thrice = (0..3).map(|n| updated(n, &product(&format!("07:59:0{n}"), json!({}))));
    let marked = [b"\xef\xbb\xbf", mug.to_string().as_bytes()].concat();
    vec![
        case(
            "an update that fires twice is one change",
            vec![updated(1, &mug), updated(2, &mug)],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created"]))],
        ),
        case(
            "an update that fires three times, each with another date, is one change",
            thrice.collect(),
            vec![("/ops", json!(["created"]))],
        ),
        case(
            "a save that sends created and updated is one change",
            vec![sent("product.created", 1, &mug), updated(2, &mug)],
            vec![("/ops", json!(["created"]))],
        ),
        case(
            "eleven orders within one date of modification end at the last stock",
            ties.collect(),
            vec![("/last/variants/0/stock", json!(0)), ("/letters", json!(0))],
        ),
        case(
            "old information after newer does not stand",
            vec![
                updated(1, &product("07:59:30", json!({ "name": "New" }))),
                updated(2, &product("07:59:00", json!({ "name": "Old" }))),
            ],
            vec![("/ops", json!(["created"])), ("/last/title", json!("New")), ("/outcomes/1", json!("stale"))],
        ),
        case(
            "the ping when a webhook is saved is answered and leaves nothing",
            vec![send(|to| {
                let form = Request::post(&to.path).header("content-type", "application/x-www-form-urlencoded");
                form.body("webhook_id=7".into()).expect("a request")
            })],
            vec![("/statuses", json!([200])), ("/outcomes", json!([])), ("/letters", json!(0))],
        ),
        case(
            "a secret with ampersands and brackets, as the store shows it, verifies",
            vec![signed("product.updated", 1, "https://demo.example/", "tea & <s>'1\"", mug.to_string())],
            vec![("/statuses", json!([200])), ("/ops", json!(["created"]))],
        )
        .with_secrets(json!({ "secret": "tea &amp; &lt;s&gt;&#039;1&quot;" })),
        case(
            "a secret with every punctuation mark, as it was typed, verifies",
            vec![signed("product.updated", 1, "https://demo.example/", ODD, mug.to_string())],
            vec![("/statuses", json!([200])), ("/ops", json!(["created"]))],
        )
        .with_secrets(json!({ "secret": ODD })),
        case(
            "a delivery with a blank signature is refused and leaves nothing",
            vec![send(|to| {
                posted(to, &[("x-wc-webhook-topic", "product.updated"), ("x-wc-webhook-signature", "")], "{}")
            })],
            vec![("/statuses", json!([401])), ("/outcomes", json!([])), ("/letters", json!(0))],
        ),
        case("a connection with an empty secret cannot be made", vec![], vec![("/made", json!(422))])
            .with_secrets(json!({ "secret": "" })),
        case(
            "a bundle whose price is a number is read",
            vec![updated(1, &product("07:59:00", json!({ "price": 5, "regular_price": 5 })))],
            vec![("/ops", json!(["created"])), ("/last/title", json!("Hollow Mug")), ("/letters", json!(0))],
        ),
        case(
            "a stock that is an empty text, or managed by the parent, loses nothing else",
            vec![updated(1, &product("07:59:00", json!({ "stock_quantity": "", "manage_stock": "parent" })))],
            vec![("/ops", json!(["created"])), ("/last/variants/0/price", json!("29.50")), ("/letters", json!(0))],
        ),
        case(
            "a product whose variations are only numbers is known, and asked for",
            vec![sent(
                "product.created",
                1,
                &product("07:59:00", json!({ "type": "variable", "variations": [801, 802] })),
            )],
            vec![("/ops", json!(["created"])), ("/last/variants/1/id", json!("802")), ("/waiting", json!(1))],
        ),
        case(
            "a variation's own update makes no product of it",
            vec![updated(1, &product("07:59:00", json!({ "id": 801, "type": "variation", "parent_id": 799 })))],
            vec![("/ops", json!([])), ("/waiting", json!(1)), ("/letters", json!(0))],
        ),
        case(
            "the deletion of a variation, which no product ever had, is no change",
            vec![sent("product.deleted", 1, &json!({ "id": 801 }))],
            vec![("/statuses", json!([200])), ("/ops", json!([])), ("/letters", json!(0))],
        ),
        case(
            "a store that moved to another domain goes on counting",
            vec![signed("product.updated", 1, "https://example2.example/", KEY, mug.to_string())],
            vec![("/statuses", json!([200])), ("/ops", json!(["created"]))],
        ),
        case(
            "a store whose address a language plugin changes goes on counting",
            vec![
                signed("product.updated", 1, "https://demo.example/de/", KEY, mug.to_string()),
                signed("product.deleted", 2, "https://www.demo.example/", KEY, r#"{"id":799}"#),
            ],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created", "deleted"]))],
        ),
        case(
            "a byte order mark before the JSON is ignored, and signed",
            vec![signed("product.updated", 1, "https://demo.example/", KEY, marked)],
            vec![("/ops", json!(["created"])), ("/letters", json!(0))],
        ),
    ]
}

const ODD: &str = ">Zx3RbX)87dswyS/X|JkJVB|~<x`s-7:5NLAM0N;!s1}F!BO##";
