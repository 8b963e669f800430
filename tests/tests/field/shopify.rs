//! Shopify.

use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::Case;
use crate::requests::{Step, mac16, mac64, posted, send, with};

const KEY: &str = "hush-shopify-client-secret";

fn product(updated: &str, fields: Value) -> Value {
    let product = json!({
        "id": 8473926, "title": "Hollow Mug", "status": "active", "updated_at": format!("2026-11-02T{updated}Z"),
        "variants": [{ "id": 451, "sku": "MUG-1", "price": "29.50", "barcode": null, "inventory_quantity": 17 }],
        "images": [], "vendor": null,
    });
    with(product, fields)
}

/// A delivery: its webhook's id, the id of what happened, and the key that signs it.
struct Sent {
    topic: &'static str,
    webhook: String,
    happened: String,
    key: &'static str,
    body: Bytes,
}

impl Sent {
    fn step(self, signature: fn(&[u8], &Bytes) -> String) -> Step {
        send(move |to| {
            let headers = [
                ("x-shopify-topic", self.topic),
                ("x-shopify-shop-domain", "demo.myshopify.com"),
                ("x-shopify-webhook-id", &self.webhook),
                ("x-shopify-event-id", &self.happened),
                ("x-shopify-hmac-sha256", &signature(self.key.as_bytes(), &self.body)),
            ];
            posted(to, &headers, self.body.clone())
        })
    }
}

fn right(key: &[u8], body: &Bytes) -> String {
    mac64(key, &[body])
}

fn delivery(topic: &'static str, webhook: &str, happened: &str, body: impl Into<Bytes>) -> Sent {
    Sent { topic, webhook: webhook.into(), happened: happened.into(), key: KEY, body: body.into() }
}

/// A delivery of the topic's own subscription.
fn sent(topic: &'static str, happened: &str, body: &Value) -> Step {
    delivery(topic, &format!("{topic}-{happened}"), happened, body.to_string()).step(right)
}

/// A delivery that names another shop.
fn delivery_of(shop: &'static str, body: String) -> Step {
    send(move |to| {
        let headers = [
            ("x-shopify-topic", "products/update"),
            ("x-shopify-shop-domain", shop),
            ("x-shopify-webhook-id", "another"),
            ("x-shopify-hmac-sha256", &mac64(KEY.as_bytes(), &[body.as_bytes()])),
        ];
        posted(to, &headers, body.clone())
    })
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("shopify", name, steps, right);
    let mug = product("07:59:00", json!({}));
    let mut cut = mug.clone();
    if let Value::Object(fields) = &mut cut {
        fields.retain(|name, _| !["status", "images"].contains(&name.as_str()));
    }
    // As Shopify writes it: slashes and ampersands escaped. A body that was parsed and written again has lost that.
    let escaped =
        product("07:59:00", json!({ "title": "T" })).to_string().replace("\"T\"", r#""Hush \u0026 Hollow \/ 1""#);
    let written_again = |key: &[u8], body: &Bytes| {
        let value: Value = serde_json::from_slice(body).expect("JSON");
        mac64(key, &[value.to_string().as_bytes()])
    };
    let separators = mug.to_string().replace("Hollow Mug", "\\u2028\\u2028724812-22 \u{2028} \u{e4}");
    let flood = (0..40_u64).map(|n| {
        // Each version once, in an order that is none.
        let version = (n * 23) % 40;
        let body = product(&format!("07:59:{version:02}"), json!({ "title": format!("Version {version}") }));
        sent("products/update", &format!("e-{version}"), &body)
    });
    let prices = (0..4).map(|n| {
        let variants = json!([{ "id": 451, "price": format!("{}.00", 9 - n) }]);
        sent("products/update", &format!("e-{n}"), &product("07:59:00", json!({ "variants": variants })))
    });
    let signed_by = |key, happened| Sent { key, ..delivery("products/update", happened, happened, mug.to_string()) };
    vec![
        case(
            "a body with escaped slashes and ampersands verifies as it came",
            vec![delivery("products/update", "w-1", "e-1", escaped.clone()).step(right)],
            vec![("/statuses", json!([200])), ("/last/title", json!("Hush & Hollow / 1"))],
        ),
        case(
            "a signature over a body that was parsed and written again is refused",
            vec![delivery("products/update", "w-1", "e-1", escaped).step(written_again)],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        case(
            "line separators, escaped and raw, change no signature",
            vec![delivery("products/update", "w-1", "e-1", separators).step(right)],
            vec![("/statuses", json!([200])), ("/last/title", json!("\u{2028}\u{2028}724812-22 \u{2028} \u{e4}"))],
        ),
        case(
            "a signature in hexadecimal is refused",
            vec![delivery("products/update", "w-1", "e-1", mug.to_string()).step(|key, body| mac16(key, &[body]))],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        case(
            "a header in the alphabet of addresses is refused",
            vec![delivery("products/update", "w-1", "e-1", mug.to_string()).step(|key, body| {
                let mac = BASE64.decode(mac64(key, &[body]).as_bytes()).expect("base64");
                data_encoding::BASE64URL_NOPAD.encode(&mac)
            })],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        case(
            "the same delivery again, since the answer was late, counts once",
            vec![sent("products/update", "e-1", &mug), sent("products/update", "e-1", &mug)],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created"])), ("/outcomes/1", json!("duplicate"))],
        ),
        case(
            "the same event by two subscriptions, at the same time, counts once",
            vec![
                delivery("products/update", "w-1", "e-1", mug.to_string()).step(right),
                delivery("products/update", "w-2", "e-1", mug.to_string()).step(right),
            ],
            vec![("/ops", json!(["created"]))],
        )
        .at_once(),
        case(
            "a creation that is followed by its own update makes one product",
            vec![sent("products/create", "e-1", &mug), sent("products/update", "e-2", &mug)],
            vec![("/ops", json!(["created"]))],
        ),
        case(
            "an update that comes before the creation stands",
            vec![
                sent("products/update", "e-2", &product("07:59:30", json!({ "title": "Updated" }))),
                sent("products/create", "e-1", &product("07:59:00", json!({ "title": "Created" }))),
            ],
            vec![("/ops", json!(["created"])), ("/last/title", json!("Updated")), ("/outcomes/1", json!("stale"))],
        ),
        case(
            "of a flood of updates in no order the newest stands",
            flood.collect(),
            vec![("/last/title", json!("Version 39")), ("/letters", json!(0))],
        )
        .at_once(),
        case(
            "four prices within one second end at the one told last",
            prices.collect(),
            vec![
                ("/ops", json!(["created", "updated", "updated", "updated"])),
                ("/last/variants/0/price", json!("6.00")),
            ],
        ),
        case(
            "a deletion that has only the id deletes",
            vec![sent("products/update", "e-1", &mug), sent("products/delete", "e-2", &json!({ "id": 8473926 }))],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created", "deleted"]))],
        ),
        case(
            "a variant that is sent as a product makes none",
            vec![sent(
                "products/update",
                "e-1",
                &json!({ "id": 451, "product_id": 8473926, "title": "Small", "price": "1.00", "updated_at": "2026-11-02T07:59:00Z" }),
            )],
            vec![("/statuses", json!([200])), ("/ops", json!([]))],
        ),
        case(
            "fields that are null, missing or numbers lose no product",
            vec![sent(
                "products/update",
                "e-1",
                &product(
                    "07:59:00",
                    json!({ "images": null, "variants": [{ "id": 451, "price": 29.5, "sku": null }] }),
                ),
            )],
            vec![("/ops", json!(["created"])), ("/last/title", json!("Hollow Mug")), ("/letters", json!(0))],
        ),
        case(
            "what is signed and cannot be read is answered 200 and kept whole",
            vec![delivery("products/update", "w-1", "e-1", r#"{"id":8473926,"title":"Hollow"#).step(right)],
            vec![("/statuses", json!([200])), ("/ops", json!([])), ("/letters", json!(1))],
        ),
        case(
            "the former secret counts beside the new one, and another app's does not",
            vec![
                signed_by("hush-former", "e-1").step(right),
                signed_by("hush-new", "e-2").step(right),
                signed_by("hush-of-another-app", "e-3").step(right),
            ],
            vec![("/statuses", json!([200, 200, 401])), ("/ops", json!(["created"]))],
        )
        .with_secrets(json!({ "client_secret": ["hush-new", "hush-former"] })),
        case(
            "a request to redact a customer erases neither the shop nor its products",
            vec![
                sent("products/update", "1", &mug),
                sent(
                    "customers/redact",
                    "2",
                    &json!({
                        "shop_id": 954889, "shop_domain": "demo.myshopify.com", "orders_to_redact": [299938],
                        "customer": { "id": 191167, "email": "mina@example.com", "phone": null },
                    }),
                ),
            ],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created"])), ("/letters", json!(0))],
        ),
        case(
            "a body of more than a mebibyte is taken, and asked for",
            vec![sent("products/update", "1", &product("07:59:00", json!({ "body_html": "x".repeat(1 << 20) })))],
            vec![("/statuses", json!([200])), ("/waiting", json!(1)), ("/letters", json!(0))],
        ),
        case(
            "what a subscription leaves out is not gone",
            vec![sent("products/update", "1", &cut)],
            vec![("/ops", json!(["created"])), ("/unread", json!(["status", "images"])), ("/last/status", Value::Null)],
        ),
        case(
            "a delivery of another shop of the same app is held",
            vec![delivery_of("tea.myshopify.com", mug.to_string())],
            vec![("/statuses", json!([200])), ("/ops", json!([])), ("/letters", json!(0))],
        ),
    ]
}
