//! Signatures by keys that the provider publishes: fetched over HTTP from an API that stands in for eBay's, once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use futures::future::join_all;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::Request;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);
/// From eBay's library; its key is the one below.
const HEADER: &str = "eyJhbGciOiJlY2RzYSIsImtpZCI6Ijk5MzYyNjFhLTdkN2ItNDYyMS1hMGYxLTk2Y2NiNDI4YWY0OSIsInNpZ25hdHVyZSI6Ik1FWUNJUUNmeGZJV3V4bVdjSUJRSjljNS9YN2lHREpxczJSQ0dzQkVhQWppbnlycmZBSWhBSVY2d0djVGlCdVY1S0pVaWYyaG9reXJMK1E5c3NIa2FkK214Mm5FRTI1dyIsImRpZ2VzdCI6IlNIQTEifQ==";
const BODY: &str = r#"{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411_33f7e043-fed8-442b-9d44-791923bd9a6d","eventDate":"2021-03-19T20:43:59.462Z","publishDate":"2021-03-19T20:43:59.679Z","publishAttemptCount":1,"data":{"username":"test_user","userId":"ma8vp1jySJC","eiasToken":"nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ=="}}}"#;
const KEY_ID: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";
const KEY: &str = "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----";

/// What the API answers with, unless it is 200, and how often it was asked.
#[derive(Default)]
struct Api {
    fails_with: AtomicU16,
    /// The tokens up to this one are taken no more.
    ended_tokens: AtomicUsize,
    withdrew_the_key: AtomicBool,
    tokens: AtomicUsize,
    keys: AtomicUsize,
}

impl Api {
    fn fail_with(&self, status: u16) {
        self.fails_with.store(status, Ordering::Relaxed);
    }

    fn failure(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.fails_with.load(Ordering::Relaxed)).ok()
    }

    /// How many tokens and how many keys it was asked for.
    fn asked(&self) -> (usize, usize) {
        (self.tokens.load(Ordering::Relaxed), self.keys.load(Ordering::Relaxed))
    }
}

async fn token(State(api): State<Arc<Api>>, headers: HeaderMap) -> impl IntoResponse {
    let number = api.tokens.fetch_add(1, Ordering::Relaxed) + 1;
    let authorized = headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    match api.failure() {
        Some(status) => (status, String::new()),
        None if !authorized => (StatusCode::UNAUTHORIZED, String::new()),
        None => (StatusCode::OK, json!({ "access_token": number.to_string(), "expires_in": 7200 }).to_string()),
    }
}

async fn key(State(api): State<Arc<Api>>, Path(id): Path<String>, headers: HeaderMap) -> impl IntoResponse {
    api.keys.fetch_add(1, Ordering::Relaxed);
    let token =
        headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")?.parse().ok());
    match api.failure() {
        Some(status) => (status, String::new()),
        None if token.is_none_or(|token: usize| token <= api.ended_tokens.load(Ordering::Relaxed)) => {
            (StatusCode::UNAUTHORIZED, String::new())
        }
        None if id == KEY_ID && !api.withdrew_the_key.load(Ordering::Relaxed) => {
            (StatusCode::OK, json!({ "key": KEY, "algorithm": "ECDSA", "digest": "SHA1" }).to_string())
        }
        None => (StatusCode::NOT_FOUND, String::new()),
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

/// The same once a delivery was accepted, so that the key is known.
async fn with_a_known_key() -> (Arc<Api>, World, Connected) {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    (api, world, ebay)
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

/// The header of a delivery that a stranger makes up; each number is another key.
fn made_up(number: u32) -> String {
    of_another_key(&format!("{number:08x}-7d7b-4621-a0f1-96ccb428af49"))
}

/// The statuses of the answers to deliveries that come at once, each once.
async fn at_once(world: &World, deliveries: impl Iterator<Item = Request<Bytes>>) -> Vec<u16> {
    let answers = join_all(deliveries.map(|delivery| world.request(delivery))).await;
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.into_iter().collect()
}

#[tokio::test]
async fn a_key_is_fetched_once_and_used_for_an_hour() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    for _ in 0..3 {
        world.request(delivery(&ebay, HEADER)).await.expect(200);
    }
    assert_eq!(api.asked(), (1, 1));
    for asked in [(1, 2), (2, 3), (2, 4)] {
        world.clock.advance(HOUR);
        world.request(delivery(&ebay, HEADER)).await.expect(200);
        assert_eq!(api.asked(), asked, "a token is used for its two hours");
    }
}

#[tokio::test]
async fn genuine_deliveries_that_come_at_once_cost_one_token_and_one_key() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    assert_eq!(at_once(&world, (0..100).map(|_| delivery(&ebay, HEADER))).await, [200]);
    assert_eq!(api.asked(), (1, 1));
}

#[tokio::test]
async fn a_token_that_ended_before_its_time_is_asked_for_anew() {
    let (api, world, ebay) = with_a_known_key().await;
    api.ended_tokens.store(1, Ordering::Relaxed);
    world.clock.advance(HOUR);
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    assert_eq!(api.asked(), (2, 3));
    api.ended_tokens.store(usize::MAX, Ordering::Relaxed);
    assert_eq!(world.request(delivery(&ebay, &made_up(1))).await.status, 503, "it takes none, which is no answer");
    assert_eq!(api.asked(), (3, 5));
}

#[tokio::test]
async fn a_key_that_ebay_does_not_know_is_refused_and_not_asked_for_again() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    for _ in 0..3 {
        assert_eq!(world.request(delivery(&ebay, &made_up(0))).await.status, 401);
    }
    assert_eq!(api.asked(), (1, 1));
    assert_eq!(world.request(delivery(&ebay, &of_another_key("../../x"))).await.status, 401);
    assert_eq!(api.asked(), (1, 1), "what is no key id is never put into an address");
}

#[tokio::test]
async fn a_key_that_ebay_withdrew_counts_no_more() {
    let (api, world, ebay) = with_a_known_key().await;
    api.withdrew_the_key.store(true, Ordering::Relaxed);
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    world.clock.advance(HOUR);
    assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 401);
}

#[tokio::test]
async fn made_up_keys_cause_no_more_calls_than_their_budget_however_many_come_at_once() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    for wave in [0, 300] {
        let statuses = at_once(&world, (wave..wave + 300).map(|number| delivery(&ebay, &made_up(number)))).await;
        assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
        assert_eq!(api.asked(), (1, 30));
    }
    world.clock.advance(Duration::from_secs(60));
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    assert_eq!(api.asked(), (1, 31), "what is genuine gets its turn");
}

#[tokio::test]
async fn a_key_that_was_known_is_fetched_again_whatever_strangers_send_from_the_same_address() {
    let (api, world, ebay) = with_a_known_key().await;
    world.clock.advance(HOUR);
    for number in 0..2 * world.host.settings.failures_per_minute {
        world.request(delivery(&ebay, &made_up(number))).await;
    }
    assert_eq!(world.request(delivery(&ebay, &made_up(u32::MAX))).await.status, 429);
    let (_, keys) = api.asked();
    world.request(delivery(&ebay, HEADER)).await.expect(200);
    assert_eq!(api.asked().1, keys + 1);
}

#[tokio::test]
async fn a_known_key_counts_while_ebay_does_not_answer_and_whatever_strangers_make_of_that() {
    let (api, world, ebay) = with_a_known_key().await;
    for status in [429, 500, 401, 403] {
        api.fail_with(status);
        world.clock.advance(HOUR);
        for number in 0..50 {
            let answer = world.request(delivery(&ebay, &made_up(number))).await;
            assert!([503, 429].contains(&answer.status.as_u16()), "{status}: {}", answer.status);
        }
        world.request(delivery(&ebay, HEADER)).await.expect(200);
        let asked = api.asked();
        for _ in 0..50 {
            world.request(delivery(&ebay, HEADER)).await.expect(200);
        }
        assert_eq!(api.asked(), asked, "{status}: it is asked again a minute later");
    }
    api.fail_with(0);
    world.clock.advance(Duration::from_secs(60));
    world.request(delivery(&ebay, HEADER)).await.expect(200);
}

#[tokio::test]
async fn while_a_key_is_unavailable_ebay_is_asked_to_come_again() {
    let api = Arc::new(Api::default());
    let (world, ebay) = world(&api).await;
    for status in [500, 429, 401] {
        api.fail_with(status);
        assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 503, "{status}");
        // However many come: nothing of it is held against what comes later.
        let asked = api.asked();
        for _ in 0..2 * world.host.settings.failures_per_minute {
            assert_eq!(world.request(delivery(&ebay, HEADER)).await.status, 503, "{status}");
        }
        assert_eq!(api.asked(), asked, "{status}: for a moment nobody asks for this key again");
        world.clock.advance(Duration::from_secs(60));
    }
    // A failure of a stranger's key pauses that one, and no other.
    assert_eq!(world.request(delivery(&ebay, &made_up(1))).await.status, 503);
    api.fail_with(0);
    assert_eq!(world.request(delivery(&ebay, &made_up(1))).await.status, 503);
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
