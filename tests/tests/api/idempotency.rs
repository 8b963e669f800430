//! A request that is repeated makes nothing twice, and one that is another is told so.

use futures::future::join_all;
use hooktide_tests::connected::sample_secrets;
use hooktide_tests::world::{Answer, World};
use http::Request;
use serde_json::{Value, json};

async fn post(world: &World, path: &str, key: &str, body: &str) -> Answer {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {}", world.operator))
        .header("idempotency-key", key);
    world.request(request.body(body.to_owned().into()).unwrap()).await
}

#[tokio::test]
async fn an_idempotency_key_with_another_body_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let other =
        json!({ "provider": "shopify", "account": "other.myshopify.com", "secrets": { "client_secret": "other" } });
    let again = r#"{ "secrets" : {"client_secret":"s"}, "account":"a.myshopify.com","provider":"shopify" }"#;
    let secrets = sample_secrets(hooktide_providers::by_id("clover").unwrap());
    let clover = json!({ "provider": "clover", "secrets": secrets });
    for path in ["/v1/connections", "/v1/endpoints"] {
        let body = json!({ "provider": "shopify", "account": "a.myshopify.com", "secrets": { "client_secret": "s" } });
        let made = post(&world, path, "once", &body.to_string()).await.expect(201);
        assert_eq!(post(&world, path, "once", again).await.expect(201), made, "the same, written otherwise");
        for other in [&other, &clover] {
            let problem = post(&world, path, "once", &other.to_string()).await.expect(422);
            assert_eq!(problem["errors"][0]["field"], "idempotency-key", "{problem}");
        }
        assert_eq!(world.get(path).await.expect(200)["items"], json!([made]));
        post(&world, path, "twice", &other.to_string()).await.expect(201);
    }
    let replay = "/v1/dead-letters/replay";
    let first = post(&world, replay, "once", r#"{"filter":{"topic":"a"}}"#).await.expect(202);
    assert_eq!(
        post(&world, replay, "once", r#"{"filter":{"topic":"a"}}"#).await.expect(202)["replay"],
        first["replay"]
    );
    post(&world, replay, "once", r#"{"filter":{"topic":"b"}}"#).await.expect(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_requests_with_one_key_at_once_are_answered_alike() {
    let world = World::new().await;
    for path in ["/v1/connections", "/v1/endpoints"] {
        let body = json!({ "provider": "shopify", "secrets": { "client_secret": "s" } }).to_string();
        let answers = join_all((0..40).map(|_| post(&world, path, "once", &body))).await;
        let made: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)).collect();
        assert!(made.iter().all(|one| *one == made[0]), "{made:?}");
        assert_eq!(world.get(path).await.expect(200)["items"].as_array().map(Vec::len), Some(1));
    }
}
