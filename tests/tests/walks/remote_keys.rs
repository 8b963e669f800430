//! Signatures by keys that the provider publishes: fetched over HTTP from an API that stands in for eBay's, once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use hooktide_api::Options;
use hooktide_core::flows::Settings;
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::Request;
use serde_json::json;

/// From eBay's library; its key is the one below.
const HEADER: &str = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRpZ2VzdCI6IlNIQTEifQ==";
const BODY: &str = r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}"#;
const KEY_ID: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";
const KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----";

/// What the API answers with, unless it is 200, and how often it was asked.
#[derive(Default)]
struct Api {
    fails_with: AtomicU16,
    asked: AtomicUsize,
}

async fn token(State(api): State<Arc<Api>>, headers: HeaderMap) -> impl IntoResponse {
    api.asked.fetch_add(1, Ordering::Relaxed);
    let authorized = headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    let status = api.fails_with.load(Ordering::Relaxed);
    match StatusCode::from_u16(status) {
        Ok(status) => (status, String::new()),
        Err(_) if !authorized => (StatusCode::UNAUTHORIZED, String::new()),
        Err(_) => {
            (StatusCode::OK, json!({ "access_token": "t", "expires_in": 7200, "token_type": "Bearer" }).to_string())
        }
    }
}

async fn key(State(api): State<Arc<Api>>, Path(id): Path<String>) -> impl IntoResponse {
    api.asked.fetch_add(1, Ordering::Relaxed);
    match id == KEY_ID {
        true => (StatusCode::OK, json!({ "key": KEY, "algorithm": "ECDSA", "digest": "SHA1" }).to_string()),
        false => (StatusCode::NOT_FOUND, String::new()),
    }
}

async fn serve(api: &Arc<Api>) -> SocketAddr {
    let routes = Router::new()
        .route("/identity/v1/oauth2/token", post(token))
        .route("/commerce/notification/v1/public_key/{id}", get(key))
        .with_state(Arc::clone(api));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, routes).into_future());
    address
}

async fn world(api: &Arc<Api>) -> (World, Connected) {
    let mut settings = Settings::default();
    settings.apis.insert("ebay", format!("http://{}", serve(api).await));
    let world = World::with(settings, Options { stream_life: Duration::ZERO, ..Options::default() }).await;
    let connection = json!({ "provider": "ebay", "secrets": {
        "verification_token": "a-verification-token-of-forty-characters", "client_id": "app", "client_secret": "hush",
    } });
    let connected = world.connect_with("ebay", connection).await;
    (world, connected)
}

fn delivery(to: &Connected, header: &str) -> Request<Bytes> {
    let request = Request::post(&to.path).header("x-ebay-signature", header);
    request.body(Bytes::from_static(BODY.as_bytes())).unwrap()
}

/// The published header with another key's id.
fn of_another_key(id: &str) -> String {
    let text = data_encoding::BASE64.decode(HEADER.as_bytes()).unwrap();
    let text = String::from_utf8(text).unwrap().replace(KEY_ID, id);
    data_encoding::BASE64.encode(text.as_bytes())
}

#[tokio::test]
async fn a_key_is_fetched_once_and_used_for_an_hour() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    for _ in 0..3 {
        world.request(delivery(&ebay, HEADER)).await.expect(200);
    }
    assert_eq!(api.asked.load(Ordering::Relaxed), 2, "a token and a key");
    world.clock.advance(Duration::from_secs(3600));
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    assert_eq!(api.asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_key_that_ebay_does_not_know_is_refused_and_not_asked_for_again() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    let header = of_another_key("0000261a-7d7b-4621-a0f1-96ccb428af49");
    for _ in 0..3 {
        assert_eq!(world.request(delivery(&ebay, &header)).await.status, 401);
    }
    assert_eq!(api.asked.load(Ordering::Relaxed), 2);
    assert_eq!(world.request(delivery(&ebay, &of_another_key("../../x"))).await.status, 401);
    assert_eq!(api.asked.load(Ordering::Relaxed), 2, "what is no key id is never put into an address");
}

#[tokio::test]
async fn made_up_keys_cause_no_more_calls_than_they_may_fail() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    let limit = world.host.settings.failures_per_minute;
    for number in 0..2 * limit {
        let header = of_another_key(&format!("{number:08x}-7d7b-4621-a0f1-96ccb428af49"));
        assert!([401, 429].contains(&world.request(delivery(&ebay, &header)).await.status.as_u16()));
    }
    assert!(api.asked.load(Ordering::Relaxed) <= 2 * limit as usize);
}

#[tokio::test]
async fn a_key_that_was_known_is_fetched_again_whatever_strangers_send_from_the_same_address() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    world.clock.advance(Duration::from_secs(3600));
    for number in 0..2 * world.host.settings.failures_per_minute {
        let header = of_another_key(&format!("{number:08x}-7d7b-4621-a0f1-96ccb428af49"));
        world.request(delivery(&ebay, &header)).await;
    }
    let stranger = of_another_key("ffffffff-7d7b-4621-a0f1-96ccb428af49");
    assert_eq!(world.request(delivery(&ebay, &stranger)).await.status, 429);
    world.request(delivery(&ebay, HEADER)).await.expect(200);
}

#[tokio::test]
async fn while_the_key_is_not_to_be_had_ebay_is_asked_to_come_again() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    // However many come: nothing of it is held against what comes later.
    for _ in 0..2 * world.host.settings.failures_per_minute {
        api.fails_with.store(500, Ordering::Relaxed);
        assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 503);
    }
    world.clock.advance(Duration::from_secs(5));
    for status in [500, 429, 401] {
        api.fails_with.store(status, Ordering::Relaxed);
        assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 503, "{status}");
        let asked = api.asked.load(Ordering::Relaxed);
        // For a moment nobody makes us ask again, whichever key they name.
        for number in 0..10 {
            let header = of_another_key(&format!("{number:08x}-7d7b-4621-a0f1-96ccb428af49"));
            assert_eq!(world.request(delivery(&ebay, &header)).await.status, 503, "{status}");
        }
        assert_eq!(api.asked.load(Ordering::Relaxed), asked);
        world.clock.advance(Duration::from_secs(5));
    }
    api.fails_with.store(0, Ordering::Relaxed);
    world.request(delivery(&ebay, HEADER)).await.expect(200);
}

#[tokio::test]
async fn without_credentials_to_ask_for_keys_what_nobody_can_verify_is_refused_each_time() {
    let world = World::new().await;
    let secrets = json!({ "verification_token": "a-verification-token-of-forty-characters" });
    let ebay = world.connect_with("ebay", json!({ "provider": "ebay", "secrets": secrets })).await;
    for _ in 0..3 {
        assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 401);
    }
}
