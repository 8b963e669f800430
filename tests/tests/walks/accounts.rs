//! The account of a connection can be changed.

use hooktide_model::names::Scope;
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored};
use hooktide_tests::world::{Answer, Shop, World};
use http::Method;
use serde_json::{Value, json};

async fn patch(world: &World, token: &str, id: &str, body: Value) -> Answer {
    world.call(token, Method::PATCH, &format!("/v1/connections/{id}"), Some(body)).await
}

#[tokio::test]
async fn a_changed_account_is_that_of_the_connections_own_endpoint_as_well() {
    let world = World::new().await;
    let shop = world.shop().await;
    let account = async || {
        let key = endpoint::key("shopify", &shop.id);
        let Stored { record, .. } = records::get::<Endpoint>(&*world.host.ports.table, &key).await.unwrap().unwrap();
        record.account
    };
    let change = |account: Value| patch(&world, &world.operator, &shop.id, json!({ "account": account }));
    let changed = change(json!(" Moved.MyShopify.com")).await.expect(200);
    assert_eq!(
        (&changed["account"], account().await.as_deref()),
        (&json!("moved.myshopify.com"), Some("moved.myshopify.com"))
    );
    world.update(&Shop { account: "moved.myshopify.com".into(), ..shop.clone() }, 1).await;
    assert_eq!(world.changes().await.len(), 1);
    for bad in [json!("a#b"), json!(""), json!("x".repeat(256))] {
        assert_eq!(change(bad).await.expect(422)["errors"][0]["field"], "account");
    }
    assert_eq!(change(json!(1)).await.status, 422);
    assert_eq!(account().await.as_deref(), Some("moved.myshopify.com"), "what is refused changes nothing");
    assert_eq!(change(Value::Null).await.expect(200)["account"], Value::Null);
    assert_eq!(account().await, None);
}

#[tokio::test]
async fn a_changed_account_moves_the_route_of_a_shared_endpoint_in_one_step() {
    let world = World::new().await;
    let app = world.endpoint_for("app", json!([])).await;
    let connect = async |account: &str| {
        world.shop_with(json!({ "provider": "shopify", "account": account, "endpoint": app.id })).await
    };
    let (first, second) = (connect("first.myshopify.com").await, connect("second.myshopify.com").await);
    let change =
        |account: Value| patch(&world, &world.operator, &first.id, json!({ "account": account, "name": "New" }));
    assert_eq!(change(json!("Second.myshopify.com")).await.expect(409)["type"], "urn:hooktide:problem:conflict");
    assert_eq!(change(Value::Null).await.expect(422)["errors"][0]["field"], "account");
    let shown = world.get(&format!("/v1/connections/{}", first.id)).await.expect(200);
    assert_eq!((&shown["account"], &shown["name"]), (&json!("first.myshopify.com"), &json!("first.myshopify.com")));
    // What was held for the new account comes with it: the endpoint's owner moved.
    let third = Shop { account: "third.myshopify.com".into(), ..first.clone() };
    let of = |shop: &Shop, number| Shop { id: format!("{number}"), ..shop.clone() };
    world.update(&of(&third, 1), 1).await;
    assert_eq!(world.held(&app).await.len(), 1);
    change(json!("third.myshopify.com")).await.expect(200);
    world.tick().await;
    world.update(&third, 2).await;
    world.update(&first, 3).await;
    world.update(&second, 4).await;
    let mut connections: Vec<Value> = world.changes().await.iter().map(|change| change["connection"].clone()).collect();
    connections.sort_by_key(Value::to_string);
    let mut expected = vec![json!(first.id), json!(first.id), json!(second.id)];
    expected.sort_by_key(Value::to_string);
    assert_eq!(connections, expected);
    assert_eq!(world.held(&app).await.len(), 1, "the former account is nobody's");
    // Whoever connects the former account gets what is held for it: it is free again.
    connect("first.myshopify.com").await;
}

#[tokio::test]
async fn a_tenant_moves_to_another_account_only_with_the_owners_consent() {
    let world = World::new().await;
    let app = world.endpoint_for("app", json!([])).await;
    let anna = world.token("anna", &[Scope::Operate]).await;
    let claim = world.claim(&app, "anna.myshopify.com", "anna").await;
    let body = json!({ "provider": "shopify", "claim": claim });
    let id = world.call(&anna, Method::POST, "/v1/connections", Some(body)).await.expect(201)["id"].clone();
    let id = id.as_str().unwrap();
    let to = json!({ "account": "victim.myshopify.com" });
    assert_eq!(patch(&world, &anna, id, to.clone()).await.expect(422)["errors"][0]["field"], "endpoint");
    patch(&world, &anna, id, json!({ "account": "victim.myshopify.com", "claim": claim })).await.expect(422);
    let claim = world.claim(&app, "victim.myshopify.com", "anna").await;
    let body = json!({ "account": "victim.myshopify.com", "claim": claim });
    assert_eq!(patch(&world, &anna, id, body).await.expect(200)["account"], "victim.myshopify.com");
}
