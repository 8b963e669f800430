//! Feed tokens: for browsers, short-lived, for the feed only, and for no more of it than they say.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::world::{Answer, Shop, World};
use http::{Method, Request};
use serde_json::{Value, json};

async fn token(world: &World, body: Value) -> String {
    let made = world.post("/v1/feed-tokens", body).await.expect(201);
    made["token"].as_str().expect("a token").to_owned()
}

/// Reads with nothing but a feed token.
async fn read(world: &World, path: &str, token: &str) -> Answer {
    let and = if path.contains('?') { '&' } else { '?' };
    let request = Request::get(format!("{path}{and}token={token}"));
    world.request(request.body(Default::default()).expect("a request")).await
}

async fn with_changes() -> (World, Shop, String) {
    let world = World::new().await;
    let shop = world.shop().await;
    let start = world.get("/v1/changes?after=now").await.expect(200)["next"].as_str().expect("a cursor").to_owned();
    world.update(&shop, 1).await;
    world.update(&shop, 2).await;
    (world, shop, start)
}

fn events(answer: &Answer) -> usize {
    assert_eq!(answer.status, 200);
    String::from_utf8_lossy(&answer.body).lines().filter(|line| line.starts_with("data:")).count()
}

async fn changes(world: &World, token: &str) -> Vec<Value> {
    read(world, "/v1/changes", token).await.expect(200)["items"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_feed_token_reads_the_feed_of_its_tenant_and_nothing_else() {
    let (world, shop, start) = with_changes().await;
    let ours = token(&world, json!({})).await;
    assert_eq!(changes(&world, &ours).await, world.changes().await);
    assert_eq!(events(&read(&world, &format!("/v1/events?after={start}"), &ours).await), 4);
    for path in [
        "/v1/activity",
        "/v1/connections",
        &format!("/v1/connections/{}", shop.id),
        "/v1/endpoints",
        "/v1/tokens",
        "/v1/dead-letters",
    ] {
        assert_eq!(read(&world, path, &ours).await.status, 401, "{path}");
        assert_eq!(world.call(&ours, Method::GET, path, None).await.status, 401, "{path}, as a bearer");
    }
    let post = Request::post(format!("/v1/feed-tokens?token={ours}")).body(Default::default()).expect("a request");
    assert_eq!(world.request(post).await.status, 401, "it makes no other");
    let stranger = world.token("other", &[Scope::Feed]).await;
    let theirs = world.call(&stranger, Method::POST, "/v1/feed-tokens", Some(json!({}))).await.expect(201);
    assert!(changes(&world, theirs["token"].as_str().expect("a token")).await.is_empty());
}

#[tokio::test]
async fn a_feed_token_shows_only_the_channels_and_tags_that_it_names() {
    let (world, shop, start) = with_changes().await;
    let one = world.entity(&shop, 1);
    for (limits, in_changes, in_events) in [
        (json!({ "channels": ["product-updates"] }), 2, 2),
        (json!({ "channels": ["stock-updates"] }), 0, 0),
        (json!({ "tags": [one] }), 1, 2),
        (json!({ "tags": [one, "products"] }), 2, 4),
        (json!({ "channels": ["product-updates"], "tags": [one] }), 1, 1),
        (json!({ "tags": ["stock"] }), 0, 0),
    ] {
        let token = token(&world, limits.clone()).await;
        assert_eq!(changes(&world, &token).await.len(), in_changes, "{limits}");
        let all = format!("/v1/events?after={start}&channels=product-updates,product-cache-invalidation");
        assert_eq!(events(&read(&world, &all, &token).await), in_events, "{limits}");
        let tagged = read(&world, "/v1/changes?tag=products", &token).await.expect(200);
        assert_eq!(tagged["items"].as_array().map(Vec::len), Some(in_changes), "{limits}: no query widens it");
    }
}

#[tokio::test]
async fn a_feed_token_for_invalidations_shows_no_document() {
    let (world, _, start) = with_changes().await;
    let token = token(&world, json!({ "channels": ["product-cache-invalidation"] })).await;
    assert_eq!(events(&read(&world, &format!("/v1/events?after={start}"), &token).await), 2);
    let items = changes(&world, &token).await;
    assert_eq!(items.len(), 2, "who polls must learn what is stale, too");
    for item in items {
        assert!(item["document"].is_null() && item["tags"].is_array(), "{item}");
    }
}

#[tokio::test]
async fn a_feed_token_ends() {
    let (world, ..) = with_changes().await;
    let (hour, minute) = (token(&world, json!({})).await, token(&world, json!({ "expires_in": 60 })).await);
    for (advance, of_minute, of_hour) in [(59, 200, 200), (1, 401, 200), (3539, 401, 200), (1, 401, 401)] {
        world.clock.advance(Duration::from_secs(advance));
        assert_eq!(read(&world, "/v1/changes", &minute).await.status, of_minute);
        assert_eq!(read(&world, "/v1/changes", &hour).await.status, of_hour);
        assert_eq!(read(&world, "/v1/events", &hour).await.status, of_hour);
    }
    for wrong in [json!(0), json!(24 * 3600 + 1), json!(-1), json!("long")] {
        world.post("/v1/feed-tokens", json!({ "expires_in": wrong })).await.expect(422);
    }
}

#[tokio::test]
async fn a_feed_token_that_was_tampered_with_is_refused() {
    let (world, ..) = with_changes().await;
    let genuine = token(&world, json!({ "tags": ["stock"] })).await;
    assert_eq!(read(&world, "/v1/changes", &genuine).await.status, 200);
    let parts: Vec<&str> = genuine.split('.').collect();
    let other = token(&world, json!({})).await;
    let other: Vec<&str> = other.split('.').collect();
    let mut forged = vec![
        String::new(),
        "hf_".to_owned(),
        genuine.replacen("hf_", "hk_", 1),
        format!("{}.{}.{}", parts[0], other[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], other[2]),
        format!("hf_nokey.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{genuine}.{}", parts[2]),
        format!("{genuine}A"),
    ];
    for (index, letter) in genuine.char_indices() {
        let replacement = if letter == 'A' { 'B' } else { 'A' };
        let mut changed = genuine.clone();
        changed.replace_range(index..=index, &replacement.to_string());
        forged.push(changed);
    }
    for token in forged {
        assert_eq!(read(&world, "/v1/changes", &token).await.status, 401, "{token}");
    }
}
