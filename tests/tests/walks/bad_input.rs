//! What the receiver is sent that it should not be: refused, or kept whole.

use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_tests::bodies;
use hooktide_tests::world::{Answer, Shop, World};
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

const SIGNATURE: &str = "x-shopify-hmac-sha256";
const MEBIBYTE: usize = 1024 * 1024;

/// Sends a signed body to `products/update` and processes it.
async fn send(world: &World, shop: &Shop, body: impl Into<Bytes>) -> u16 {
    let answer = world.request(world.signed(shop, "products/update", body)).await;
    world.tick().await;
    answer.status.as_u16()
}

/// The only dead letter, whole.
async fn only_letter(world: &World) -> Value {
    let list = world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    let id = list["items"][0]["id"].as_str().expect("an id");
    world.get(&format!("/v1/dead-letters/{id}")).await.expect(200)
}

/// The body of a whole dead letter, as it was received.
fn body_of(letter: &Value) -> Vec<u8> {
    let body = letter["body"].as_str().expect("a body");
    match letter["body_encoding"].as_str() {
        Some("utf-8") => body.as_bytes().to_vec(),
        Some("base64") => BASE64.decode(body.as_bytes()).expect("base64"),
        other => panic!("{other:?} is no encoding"),
    }
}

/// A signed request with its signature header changed.
async fn with_signature(change: impl FnOnce(&mut http::HeaderMap, HeaderValue)) -> (World, Answer) {
    let world = World::new().await;
    let shop = world.shop().await;
    let mut request = world.sample(&shop, "products/update", 1, world.now());
    let signature = request.headers_mut().remove(SIGNATURE).expect("a signature");
    change(request.headers_mut(), signature);
    let answer = world.request(request).await;
    (world, answer)
}

#[tokio::test]
async fn signed_bodies_that_are_not_json_are_kept_whole() {
    let deep = bodies::nested(10_000);
    let deep_field = format!(r#"{{"id":1,"title":"t","updated_at":"2026-11-02T08:00:00Z","deep":{deep}}}"#);
    let cases: [(&str, &[u8]); 7] = [
        ("empty", b""),
        ("white space", b" \r\n\t"),
        ("not UTF-8", b"{\"title\":\"\xff\xfe\"}\x00\x80"),
        ("no JSON", b"<html>502 Bad Gateway</html>"),
        ("cut off", br#"{"id":1,"title":"#),
        ("nested", deep.as_bytes()),
        ("nested in a field that nobody reads", deep_field.as_bytes()),
    ];
    for (name, body) in cases {
        let world = World::new().await;
        let shop = world.shop().await;
        assert_eq!(send(&world, &shop, body.to_vec()).await, 200, "{name}");
        let letter = only_letter(&world).await;
        assert_eq!((&letter["class"], &letter["connection"]), (&json!("unreadable"), &json!(shop.id)), "{name}");
        assert_eq!(body_of(&letter), body, "{name}");
        let encoding = if std::str::from_utf8(body).is_ok() { "utf-8" } else { "base64" };
        assert_eq!(letter["body_encoding"], encoding, "{name}");
        assert_eq!(world.outcomes().await, ["dead"], "{name}");
        assert!(world.changes().await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn json_that_is_not_the_documented_form_is_kept_whole() {
    for body in [
        r#"{"id":null,"title":"t","updated_at":"2026-11-02T08:00:00Z","variants":[]}"#,
        r#"{"id":1,"title":"t","updated_at":null,"variants":[]}"#,
        r#"{"id":-1,"title":"t","updated_at":"2026-11-02T08:00:00Z","variants":[]}"#,
        r#"{"id":1.5,"title":"t","updated_at":"2026-11-02T08:00:00Z","variants":[]}"#,
        r#"{"id":"one","title":"t","updated_at":"2026-11-02T08:00:00Z","variants":[]}"#,
        r#"{"id":1,"title":"t","updated_at":"yesterday","variants":[]}"#,
        "[]",
        "null",
    ] {
        let world = World::new().await;
        let shop = world.shop().await;
        assert_eq!(send(&world, &shop, body).await, 200, "{body}");
        let letter = only_letter(&world).await;
        assert_eq!((letter["class"].as_str(), body_of(&letter)), (Some("unreadable"), body.into()), "{body}");
    }
}

#[tokio::test]
async fn a_field_of_another_type_costs_nobody_a_delivery() {
    let world = World::new().await;
    let shop = world.shop().await;
    let body = r#"{"id":1,"title":7,"updated_at":"2026-11-02T08:00:00Z","images":null,
        "variants":[{"id":2,"sku":12345,"price":12.5,"inventory_quantity":"7","barcode":["x"]},{"id":null}]}"#;
    assert_eq!(send(&world, &shop, body).await, 200);
    let changes = world.changes().await;
    let variant = json!({ "id": "2", "sku": "12345", "barcode": null, "price": "12.5", "stock": 7 });
    assert_eq!(
        (&changes[0]["document"]["title"], &changes[0]["document"]["variants"]),
        (&json!("7"), &json!([variant]))
    );
    assert!(world.get("/v1/dead-letters").await.expect(200)["items"].as_array().is_some_and(Vec::is_empty));
}

#[tokio::test]
async fn the_good_parts_of_a_delivery_are_processed_and_the_whole_is_kept_for_the_odd_one() {
    let world = World::new().await;
    let clover = world.connect(hooktide_providers::by_id("clover").unwrap()).await;
    let (parts, _) = world.sample_of(&clover, "I", 1).await.into_parts();
    let good = json!({ "objectId": "I:1", "type": "UPDATE", "ts": 1_795_009_287_123_i64 });
    let body = json!({ "merchants": { "SAMPLEMERCH01": [{ "objectId": ["P", 1] }, good] } }).to_string();
    let answer = world.request(Request::from_parts(parts, body.clone().into())).await;
    assert_eq!(answer.status, 200);
    world.tick().await;
    assert_eq!(world.outcomes().await, ["waiting", "dead"]);
    let letter = only_letter(&world).await;
    assert_eq!((&letter["class"], body_of(&letter)), (&json!("unreadable"), body.into_bytes()));
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.contains("`objectId`")), "{letter}");
}

#[tokio::test]
async fn a_mebibyte_is_taken_by_claim_check() {
    let world = World::new().await;
    let shop = world.shop().await;
    let largest = bodies::product_of_size(1, world.now(), MEBIBYTE);
    assert_eq!(send(&world, &shop, largest.clone()).await, 200);
    let claims = world.blobs("claims/shopify").await;
    assert_eq!(claims.len(), 1, "it travels by reference");
    let changes = world.changes().await;
    assert_eq!(changes.len(), 1);
    let sent: Value = serde_json::from_str(&largest).expect("JSON");
    assert_eq!(changes[0]["document"]["title"], sent["title"]);
}

#[tokio::test]
async fn a_larger_body_is_verified_and_asked_for_instead_of_being_kept() {
    let world = World::new().await;
    let shop = world.shop().await;
    let sizes = [MEBIBYTE + 1, 6 * MEBIBYTE];
    for size in sizes {
        let body = bodies::product_of_size(1, world.now(), size);
        let larger = world.signed(&shop, "products/update", body);
        for _ in 0..2 {
            let answer = world.request(larger.clone()).await;
            assert_eq!(answer.status, 200, "a refusal could end the subscription");
            world.tick().await;
        }
        let reason = |told: &Value| told["reason"].as_str().unwrap_or_default().to_owned();
        let activity = world.activity().await;
        let told: Vec<&Value> = activity.iter().filter(|told| reason(told).contains(&size.to_string())).collect();
        let of = |outcome: &str| told.iter().filter(|told| told["outcome"] == outcome).count();
        assert_eq!((told.len(), of("waiting"), of("duplicate")), (2, 1, 1), "{told:?}");
        let due = format!("a sync of products/{} is due", shop.id);
        assert!(told.iter().any(|told| reason(told).contains(&due)), "{told:?}");
    }
    assert!(world.changes().await.is_empty());
    assert!(world.blobs("claims/shopify").await.is_empty(), "nothing of them is kept");
    let forger = Shop { secret: "guessed".into(), ..shop.clone() };
    let forged = world.signed(&forger, "products/update", bodies::product_of_size(1, world.now(), sizes[0]));
    assert_eq!(world.request(forged).await.status, 401, "they are verified");
}

#[tokio::test]
async fn a_large_body_that_cannot_be_asked_for_is_refused_and_one_of_no_use_is_ignored() {
    let world = World::new().await;
    let shop = world.shop().await;
    let body = |size| bodies::product_of_size(1, world.now(), size);
    let too_large = "urn:hooktide:problem:too-large";
    // More than is read at all; a request about a person, which has to be kept; a provider that has nothing to ask.
    let request = world.sample(&shop, "customers/redact", 1, world.now());
    let redact = [&request.body()[..], " ".repeat(MEBIBYTE).as_bytes()].concat();
    let redact = world.signed(&shop, "customers/redact", redact);
    let mut to_nobody = world.signed(&shop, "products/update", body(MEBIBYTE + 1));
    let nobody = hooktide_providers::with_webhooks()
        .find(|provider| !provider.profile().has_resources())
        .expect("one that has nothing to ask");
    *to_nobody.uri_mut() = world.connect(nobody).await.path.parse().expect("a path");
    for request in [world.signed(&shop, "products/update", body(6 * MEBIBYTE + 1)), redact, to_nobody] {
        assert_eq!(world.request(request).await.expect(413)["type"], too_large);
    }
    assert_eq!(world.tick().await, 0);
    world.request(world.signed(&shop, "orders/create", body(MEBIBYTE + 1))).await.expect(200);
    world.tick().await;
    let told = world.activity().await.pop().expect("an entry");
    assert_eq!(told["outcome"], "ignored", "{told}");
}

#[tokio::test]
async fn a_signature_that_is_missing_doubled_empty_or_not_plain_is_refused() {
    type Change = fn(&mut http::HeaderMap, HeaderValue);
    let cases: [(&str, Change); 9] = [
        ("missing", |_, _| {}),
        ("empty", |headers, _| drop(headers.insert(SIGNATURE, HeaderValue::from_static("")))),
        ("doubled", |headers, value| {
            headers.append(SIGNATURE, value.clone());
            headers.append(SIGNATURE, value);
        }),
        ("doubled, one wrong", |headers, value| {
            headers.append(SIGNATURE, HeaderValue::from_static("AAAA"));
            headers.append(SIGNATURE, value);
        }),
        ("not ASCII", |headers, value| {
            let bytes = [value.as_bytes(), b"\xc3\xa4"].concat();
            headers.insert(SIGNATURE, HeaderValue::from_bytes(&bytes).expect("a value"));
        }),
        ("white space before", |headers, value| altered(headers, &value, |text| format!(" {text}"))),
        ("white space after", |headers, value| altered(headers, &value, |text| format!("{text}\t"))),
        ("white space within", |headers, value| {
            altered(headers, &value, |text| format!("{} {}", &text[..8], &text[8..]));
        }),
        ("without padding", |headers, value| altered(headers, &value, |text| text.trim_end_matches('=').to_owned())),
    ];
    for (name, change) in cases {
        let (world, answer) = with_signature(change).await;
        assert_eq!(answer.expect(401)["type"], "urn:hooktide:problem:unauthorized", "{name}");
        assert_eq!(world.tick().await, 0, "{name}: nothing was queued");
    }
    let (world, answer) = with_signature(|headers, value| drop(headers.insert(SIGNATURE, value))).await;
    assert_eq!((answer.status.as_u16(), world.tick().await), (200, 1), "the same request, unchanged");
}

fn altered(headers: &mut http::HeaderMap, value: &HeaderValue, change: impl FnOnce(&str) -> String) {
    let text = change(value.to_str().expect("text"));
    headers.insert(SIGNATURE, text.parse().expect("a value"));
}

#[tokio::test]
async fn what_is_no_webhook_address_is_not_found_and_other_methods_are_not_allowed() {
    let world = World::new().await;
    let shop = world.shop().await;
    let path = shop.url.strip_prefix("http://127.0.0.1:8787").expect("a path").to_owned();
    let (before, after) = path.split_at("/webhooks/shopify".len());
    for path in
        [format!("/webhooks/nobody{after}"), format!("/webhooks/Shopify{after}"), format!("{path}/"), before.to_owned()]
    {
        let mut request = world.sample(&shop, "products/update", 1, world.now());
        *request.uri_mut() = path.parse().expect("a path");
        assert_eq!(world.request(request).await.expect(404)["type"], "urn:hooktide:problem:not-found", "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let mut request = world.sample(&shop, "products/update", 1, world.now());
        *request.method_mut() = method.clone();
        let answer = world.request(request).await;
        assert_eq!(answer.headers.get("allow").map(HeaderValue::as_bytes), Some(b"POST".as_slice()), "{method}");
        assert_eq!(answer.expect(405)["type"], "urn:hooktide:problem:method-not-allowed", "{method}");
    }
    assert_eq!(world.tick().await, 0);
}

#[tokio::test]
async fn made_up_ids_are_refused_without_a_read() {
    let world = World::new().await;
    let shop = world.shop().await;
    let (receiver, table) = world.metered_receiver();
    for number in 0..2_000_u64 {
        let random = bodies::noise(number, 16).to_lowercase().replace(['-', '_', '0', '1', '8', '9'], "a");
        let made_up = match number % 4 {
            0 => format!("{random}{}", &shop.id[16..]),
            1 => format!("{}{}", &shop.id[..16], &random[..6]),
            2 => shop.id.to_uppercase(),
            _ => random,
        };
        let request = Request::post(format!("/webhooks/shopify/{made_up}")).body(Bytes::from("{}")).expect("a request");
        let answer = receiver.receive(request, "192.0.2.1", world.now()).await;
        assert_eq!(answer.status(), 404, "{made_up}");
    }
    assert_eq!(table.counts().total().calls, 0);
    let genuine = world.sample(&shop, "products/update", 1, world.now());
    assert_eq!(receiver.receive(genuine, "192.0.2.1", world.now()).await.status(), 200);
    assert_eq!(table.counts().total().calls, 1, "the table is the one that the receiver reads");
}

#[tokio::test]
async fn topics_that_nobody_knows_are_told_in_the_activity() {
    let world = World::new().await;
    let shop = world.shop().await;
    for topic in ["carts/create", "", "products/update ", "PRODUCTS/UPDATE"] {
        let answer = world.request(world.signed(&shop, topic, "{}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{topic:?}");
        world.clock.advance(std::time::Duration::from_millis(1));
        world.tick().await;
        let activity = world.activity().await;
        let last = activity.last().expect("an entry");
        assert_eq!((&last["outcome"], &last["reason"]), (&json!("ignored"), &json!("unknown topic")), "{topic:?}");
    }
    assert!(world.changes().await.is_empty());
}

#[tokio::test]
async fn a_deletion_over_the_body_of_an_update_deletes_nothing() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let update = world.sample(&shop, "products/update", 1, world.now());
    world.request(world.signed(&shop, "products/delete", update.into_body())).await;
    world.tick().await;
    let activity = world.activity().await;
    assert_eq!(activity[1]["outcome"], "ignored");
    assert_eq!(activity[1]["reason"], "topic does not fit body");
    let changes = world.changes().await;
    assert_eq!((changes.len(), changes[0]["document"]["title"].as_str()), (1, Some("First flush No. 1")));
    assert!(world.get("/v1/dead-letters").await.expect(200)["items"].as_array().is_some_and(Vec::is_empty));
}
