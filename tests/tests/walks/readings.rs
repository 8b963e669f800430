//! Readings of the feed that requests ask for: bounded, and waited for only so long.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hooktide_model::names::Scope;
use http::{Request, Response, StatusCode};
use tower::ServiceExt;

use crate::counted::Counted;

async fn get(app: Router, path: &str, token: &str) -> Response<Body> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    app.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
}

#[tokio::test]
async fn readings_of_the_feed_at_once_are_bounded_and_whoever_waits_too_long_is_told_when_to_come_again() {
    let Counted { world, reads, held } = Counted::new().await;
    let others = world.token("other", &[Scope::Feed]).await;
    let ask = |number: usize, token: &str| {
        let (app, token) = (world.app.clone(), token.to_owned());
        let path = ["/v1/changes?limit=1000", "/v1/activity?limit=1000", "/v1/events?after=now"][number % 3];
        tokio::spawn(async move { get(app, path, &token).await })
    };
    let hold = held.write().await;
    let before = reads.load(Ordering::Relaxed);
    let asked: Vec<_> = (0..60).map(|number| ask(number, &world.operator)).collect();
    until(|| asked.iter().filter(|one| one.is_finished()).count() >= 44).await;
    let under_way = || reads.load(Ordering::Relaxed) - before;
    assert_eq!(under_way(), 16, "each of those that have a turn waits for its first page");
    let other = ask(0, &others);
    until(|| under_way() >= 17).await;
    let health = get(world.app.clone(), "/v1/health", "").await;
    assert_eq!(health.status(), StatusCode::OK);
    drop(hold);
    assert_eq!(other.await.expect("an answer").status(), StatusCode::OK, "another tenant has its own turns");
    let mut answered = 0;
    for one in asked {
        let answer = one.await.expect("an answer");
        if answer.status() == StatusCode::OK {
            answered += 1;
            continue;
        }
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()["retry-after"], "10");
    }
    assert_eq!(answered, 16);
    assert_eq!(get(world.app.clone(), "/v1/changes", &world.operator).await.status(), StatusCode::OK);
}

/// Waits until it is so.
async fn until(so: impl Fn() -> bool) {
    for _ in 0..1_500 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not come to that");
}
