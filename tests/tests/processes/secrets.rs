//! Secrets are planted, everything is done with them, and then they are looked for everywhere.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use hooktide_tests::client::Client;
use hooktide_tests::server::{Server, eventually};
use hooktide_tests::world::{SHOP, Shop};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::traffic::Dice;

#[tokio::test]
async fn a_planted_secret_is_found_nowhere() {
    let mut server = Server::start_with(|_| vec![("HOOKTIDE_LOG", "trace".into())]).await;
    let dice = Dice::seeded(5);
    let planted: Vec<String> = (0..5).map(|_| dice.text(44)).collect();
    let [new, old, access, added, refused] = [0, 1, 2, 3, 4].map(|place| planted[place].as_str());
    let marker = dice.text(44);
    let client = server.client.clone();

    let secrets = json!({ "client_secret": [new, old], "access_token": access });
    let description = json!({ "provider": "shopify", "account": SHOP, "name": "Shop", "secrets": secrets });
    let first = keyed(&client, &description).await;
    assert_eq!(keyed(&client, &description).await["id"], first["id"]);
    let id = first["id"].as_str().unwrap();
    let shop = |secret: &str| Shop {
        id: id.to_owned(),
        url: first["webhook_url"].as_str().unwrap().to_owned(),
        account: SHOP.to_owned(),
        secret: secret.to_owned(),
    };
    let secret_path = format!("/v1/connections/{id}/secrets/client_secret");
    let third = json!({ "value": added, "retire_others_after": 3600 });
    let third = client.call(Method::POST, &secret_path, Some(third)).await.expect(201);
    deliveries(&client, &shop, &planted, &marker).await;
    refusals(&client, id, refused).await;
    let tokens = tokens(&client).await;
    eventually("the unreadable one is a dead letter", async || letter(&client).await).await;
    let dead = letter(&client).await.unwrap();
    assert!(client.call(Method::GET, &dead, None).await.expect(200)["body"].as_str().unwrap().contains(&marker));
    let replay = client.call(Method::POST, "/v1/dead-letters/replay", Some(json!({}))).await;
    assert_eq!(replay.status, 202);
    let connection = format!("/v1/connections/{id}");
    for path in ["/v1/connections", &connection, "/v1/endpoints", "/v1/tokens", "/v1/activity", "/v1/changes"] {
        client.call(Method::GET, path, None).await.expect(200);
    }
    for topic in ["products%2Fupdate", "products%2Fdelete", "no%2Fsuch"] {
        client.call(Method::POST, &format!("/test/events/shopify/{topic}"), Some(json!({}))).await;
    }
    let key_id = third["key_id"].as_str().unwrap();
    let removed = client.call(Method::DELETE, &format!("{secret_path}/{key_id}"), None).await;
    assert_eq!(removed.status, 204);

    nothing_is_found(&server, &planted, &tokens, &marker);
    assert_eq!(client.call(Method::DELETE, &connection, None).await.status, 200);
    assert_eq!(server.stop("TERM").await.code(), Some(0));
    nothing_is_found(&server, &planted, &tokens, &marker);
}

/// Makes the connection, with a key by which the same request again makes no second one.
async fn keyed(client: &Client, description: &Value) -> Value {
    let request = client.request(Method::POST, "/v1/connections").header("idempotency-key", "once");
    let request = request.body(Bytes::from(description.to_string())).unwrap();
    client.send(request).await.expect("an answer").expect(201)
}

/// Accepted, repeated, tampered with, signed with what was never given, and unreadable.
async fn deliveries(client: &Client, shop: &impl Fn(&str) -> Shop, planted: &[String], marker: &str) {
    let body = |number| {
        let mut body: Value = serde_json::from_slice(&shop("").body(number, 0)).unwrap();
        body["title"] = json!(marker);
        body.to_string()
    };
    let mut sent = Vec::new();
    for (number, secret) in planted.iter().enumerate() {
        let live = matches!(number, 0 | 1 | 3);
        let delivery = shop(secret).signed("products/update", "accepted", body(number as u64));
        sent.push((delivery.clone(), if live { 200 } else { 401 }));
        sent.push((delivery, if live { 200 } else { 401 }));
    }
    let good = shop(&planted[0]);
    let mut tampered = good.signed("products/update", "tampered", body(9));
    *tampered.body_mut() = Bytes::from(body(10));
    let mut elsewhere = good.signed("products/update", "elsewhere", body(11));
    *elsewhere.uri_mut() = format!("{}x", good.url).parse().unwrap();
    let mut bare = good.signed("products/update", "bare", body(12));
    bare.headers_mut().remove("x-shopify-hmac-sha256");
    sent.extend([(tampered, 401), (elsewhere, 404), (bare, 401)]);
    sent.push((good.signed("products/update", "unreadable", format!("{{ {marker}")), 200));
    sent.push((good.signed("no/such", "unknown", body(13)), 200));
    sent.push((
        good.signed("customers/redact", "privacy", json!({ "shop_id": 1, "shop_domain": marker }).to_string()),
        200,
    ));
    sent.push((good.signed("products/update", "large", format!("[\"{}\"]", "x".repeat(1 << 20))), 200));
    for (request, expected) in sent {
        let answer = client.send(request).await.expect("an answer");
        assert_eq!(answer.status, expected, "{}", String::from_utf8_lossy(&answer.body));
    }
}

/// Requests that are refused and hold a secret, in every place where one may end up by mistake.
async fn refusals(client: &Client, id: &str, secret: &str) {
    let connection = format!("/v1/connections/{id}");
    let of_name = |name: &str| format!("{connection}/secrets/{name}");
    let shopify =
        |secrets: Value| json!({ "provider": "shopify", "account": "other.myshopify.com", "secrets": secrets });
    let bodies = [
        ("POST", "/v1/connections", shopify(json!({ "no_such": secret }))),
        ("POST", "/v1/connections", shopify(json!({ "client_secret": format!(" {secret}") }))),
        ("POST", "/v1/connections", shopify(json!({ "client_secret": secret.repeat(100) }))),
        ("POST", "/v1/connections", shopify(json!({ "client_secret": { "value": secret } }))),
        ("POST", "/v1/connections", shopify(json!({ "client_secret": [secret, 1] }))),
        ("POST", "/v1/connections", shopify(json!(secret))),
        ("POST", "/v1/connections", shopify(json!([secret]))),
        ("POST", "/v1/connections", json!({ "provider": "shopify", "settings": secret })),
        ("POST", "/v1/connections", json!({ "provider": "shopify", "client_secret": secret })),
        ("POST", "/v1/connections", json!(secret)),
        ("PATCH", &connection, json!({ "secrets": { "client_secret": secret } })),
        ("PATCH", &connection, json!({ "settings": secret })),
        ("POST", &of_name("no_such"), json!({ "value": secret })),
        ("POST", &of_name("client_secret"), json!({ "value": [secret] })),
        ("POST", &of_name("client_secret"), json!({ "value": secret, "retire_others_after": secret })),
        ("POST", "/v1/tokens", json!({ "scopes": [secret] })),
        ("POST", "/v1/tokens", json!({ "scopes": secret })),
        ("POST", "/v1/feed-tokens", json!({ "channels": [secret], "expires_in": 5 })),
        ("POST", "/v1/dead-letters/replay", json!({ "rate_per_second": secret })),
        ("POST", "/v1/endpoints", json!({ "provider": "shopify", "secrets": secret })),
    ];
    for (method, path, body) in bodies {
        let answer = client.call(method.parse().unwrap(), path, Some(body.clone())).await;
        assert!(answer.status.is_client_error(), "{method} {path} {body}: {}", answer.status);
    }
    for broken in [format!(r#"{{"secrets":{{"client_secret":"{secret}"#), secret.to_owned(), format!("\"{secret}\\x")] {
        let request = client.request(Method::POST, "/v1/connections").body(Bytes::from(broken)).unwrap();
        assert_eq!(client.send(request).await.expect("an answer").status, 400);
    }
}

/// Tokens and feed tokens, made and used, right and wrong; their texts.
async fn tokens(client: &Client) -> Vec<String> {
    let before = client.heard().len();
    let made = client.call(Method::POST, "/v1/tokens", Some(json!({ "scopes": ["feed"] }))).await.expect(201);
    let feed = client.call(Method::POST, "/v1/feed-tokens", Some(json!({ "expires_in": 600 }))).await.expect(201);
    client.forget_since(before);
    let [token, feed] = [&made, &feed].map(|made| made["token"].as_str().unwrap().to_owned());
    let wrong = format!("{token}0");
    for (token, expected) in [(&token, 403), (&wrong, 401), (&feed, 401)] {
        let answer = client.with_token(token).call(Method::GET, "/v1/connections", None).await;
        assert_eq!(answer.status, expected);
    }
    for (query, expected) in [(feed.clone(), 200), (format!("{feed}0"), 401), (token.clone(), 401)] {
        let asking =
            |path: &str| Request::get(client.url(&format!("{path}?token={query}"))).body(Bytes::new()).unwrap();
        for path in ["/v1/changes", "/v1/activity", "/v1/no-such", "/webhooks/shopify/no-such"] {
            let answer = client.send(asking(path)).await.expect("an answer");
            assert!(path != "/v1/changes" || answer.status == expected, "{path}: {}", answer.status);
        }
        assert_eq!(client.stream(asking("/v1/events")).await.is_some(), expected == 200);
    }
    let id = made["id"].as_str().unwrap();
    assert_eq!(client.call(Method::DELETE, &format!("/v1/tokens/{id}"), None).await.status, 204);
    vec![token, feed, wrong]
}

async fn letter(client: &Client) -> Option<String> {
    let letters = client.call(Method::GET, "/v1/dead-letters", None).await.expect(200);
    letters["items"][0]["id"].as_str().map(|id| format!("/v1/dead-letters/{id}"))
}

fn nothing_is_found(server: &Server, planted: &[String], tokens: &[String], marker: &str) {
    let admin = server.client.token.clone();
    let log = server.log().into_bytes();
    for line in ["a webhook was refused", "an unknown topic", "a message goes to the dead letters"] {
        assert!(holds(&log, line.as_bytes()), "the log tells nothing");
    }
    assert!(!holds(&log, marker.as_bytes()), "the log holds a body");
    let mut places = vec![("the log".to_owned(), log), ("an answer".to_owned(), server.client.heard())];
    files(&server.home, &mut places);
    assert!(places.iter().any(|(place, bytes)| place.contains("/table.db") && holds(bytes, SHOP.as_bytes())));
    let needles: Vec<Vec<u8>> = planted.iter().chain(tokens).chain([&admin]).flat_map(|secret| forms(secret)).collect();
    for (place, bytes) in &places {
        if !place.ends_with("/admin-token") {
            let found = needles.iter().find(|needle| holds(bytes, needle));
            assert_eq!(found.map(|needle| String::from_utf8_lossy(needle)), None, "found in {place}");
            assert!(!holds_token(bytes), "an API token is in {place}");
        }
    }
}

/// A secret as it is, cut in two (by a page of a file), and encoded, wherever in a longer text it stands.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let (front, back) = bytes.split_at(bytes.len() / 2);
    let mut forms = vec![front.to_vec(), back.to_vec()];
    forms.extend([HEXLOWER.encode(bytes), HEXUPPER.encode(bytes)].map(String::into_bytes));
    for before in 0..3 {
        let encoded = BASE64.encode(&[&b"   "[..before], bytes].concat());
        // What depends on the neighbours is left out.
        let inner = encoded.trim_end_matches('=').get(4..encoded.len() - 4).unwrap_or_default().to_owned();
        forms.push(inner.replace('+', "-").replace('/', "_").into_bytes());
        forms.push(inner.into_bytes());
    }
    forms
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Whether anything looks like the text of a token.
fn holds_token(bytes: &[u8]) -> bool {
    let long = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count() > 40;
    bytes.windows(3).enumerate().any(|(at, window)| window == b"hk_" && long(&bytes[at + 3..]))
}

fn files(folder: &std::path::Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files(&entry, into);
        } else {
            into.push((entry.display().to_string(), std::fs::read(&entry).unwrap()));
        }
    }
}
