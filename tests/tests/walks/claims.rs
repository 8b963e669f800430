//! The owner of a shared endpoint decides which tenant each of its accounts belongs to.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::world::{Answer, Shop, World};
use http::Method;
use serde_json::{Value, json};

const VICTIM: &str = "victim.myshopify.com";

/// A world with an endpoint that lets these tenants in, and a delivery that is held there for the victim's account.
async fn with_held_delivery(tenants: Value) -> (World, Shop) {
    let world = World::new().await;
    let app = world.endpoint_for("app", tenants).await;
    let shop = Shop { account: VICTIM.into(), ..app.clone() };
    world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
    world.tick().await;
    assert_eq!(world.held(&app).await.len(), 1);
    (world, app)
}

async fn connect(world: &World, token: &str, more: Value) -> Answer {
    let mut body = json!({ "provider": "shopify" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.call(token, Method::POST, "/v1/connections", Some(body)).await
}

async fn changes(world: &World, token: &str) -> usize {
    world.after(Duration::from_secs(1)).await;
    let page = world.call(token, Method::GET, "/v1/changes", None).await.expect(200);
    page["items"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn nobody_connects_an_account_of_a_shared_endpoint_without_its_owners_consent() {
    for tenants in [json!([]), json!(["anna"])] {
        let (world, app) = with_held_delivery(tenants).await;
        let stranger = world.token("stranger", &[Scope::Operate]).await;
        let problem = connect(&world, &stranger, json!({ "account": VICTIM, "endpoint": app.id })).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], "endpoint");
        assert_eq!((changes(&world, &stranger).await, world.held(&app).await.len()), (0, 1));
        connect(&world, &world.operator, json!({ "account": VICTIM, "endpoint": app.id })).await.expect(201);
        assert_eq!((changes(&world, &world.operator).await, world.held(&app).await.len()), (1, 0), "the owner's own");
    }
}

#[tokio::test]
async fn what_was_held_goes_to_a_tenant_that_is_only_named_when_the_owner_releases_it() {
    for tenants in [json!(["anna"]), json!(["*"])] {
        let (world, app) = with_held_delivery(tenants).await;
        let anna = world.token("anna", &[Scope::Operate]).await;
        let release = format!("/v1/endpoints/{}/release", app.id);
        let ask = |body: Value| world.post(&release, body);
        ask(json!({ "account": VICTIM })).await.expect(409);
        connect(&world, &anna, json!({ "account": VICTIM, "endpoint": app.id })).await.expect(201);
        assert_eq!((changes(&world, &anna).await, world.held(&app).await.len()), (0, 1), "it proved nothing");
        // New deliveries are hers all the same.
        world
            .request(world.sample(&Shop { account: VICTIM.into(), ..app.clone() }, "products/update", 2, world.now()))
            .await;
        world.tick().await;
        assert_eq!(changes(&world, &anna).await, 1);
        ask(json!({ "account": VICTIM, "tenant": "bert" })).await.expect(409);
        ask(json!({ "account": "a#b" })).await.expect(422);
        let released = ask(json!({ "account": VICTIM.to_uppercase(), "tenant": "anna" })).await.expect(202);
        assert_eq!(released["matched"], 1, "{released}");
        world.tick().await;
        assert_eq!((changes(&world, &anna).await, world.held(&app).await.len()), (2, 0));
    }
}

#[tokio::test]
async fn a_claim_connects_its_one_account_for_its_one_tenant_and_releases_what_was_held() {
    let (world, app) = with_held_delivery(json!([])).await;
    let (anna, bert) = (world.token("anna", &[Scope::Operate]).await, world.token("bert", &[Scope::Operate]).await);
    let claim = world.claim(&app, " Victim.MyShopify.com ", "anna").await;
    let with = |account: &str, endpoint: &str| json!({ "account": account, "endpoint": endpoint, "claim": claim });
    let other = world.endpoint_for("other", json!([])).await;
    let mut altered = claim.clone();
    altered.replace_range(30..31, if &claim[30..31] == "A" { "B" } else { "A" });
    for (token, body, field) in [
        (&bert, with(VICTIM, &app.id), "claim"),
        (&anna, with("another.myshopify.com", &app.id), "claim"),
        (&anna, with(VICTIM, &other.id), "claim"),
        (&anna, json!({ "account": VICTIM, "endpoint": app.id, "claim": altered }), "claim"),
        (&anna, json!({ "account": VICTIM, "endpoint": app.id, "claim": "hc_a.b.c" }), "claim"),
        (&anna, json!({ "account": VICTIM, "endpoint": app.id }), "endpoint"),
    ] {
        let problem = connect(&world, token, body.clone()).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    // The claim names endpoint and account.
    let made = connect(&world, &anna, json!({ "claim": claim })).await.expect(201);
    assert_eq!((&made["account"], &made["endpoint"]), (&json!(VICTIM), &json!(app.id)));
    world.tick().await;
    assert_eq!((changes(&world, &anna).await, world.held(&app).await.len()), (1, 0));
    connect(&world, &anna, json!({ "claim": claim })).await.expect(409);
}

#[tokio::test]
async fn a_claim_ends_at_its_time_and_with_the_token_that_made_it() {
    let (world, app) = with_held_delivery(json!([])).await;
    let (anna, admin) = (world.token("anna", &[Scope::Operate]).await, world.token("default", &[Scope::Admin]).await);
    let path = format!("/v1/endpoints/{}/claims", app.id);
    for expires_in in [0, 30 * 24 * 3600 + 1] {
        let body = json!({ "account": VICTIM, "tenant": "anna", "expires_in": expires_in });
        assert_eq!(world.post(&path, body).await.expect(422)["errors"][0]["field"], "expires_in");
    }
    let body = json!({ "account": VICTIM, "tenant": "anna", "expires_in": 60 });
    let made = world.call(&admin, Method::POST, &path, Some(body)).await.expect(201);
    assert_eq!((&made["account"], &made["tenant"]), (&json!(VICTIM), &json!("anna")));
    let [by_admin, by_operator] = [made["claim"].clone(), json!(world.claim(&app, VICTIM, "anna").await)];
    let id = admin.split('_').nth(1).unwrap();
    world.call(&world.operator, Method::DELETE, &format!("/v1/tokens/{id}"), None).await.expect(204);
    connect(&world, &anna, json!({ "claim": by_admin })).await.expect(422);
    world.clock.advance(Duration::from_secs(24 * 3600));
    connect(&world, &anna, json!({ "claim": by_operator })).await.expect(422);
}

#[tokio::test]
async fn an_owner_opens_and_closes_an_endpoint_that_stands() {
    let (world, app) = with_held_delivery(json!([])).await;
    let anna = world.token("anna", &[Scope::Operate]).await;
    let patch = async |tenants: Value| {
        let path = format!("/v1/endpoints/{}", app.id);
        world.call(&world.operator, Method::PATCH, &path, Some(json!({ "tenants": tenants }))).await
    };
    for (tenants, status) in [(json!(["anna"]), 201), (json!([]), 422), (json!(["*"]), 201)] {
        assert_eq!(patch(tenants.clone()).await.expect(200)["tenants"], tenants);
        let account = format!("{}.myshopify.com", world.now().as_millisecond());
        world.clock.advance(Duration::from_millis(1));
        connect(&world, &anna, json!({ "account": account, "endpoint": app.id })).await.expect(status);
    }
    let many: Vec<String> = (0..101).map(|number| format!("tenant-{number}")).collect();
    assert_eq!(patch(json!(many)).await.expect(422)["errors"][0]["field"], "tenants");
}
