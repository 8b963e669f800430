//! Streams of events that last: bounded, ended with their token, and read for once however many there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use hooktide_api::{Load, Options};
use hooktide_flows::Settings;
use hooktide_flows::feed::Cursor;
use hooktide_flows::settings::Serving;
use hooktide_model::names::Scope;
use hooktide_tests::world::World;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use crate::counted::Counted;

/// How long what should come soon may take.
const SOON: Duration = Duration::from_secs(10);

async fn stream(world: &World, token: &str) -> Response<Body> {
    stream_after(world, token, "now").await
}

async fn stream_after(world: &World, token: &str, after: &str) -> Response<Body> {
    let request = Request::get(format!("/v1/events?after={after}")).header("authorization", format!("Bearer {token}"));
    let request = if token.starts_with("hf_") { Request::get(format!("/v1/events?token={token}")) } else { request };
    world.app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
}

/// What comes next; `None` at the stream's end.
async fn next(stream: &mut Response<Body>) -> Option<String> {
    let frame = tokio::time::timeout(SOON, stream.body_mut().frame()).await.expect("something comes");
    let bytes = frame?.expect("a frame").into_data().expect("data");
    Some(String::from_utf8(bytes.to_vec()).expect("text"))
}

/// Reads until something of this text comes.
async fn told(stream: &mut Response<Body>, text: &str) -> bool {
    while let Some(part) = next(stream).await {
        if part.contains(text) {
            return true;
        }
    }
    false
}

fn streaming() -> Options {
    Options::default()
}

#[tokio::test]
async fn streams_are_bounded_and_whoever_is_turned_away_is_told_when_to_come_again() {
    let serving = Serving { tenant_streams: 2, streams: 3, ..Serving::default() };
    let world = World::with(Settings { serving, ..Settings::default() }, streaming()).await;
    let others = world.token("other", &[Scope::Feed]).await;
    let mut open = Vec::new();
    for (token, status) in
        [(&world.operator, 200), (&world.operator, 200), (&world.operator, 429), (&others, 200), (&others, 503)]
    {
        let answer = stream(&world, token).await;
        assert_eq!(answer.status(), status);
        match status {
            200 => open.push(answer),
            _ => assert_eq!(answer.headers()["retry-after"], "10"),
        }
    }
    drop(open.remove(0));
    assert_eq!(stream(&world, &world.operator).await.status(), 200, "one that is closed makes room");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let world = World::with(Settings::default(), streaming()).await;
    let shop = world.shop().await;
    let made = world.post("/v1/feed-tokens", json!({ "expires_in": 60 })).await.expect(201);
    let mut short = stream(&world, made["token"].as_str().expect("a token")).await;
    let body = json!({ "scopes": ["feed"] });
    let made = world.post("/v1/tokens", body).await.expect(201);
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let made = world.call(token, Method::POST, "/v1/feed-tokens", Some(json!({}))).await.expect(201);
    let (mut own, mut derived) =
        (stream(&world, token).await, stream(&world, made["token"].as_str().expect("a token")).await);
    world.update(&shop, 1).await;
    for one in [&mut short, &mut own, &mut derived] {
        assert!(told(one, "product-updates").await);
    }
    world.clock.advance(Duration::from_secs(60));
    world.update(&shop, 2).await;
    assert!(!told(&mut short, "product-updates").await, "nothing is told after its end");
    assert!(told(&mut own, "product-updates").await && told(&mut derived, "product-updates").await);
    let revoked = world.call(&world.operator, Method::DELETE, &format!("/v1/tokens/{id}"), None).await;
    assert!(revoked.status.is_success());
    world.update(&shop, 3).await;
    assert!(!told(&mut own, "product-updates").await, "nothing is told after the revocation");
    assert!(!told(&mut derived, "product-updates").await, "nor by what was made with the token");
}

#[tokio::test]
async fn a_change_is_read_once_however_many_streams_there_are() {
    let Counted { world, reads, .. } = Counted::new().await;
    let shop = world.shop().await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(stream(&world, &world.operator).await);
    }
    // All of them come to the end first, by themselves.
    world.update(&shop, 1).await;
    for one in &mut streams {
        assert!(told(one, "\"op\":\"created\"").await);
    }
    let before = reads.load(Ordering::Relaxed);
    for number in 2..5 {
        world.update(&shop, number).await;
        for one in &mut streams {
            assert!(told(one, &world.entity(&shop, number)).await);
        }
    }
    let spent = reads.load(Ordering::Relaxed) - before;
    assert!(spent < 60, "{spent} readings for 3 changes and 40 streams");
}

#[tokio::test]
async fn streams_that_are_behind_share_what_they_read() {
    let Counted { world, reads, .. } = Counted::new().await;
    let shop = world.shop().await;
    world.update_each(&shop, 1..=350).await;
    let last = world.entity(&shop, 350);
    let oldest = Cursor::oldest(Settings::default().lanes, world.now()).to_text();
    let mut spent = Vec::new();
    for count in [1, 40] {
        let before = reads.load(Ordering::Relaxed);
        let mut streams = Vec::new();
        for _ in 0..count {
            streams.push(stream_after(&world, &world.operator, &oldest).await);
        }
        for one in &mut streams {
            assert!(told(one, &last).await);
        }
        spent.push(reads.load(Ordering::Relaxed) - before);
    }
    assert!(spent[1] < 40 * spent[0] / 2, "{spent:?} readings for 1 and for 40 streams");
}

#[tokio::test]
async fn streams_give_way_while_the_host_is_busy() {
    let (busy, waits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let is_busy = (Arc::clone(&busy), Arc::clone(&waits));
    let load = Load::of(move || {
        let busy = is_busy.0.load(Ordering::Relaxed);
        is_busy.1.fetch_or(busy, Ordering::Relaxed);
        busy
    });
    let world = World::with(Settings::default(), Options { load, ..streaming() }).await;
    let shop = world.shop().await;
    let mut one = stream(&world, &world.operator).await;
    world.update(&shop, 1).await;
    assert!(told(&mut one, &world.entity(&shop, 1)).await);
    busy.store(true, Ordering::Relaxed);
    world.update(&shop, 2).await;
    // What was being read when it became busy may still be told.
    let waiting = async {
        while !waits.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(2 * SOON, waiting).await.expect("the streams ask whether it is busy");
    world.update(&shop, 3).await;
    let early = tokio::time::timeout(Duration::from_millis(300), told(&mut one, &world.entity(&shop, 3))).await;
    assert!(early.is_err(), "the host is busy");
    busy.store(false, Ordering::Relaxed);
    assert!(told(&mut one, &world.entity(&shop, 3)).await);
}
