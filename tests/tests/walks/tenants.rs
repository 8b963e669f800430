//! One delivery that is about accounts of several tenants.

use hooktide_model::names::Scope;
use hooktide_tests::connected::sample_secrets;
use hooktide_tests::world::World;
use http::{Method, Request};
use serde_json::{Value, json};

async fn items(world: &World, token: &str) -> Vec<Value> {
    let page = world.call(token, Method::GET, "/v1/activity?limit=1000", None).await.expect(200);
    page["items"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn each_tenant_sees_only_its_own_part_of_a_delivery_and_an_unknown_account_gets_its_when_it_connects() {
    let world = World::new().await;
    let provider = hooktide_providers::by_id("clover").unwrap();
    let secrets = sample_secrets(provider);
    let new = json!({ "provider": "clover", "secrets": secrets, "tenants": ["anna", "bert"] });
    let made = world.post("/v1/endpoints", new).await.expect(201);
    let endpoint = made["id"].as_str().unwrap().to_owned();
    let mut tokens = Vec::new();
    let connect = async |tenant: &str, account: &str| {
        let token = world.token(tenant, &[Scope::Operate]).await;
        let body = json!({ "provider": "clover", "account": account, "endpoint": endpoint });
        world.call(&token, Method::POST, "/v1/connections", Some(body)).await.expect(201);
        token
    };
    for (tenant, account) in [("anna", "MERCHANTANNA1"), ("bert", "MERCHANTBERT1")] {
        tokens.push(connect(tenant, account).await);
    }
    let told = |id: &str| json!([{ "objectId": format!("I:{id}"), "type": "UPDATE", "ts": 1_767_225_600_000_i64 }]);
    let body = json!({ "appId": "DRKVJT2ZRRRSC", "merchants": {
        "MERCHANTANNA1": told("ANNAS"), "MERCHANTBERT1": told("BERTS"), "MERCHANTCARL1": told("CARLS"),
    } });
    let code = provider.profile().sample_secrets.iter().find(|(name, _)| *name == "auth_code").unwrap().1;
    let request = Request::post(format!("/webhooks/clover/{endpoint}")).header("x-clover-auth", code);
    world.request(request.body(body.to_string().into()).unwrap()).await.expect(200);
    world.tick().await;
    for token in &tokens {
        let activity = items(&world, token).await;
        assert_eq!(activity.len(), 1, "{activity:?}");
        assert_eq!(activity[0]["outcome"], "waiting");
    }
    let claim = json!({ "account": "MERCHANTCARL1", "tenant": "carl" });
    let claim = world.post(&format!("/v1/endpoints/{endpoint}/claims"), claim).await.expect(201)["claim"].clone();
    let carl = world.token("carl", &[Scope::Operate]).await;
    let body = json!({ "provider": "clover", "claim": claim });
    world.call(&carl, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    world.after(std::time::Duration::from_secs(5)).await;
    let activity = items(&world, &carl).await;
    assert_eq!(activity.len(), 1, "{activity:?}");
    for token in &tokens {
        let activity = items(&world, token).await;
        assert!(activity.iter().all(|entry| entry["outcome"] != "processed"), "{activity:?}");
        let settled = activity.iter().filter(|entry| entry["outcome"] == "waiting").count();
        assert_eq!(settled, 1, "what was settled is not told again: {activity:?}");
    }
}
