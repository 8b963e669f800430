//! Standard Webhooks, and Whatnot, which follows them.

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::Case;
use crate::requests::{Step, mac64, posted, send};

/// What the sample secret, `whsec_` and its base64, stands for.
const KEY: &[u8] = b"hush-standard-webhooks-secret";
const PRODUCT: &str = r#"{"type":"product.updated","timestamp":"2026-11-02T07:59:00Z","data":{"id":"prod_1","title":"Mug","status":"active","updated_at":"2026-11-02T07:59:00Z","variants":[{"id":"var_1","price":"29.50"}],"images":[]}}"#;

/// A delivery whose headers are named by `prefix`, signed `ago` seconds ago; `list` makes the header of the right entry.
fn signed(prefix: &'static str, key: &'static [u8], ago: i64, list: fn(&str) -> String) -> Step {
    send(move |to| {
        let time = (to.now - SignedDuration::from_secs(ago)).as_second().to_string();
        let entry = format!("v1,{}", mac64(key, &[b"msg_1.", time.as_bytes(), b".", PRODUCT.as_bytes()]));
        let name = |part: &str| format!("{prefix}-{part}");
        let list = list(&entry);
        let headers = [(&*name("id"), "msg_1"), (&*name("timestamp"), &*time), (&*name("signature"), &*list)];
        posted(to, &headers, Bytes::from_static(PRODUCT.as_bytes()))
    })
}

fn plain(ago: i64) -> Step {
    signed("webhook", KEY, ago, str::to_owned)
}

pub(crate) fn cases() -> Vec<Case> {
    let case =
        |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("standard-webhooks", name, steps, right);
    vec![
        case(
            "a secret that was copied with the version of signatures before it verifies",
            vec![plain(0)],
            vec![("/made", json!(201)), ("/statuses", json!([200])), ("/ops", json!(["created"]))],
        )
        .with_secrets(json!({ "secret": "v1,whsec_aHVzaC1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ=" })),
        case("a secret that is no base64 after its prefix cannot be stored", vec![], vec![("/made", json!(422))])
            .with_secrets(json!({ "secret": "whsec_!!!!" })),
        case("a secret that is nothing but its prefix cannot be stored", vec![], vec![("/made", json!(422))])
            .with_secrets(json!({ "secret": "whsec_" })),
        case(
            "a delivery signed with the text of the secret, prefix and all, is refused",
            vec![signed("webhook", b"whsec_aHVzaC1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ=", 0, str::to_owned)],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        case(
            "of several signatures, as while a secret is rotated, one suffices",
            vec![signed("webhook", KEY, 0, |entry| {
                format!("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= {entry} v2,unknown")
            })],
            vec![("/statuses", json!([200])), ("/ops", json!(["created"]))],
        ),
        case(
            "a clock that is two minutes off is tolerated, either way",
            vec![plain(120), plain(-120)],
            vec![("/statuses", json!([200, 200])), ("/ops", json!(["created"]))],
        ),
        case(
            "a delivery that is replayed after six minutes is refused",
            vec![plain(360)],
            vec![("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
        case(
            "the headers may have Svix's names",
            vec![signed("svix", KEY, 0, str::to_owned)],
            vec![("/statuses", json!([200])), ("/ops", json!(["created"]))],
        ),
        case(
            "a delivery that is retried with the same id counts once",
            vec![plain(0), plain(0)],
            vec![("/ops", json!(["created"])), ("/outcomes/1", json!("duplicate"))],
        ),
        Case::new(
            "whatnot",
            "an order without the customer's data, which needs a scope of its own, is no dead letter",
            [whatnot(
                r#"{"type":"orders.created","timestamp":"2026-11-02T07:59:00Z","data":{"id":"9001","shipping_address":null,"total":{"amount":"12.50","currency":"USD"}},"version":"v2","seller_id":"1234567"}"#,
            )],
            [("/statuses", json!([200])), ("/letters", json!(0))],
        ),
        Case::new(
            "whatnot",
            "a signature by the header of the preview alone is refused",
            [send(|to| {
                let mac = crate::requests::mac16(b"hush-whatnot-webhook-secret", &[b"{}"]);
                posted(to, &[("x-whatnot-webhook-signature", &mac)], "{}")
            })],
            [("/statuses", json!([401])), ("/outcomes", json!([]))],
        ),
    ]
}

fn whatnot(body: &'static str) -> Step {
    send(move |to| {
        let time = to.now.as_second().to_string();
        let mac = mac64(b"hush-whatnot-webhook-secret", &[b"msg_1.", time.as_bytes(), b".", body.as_bytes()]);
        let signature = format!("v1,{mac}");
        let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", &*time), ("webhook-signature", &*signature)];
        posted(to, &headers, body)
    })
}
