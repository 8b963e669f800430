//! What a webhook address answers to whoever asks with GET.

use hooktide_model::names::Scope;
use hooktide_tests::world::World;
use http::{Method, Request};
use serde_json::json;

#[tokio::test]
async fn a_get_without_a_token_is_the_wrong_method_and_with_one_tells_how_the_address_is_doing() {
    let world = World::new().await;
    for provider in hooktide_providers::with_webhooks() {
        let connected = world.connect(provider).await;
        let refused = world.ask(&connected, Method::GET, "", "").await;
        assert_eq!((refused.status.as_u16(), refused.headers["allow"].to_str().unwrap()), (405, "POST"));

        let token = world.token("default", &[Scope::Read]).await;
        let asked = Request::get(&connected.path).header("authorization", format!("Bearer {token}"));
        let sent_on = world.request(asked.body(Default::default()).unwrap()).await;
        assert_eq!(sent_on.status, 307);
        let place = sent_on.headers["location"].to_str().unwrap().to_owned();
        let told = world.call(&token, Method::GET, &place, None).await.expect(200);
        assert_eq!((&told["mode"], &told["health"]), (&json!("webhook"), &json!("waiting")), "{}", provider.id());
        assert_eq!(told["connection"], json!(connected.id));

        let topic = provider.profile().topics[0].name;
        assert!(world.request(world.sample_of(&connected, topic, 1).await).await.status.is_success());
        world.tick().await;
        let told = world.call(&token, Method::GET, &place, None).await.expect(200);
        assert_eq!(told["health"], json!("receiving"), "{}", provider.id());

        let other = world.token("other", &[Scope::Admin]).await;
        assert_eq!(world.call(&other, Method::GET, &place, None).await.status, 404);
        assert_eq!(world.call("nobody", Method::GET, &place, None).await.status, 401);
    }
}

/// Square and eBay sign the address; behind a proxy only the owner knows what they were told.
#[tokio::test]
async fn an_address_that_is_signed_is_the_one_in_the_settings() {
    let world = World::new().await;
    let provider = hooktide_providers::by_id("square").unwrap();
    let connected = world.connect(provider).await;
    let topic = provider.profile().topics[0].name;
    let as_computed = world.sample_of(&connected, topic, 1).await;
    assert_eq!(world.request(as_computed.clone()).await.status, 200);

    let path = format!("/v1/connections/{}", connected.id);
    let address = "https://proxy.example.com/square";
    let settings = json!({ "settings": { "notification_url": address } });
    let changed = world.call(&world.operator, Method::PATCH, &path, Some(settings)).await.expect(200);
    assert_eq!(changed["webhook_url"], json!(address));
    // What a receiver has cached it uses for at most so long.
    world.clock.advance(world.host.settings.endpoint_cache);
    assert_eq!(world.request(as_computed).await.status, 401);
    let (mut parts, body) = world.sample_of(&connected, topic, 2).await.into_parts();
    assert_eq!(parts.uri, address);
    parts.uri = connected.path.parse().unwrap();
    assert_eq!(world.request(Request::from_parts(parts, body)).await.status, 200);

    let odd = json!({ "settings": { "notification_url": "ftp://x" } });
    assert_eq!(world.call(&world.operator, Method::PATCH, &path, Some(odd)).await.status, 422);
}
