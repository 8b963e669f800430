//! Handshakes, over the routes: byte for byte, and what is kept of them.

use std::time::Duration;

use hooktide_store::ports::QueueName;
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::{Method, Request};
use serde_json::json;

async fn connected(world: &World, provider: &str) -> Connected {
    world.connect(hooktide_providers::by_id(provider).unwrap()).await
}

#[tokio::test]
async fn microsoft_graph_gets_its_token_back_as_plain_text_decoded_once() {
    let world = World::new().await;
    let graph = connected(&world, "microsoft-graph").await;
    let query = "?validationToken=Validation%3A+Testing+%2541%3Cb%3E";
    let answer = world.ask(&graph, Method::POST, query, "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(&answer.body[..], b"Validation: Testing %41<b>");
    assert_eq!(world.tick().await, 0, "nothing is kept");
}

/// A connection of a provider, and its secret of this name.
async fn with_secret(provider: &str, secret: &str) -> (World, Connected, &'static str) {
    let world = World::new().await;
    let provider = hooktide_providers::by_id(provider).unwrap();
    let connected = world.connect(provider).await;
    let (_, text) = provider.profile().sample_secrets.iter().find(|(name, _)| *name == secret).unwrap();
    (world, connected, text)
}

#[tokio::test]
async fn meta_gets_its_challenge_for_the_right_token_only() {
    let (world, meta, token) = with_secret("meta", "verify_token").await;
    let ask = |token: &str| format!("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
    let answer = world.ask(&meta, Method::GET, &ask(token), "").await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"1158201444"[..]));
    assert_eq!(world.ask(&meta, Method::GET, &ask("wrong"), "").await.status, 403);

    // A token that was just added counts at once, whatever a receiver has cached.
    let path = format!("/v1/connections/{}/secrets/verify_token", meta.id);
    world.post(&path, json!({ "value": "another-verify-token" })).await.expect(201);
    assert_eq!(world.ask(&meta, Method::GET, &ask("another-verify-token"), "").await.status, 200);
}

#[tokio::test]
async fn ebay_gets_the_hash_of_its_code_our_token_and_the_address() {
    let (world, ebay, token) = with_secret("ebay", "verification_token").await;
    let answer = world.ask(&ebay, Method::GET, "?challenge_code=a8628072-3d33-45ee-9004-bee86830a22d", "").await;
    let url = format!("{}{}", world.host.settings.public_url, ebay.path);
    let told = format!("a8628072-3d33-45ee-9004-bee86830a22d{token}{url}");
    let expected = json!({ "challengeResponse": hooktide_model::signing::sha256_hex(told.as_bytes()) });
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.expect(200), expected);
}

const CODES: [&str; 2] = ["3e8fa1c8-7d0b-4d6f-9b8a-0c1d2e3f4a5b", "9e8fa1c8-7d0b-4d6f-9b8a-0c1d2e3f4a5b"];

/// Sends a code, as whoever knows the address can.
async fn send_code(world: &World, clover: &Connected, code: &str) {
    let request = Request::post(&clover.path).header("content-type", "application/json");
    let body = json!({ "verificationCode": code }).to_string();
    world.request(request.body(body.into()).unwrap()).await.expect(200);
}

/// The codes that are shown with a connection, the last one first.
async fn codes(world: &World, clover: &Connected) -> Vec<String> {
    let shown = world.get(&format!("/v1/connections/{}", clover.id)).await.expect(200);
    let handshake = &shown["handshake"];
    let earlier = handshake["earlier"].as_array().cloned().unwrap_or_default();
    let all = std::iter::once(handshake.clone()).chain(earlier);
    all.filter_map(|one| one["code"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn clovers_code_is_shown_with_the_connection_and_in_the_activity() {
    let world = World::new().await;
    let clover = connected(&world, "clover").await;
    for code in CODES {
        send_code(&world, &clover, code).await;
        world.after(Duration::from_secs(60)).await;
    }
    assert_eq!(codes(&world, &clover).await, [CODES[1], CODES[0]], "the last one first");
    let activity = world.activity().await;
    assert_eq!(activity.len(), 2);
    let reasons: Vec<&str> = activity.iter().filter_map(|entry| entry["reason"].as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("9e8fa1c8")), "{reasons:?}");
}

#[tokio::test]
async fn of_several_codes_the_one_sent_last_is_shown_in_whatever_order_they_are_processed() {
    let world = World::new().await;
    let clover = connected(&world, "clover").await;
    for code in CODES {
        send_code(&world, &clover, code).await;
        world.clock.advance(Duration::from_secs(60));
    }
    let messages = world.take_messages(QueueName::Notices).await;
    for message in messages.into_iter().rev() {
        assert!(world.host.processor.process(vec![message], world.now()).await.is_empty());
    }
    assert_eq!(codes(&world, &clover).await, [CODES[1], CODES[0]]);
}

#[tokio::test]
async fn codes_that_nobody_awaits_leave_nothing_and_none_takes_the_place_of_another() {
    let world = World::new().await;
    let clover = connected(&world, "clover").await;
    send_code(&world, &clover, CODES[0]).await;
    for number in 0..50 {
        send_code(&world, &clover, &format!("{number:08x}-7d0b-4d6f-9b8a-0c1d2e3f4a5b")).await;
    }
    assert_eq!(world.tick().await, 1, "one a minute");
    world.clock.advance(Duration::from_secs(60));
    send_code(&world, &clover, CODES[1]).await;
    assert_eq!(world.tick().await, 1);
    assert_eq!(codes(&world, &clover).await, [CODES[1], CODES[0]], "the first is still there to be entered");

    // Once a delivery was verified, the address is set up.
    world.request(world.sample_of(&clover, "I", 1).await).await.expect(200);
    // What it hinted at is looked for as well.
    world.after(Duration::from_secs(60)).await;
    let known = world.activity().await.len();
    for minute in 0..3 {
        world.clock.advance(Duration::from_secs(60));
        send_code(&world, &clover, &format!("{minute:08x}-7d0b-4d6f-9b8a-0c1d2e3f4a5b")).await;
        assert_eq!(world.take_messages(QueueName::Notices).await.len(), 0, "it is not even queued");
    }
    assert_eq!((codes(&world, &clover).await.len(), world.activity().await.len()), (2, known));
}

#[tokio::test]
async fn woocommerces_ping_gets_exactly_200_and_leaves_nothing() {
    let world = World::new().await;
    let woo = connected(&world, "woocommerce").await;
    let ping = Request::post(&woo.path).header("content-type", "application/x-www-form-urlencoded");
    let answer = world.request(ping.body("webhook_id=12".into()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(world.tick().await, 0);
    let odd = Request::post(&woo.path).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.request(odd.body("webhook_id=12&x=1".into()).unwrap()).await.status, 401);
}

/// The `sync` message of a channel may come before the answer to the call that opens it: nothing is looked up.
#[tokio::test]
async fn googles_first_message_needs_no_record_of_its_channel() {
    let world = World::new().await;
    let google = connected(&world, "google-calendar").await;
    world.request(world.sample_of(&google, "sync", 1).await).await.expect(200);
    world.tick().await;
    let told = &world.activity().await[0];
    assert_eq!((&told["topic"], &told["outcome"]), (&json!("sync"), &json!("ignored")));
}

#[tokio::test]
async fn handshakes_are_limited_as_failures_are() {
    let world = World::new().await;
    let meta = connected(&world, "meta").await;
    let limit = world.host.settings.failures_per_minute;
    let ask = "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess";
    for _ in 0..limit {
        assert_eq!(world.ask(&meta, Method::GET, ask, "").await.status, 403);
    }
    let limited = world.ask(&meta, Method::GET, ask, "").await;
    assert_eq!(limited.status, 429);
    assert!(limited.headers.contains_key("retry-after"));
}
