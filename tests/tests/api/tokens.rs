//! A token makes no token that may more, or that lasts longer.

use std::time::Duration;

use hooktide_tests::world::{Answer, World};
use http::Method;
use serde_json::{Value, json};

async fn make(world: &World, by: &str, body: Value) -> Answer {
    world.call(by, Method::POST, "/v1/tokens", Some(body)).await
}

fn text(made: &Value) -> String {
    made["token"].as_str().expect("a token").to_owned()
}

async fn works(world: &World, token: &str) -> u16 {
    world.call(token, Method::GET, "/v1/busy", None).await.status.as_u16()
}

#[tokio::test]
async fn a_token_makes_none_that_exceeds_or_outlives_it() {
    let world = World::new().await;
    let ends_at = world.now() + Duration::from_secs(3);
    let maker = json!({ "scopes": ["admin"], "user": "ann", "companies": ["a", "b"], "expires_at": ends_at });
    let made = make(&world, &world.operator, maker).await.expect(201);
    let maker = text(&made);
    for (body, field) in [
        (json!({ "user": "bob" }), "user"),
        (json!({ "companies": ["a", "c"] }), "companies"),
        (json!({ "expires_at": ends_at + Duration::from_secs(1) }), "expires_at"),
    ] {
        assert_eq!(make(&world, &maker, body).await.expect(422)["errors"][0]["field"], field);
    }
    let child = make(&world, &maker, json!({ "scopes": ["admin"] })).await.expect(201);
    assert_eq!((&child["user"], &child["companies"]), (&json!("ann"), &json!(["a", "b"])), "it has the same limits");
    assert_eq!((&child["expires_at"], &child["by"]), (&json!(ends_at), &made["id"]));
    assert_eq!(works(&world, &text(&child)).await, 200);
    world.clock.advance(Duration::from_secs(3));
    assert_eq!((works(&world, &maker).await, works(&world, &text(&child)).await), (401, 401));
}

#[tokio::test]
async fn a_token_for_one_person_is_refused_where_nobody_minds_whose_it_is() {
    let world = World::new().await;
    let token = text(&make(&world, &world.operator, json!({ "scopes": ["admin"], "user": "ann" })).await.expect(201));
    let change = json!({ "settings": { "user": "ann" } });
    for (method, path, body) in [
        (Method::GET, "/v1/connections", None),
        (Method::GET, "/v1/changes", None),
        (Method::GET, "/v1/events", None),
        (Method::GET, "/v1/activity", None),
        (Method::GET, "/v1/resources", None),
        (Method::PATCH, "/v1/connections/c1", Some(change.clone())),
        (Method::DELETE, "/v1/connections/c1", None),
        (Method::GET, "/v1/connections/c1/sync", None),
        (Method::GET, "/v1/connections/c1/authorize", None),
    ] {
        let answer = world.call(&token, method, path, body).await;
        assert_eq!(answer.status.as_u16(), 403, "{path}");
    }
    assert_eq!(works(&world, &token).await, 200);
    // Nor are the tokens of others theirs.
    let other = make(&world, &world.operator, json!({ "scopes": ["read"] })).await.expect(201);
    let path = format!("/v1/tokens/{}", other["id"].as_str().unwrap());
    assert_eq!(world.call(&token, Method::DELETE, &path, None).await.status.as_u16(), 404);
    let seen = world.call(&token, Method::GET, "/v1/tokens", None).await.expect(200);
    assert!(seen["items"].as_array().unwrap().iter().all(|one| one["user"] == "ann"), "{seen}");
}

#[tokio::test]
async fn a_token_that_is_revoked_takes_along_those_that_it_made() {
    let world = World::new().await;
    let mut chain = vec![make(&world, &world.operator, json!({ "scopes": ["admin"] })).await.expect(201)];
    for _ in 0..4 {
        let maker = text(chain.last().unwrap());
        chain.push(make(&world, &maker, json!({ "scopes": ["admin"] })).await.expect(201));
    }
    let last = text(chain.last().unwrap());
    make(&world, &last, json!({})).await.expect(422);
    assert_eq!(works(&world, &last).await, 200);
    let feed = world.call(&last, Method::POST, "/v1/feed-tokens", Some(json!({}))).await.expect(201);
    let changes = format!("/v1/changes?token={}", feed["token"].as_str().unwrap());
    let follow = async || {
        let request = http::Request::get(&changes).body(Default::default()).unwrap();
        world.request(request).await.status.as_u16()
    };
    assert_eq!(follow().await, 200);
    let path = format!("/v1/tokens/{}", chain[1]["id"].as_str().unwrap());
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(204);
    let mut after = Vec::new();
    for made in &chain {
        after.push(works(&world, &text(made)).await);
    }
    assert_eq!((after, follow().await), (vec![200, 401, 401, 401, 401], 401));
}
