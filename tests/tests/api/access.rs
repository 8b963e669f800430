//! Every route of the API refuses: without a token, with too small a scope, with another tenant's ids.

use hooktide_model::names::Scope;
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

/// A route as its description has it, with a body that is right.
struct Route {
    method: Method,
    path: &'static str,
    /// The smallest scope that may; none if no token is needed.
    scope: Option<Scope>,
    body: Option<Value>,
}

fn routes() -> Vec<Route> {
    let route = |method: &str, path, scope: Option<Scope>, body: Value| Route {
        method: method.parse().unwrap(),
        path,
        scope,
        body: (!body.is_null()).then_some(body),
    };
    let connection =
        json!({ "provider": "shopify", "account": "a.myshopify.com", "secrets": { "client_secret": "s" } });
    let endpoint = json!({ "provider": "shopify", "secrets": { "client_secret": "s" } });
    let (read, feed, operate, admin) = (Some(Scope::Read), Some(Scope::Feed), Some(Scope::Operate), Some(Scope::Admin));
    vec![
        route("GET", "/v1/health", None, Value::Null),
        route("GET", "/v1/connections", read, Value::Null),
        route("POST", "/v1/connections", operate, connection),
        route("GET", "/v1/connections/{id}", read, Value::Null),
        route("PATCH", "/v1/connections/{id}", operate, json!({ "name": "theirs" })),
        route("GET", "/v1/connections/{id}/authorize", operate, Value::Null),
        route("POST", "/v1/connections/{id}/secrets/{name}", operate, json!({ "value": "new" })),
        route("DELETE", "/v1/connections/{id}/secrets/{name}/{key_id}", operate, Value::Null),
        route("DELETE", "/v1/connections/{id}", operate, Value::Null),
        route("GET", "/v1/connections/{id}/sync", read, Value::Null),
        route("PUT", "/v1/connections/{id}/sync", operate, json!({ "mode": "polling" })),
        route("POST", "/v1/connections/{id}/sync/run", operate, json!({ "full": true })),
        route("POST", "/v1/connections/{id}/sync/test", operate, Value::Null),
        route("GET", "/v1/sync/mode", read, Value::Null),
        route("POST", "/v1/sync/mode", admin, json!({ "mode": "polling", "percent": 30 })),
        route("GET", "/v1/connections/{id}/calendars", read, Value::Null),
        route("PUT", "/v1/connections/{id}/calendars", operate, json!({ "calendar": "theirs", "included": true })),
        route("PUT", "/v1/connections/{id}/calendars/{calendar}", operate, json!({ "included": true })),
        route("GET", "/v1/busy", read, Value::Null),
        route("GET", "/v1/busy/plan", read, Value::Null),
        route("POST", "/v1/busy/remove", operate, json!({ "connection": "theirs" })),
        route("GET", "/v1/queues", read, Value::Null),
        route("GET", "/v1/status", read, Value::Null),
        route("GET", "/v1/transactions", read, Value::Null),
        route("GET", "/v1/transactions/{id}", read, Value::Null),
        route("GET", "/v1/accounts", read, Value::Null),
        route("GET", "/v1/accounts/{id}", read, Value::Null),
        route("GET", "/v1/analytics", read, Value::Null),
        route("GET", "/v1/analytics/rebuild", read, Value::Null),
        route("POST", "/v1/analytics/rebuild", operate, json!({})),
        route("GET", "/v1/resources", read, Value::Null),
        route("GET", "/v1/subscriptions", read, Value::Null),
        route("POST", "/v1/subscriptions/{id}/enable", operate, Value::Null),
        route("GET", "/v1/endpoints", admin, Value::Null),
        route("POST", "/v1/endpoints", admin, endpoint),
        route("GET", "/v1/endpoints/{id}", admin, Value::Null),
        route("PATCH", "/v1/endpoints/{id}", admin, json!({ "name": "theirs" })),
        route("POST", "/v1/endpoints/{id}/claims", admin, json!({ "account": "a.myshopify.com", "tenant": "other" })),
        route("POST", "/v1/endpoints/{id}/release", admin, json!({ "account": "a.myshopify.com" })),
        route("POST", "/v1/endpoints/{id}/secrets/{name}", admin, json!({ "value": "new" })),
        route("DELETE", "/v1/endpoints/{id}/secrets/{name}/{key_id}", admin, Value::Null),
        route("DELETE", "/v1/endpoints/{id}", admin, Value::Null),
        route("GET", "/v1/tokens", admin, Value::Null),
        route("POST", "/v1/tokens", admin, json!({})),
        route("DELETE", "/v1/tokens/{id}", admin, Value::Null),
        route("GET", "/v1/changes", feed, Value::Null),
        route("GET", "/v1/events", feed, Value::Null),
        route("GET", "/v1/activity", read, Value::Null),
        route("POST", "/v1/feed-tokens", feed, json!({})),
        route("GET", "/v1/dead-letters", read, Value::Null),
        route("GET", "/v1/dead-letters/{id}", operate, Value::Null),
        route("DELETE", "/v1/dead-letters/{id}", operate, Value::Null),
        route("POST", "/v1/dead-letters/replay", operate, json!({})),
        route("POST", "/test/events/{provider}/{topic}", operate, json!({})),
        route("POST", "/test/webhooks/echo", operate, json!({})),
        route("POST", "/test/webhooks/{provider}/{connection}", operate, json!({})),
        route("GET", "/v1/privacy-requests", read, Value::Null),
        route("GET", "/v1/waiting", read, Value::Null),
        route("GET", "/v1/webhooks/{provider}/{id}", read, Value::Null),
    ]
}

/// What the tenant `default` has, for putting into paths.
struct Things {
    connection: String,
    key_id: String,
    endpoint: String,
    endpoint_key_id: String,
    token: String,
    dead_letter: String,
}

async fn things(world: &World) -> Things {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let made = world
        .post(
            "/v1/connections",
            json!({
                "provider": "shopify",
                "account": "a.myshopify.com",
                "secrets": { "client_secret": ["one", "two"], "client_id": "app" },
            }),
        )
        .await
        .expect(201);
    let endpoint = world
        .post("/v1/endpoints", json!({ "provider": "shopify", "secrets": { "client_secret": ["one", "two"] } }))
        .await
        .expect(201);
    let token = world.post("/v1/tokens", json!({})).await.expect(201);
    let shop = hooktide_tests::world::Shop {
        id: text(&made["id"]),
        url: text(&made["webhook_url"]),
        account: "a.myshopify.com".into(),
        secret: "one".into(),
    };
    world.request(world.signed(&shop, "products/update", "not json")).await;
    world.tick().await;
    let letters = world.get("/v1/dead-letters").await.expect(200);
    Things {
        connection: shop.id,
        key_id: text(&made["secrets"]["client_secret"][1]["key_id"]),
        endpoint: text(&endpoint["id"]),
        endpoint_key_id: text(&endpoint["secrets"]["client_secret"][1]["key_id"]),
        token: text(&token["id"]),
        dead_letter: text(&letters["items"][0]["id"]),
    }
}

impl Things {
    fn path(&self, route: &Route) -> String {
        let (id, key_id) = match route.path {
            path if path.starts_with("/v1/connections") => (&self.connection, &self.key_id),
            path if path.starts_with("/v1/endpoints") => (&self.endpoint, &self.endpoint_key_id),
            path if path.starts_with("/v1/webhooks") || path.starts_with("/v1/subscriptions") => {
                (&self.connection, &self.key_id)
            }
            path if path.starts_with("/v1/tokens") => (&self.token, &self.key_id),
            _ => (&self.dead_letter, &self.key_id),
        };
        route
            .path
            .replace("{id}", id)
            .replace("{key_id}", key_id)
            .replace("{connection}", &self.connection)
            .replace("{calendar}", "owner%40example.com")
            .replace("{name}", "client_secret")
            .replace("{provider}", "shopify")
            .replace("{topic}", "products%2Fupdate")
    }
}

#[tokio::test]
async fn the_table_of_routes_is_the_apis_own_description() {
    let world = World::new().await;
    let document = world.get("/v1/openapi.json").await.expect(200);
    let mut described = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            described.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut tested: Vec<String> = routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    described.sort();
    tested.sort();
    assert_eq!(described, tested);
}

#[tokio::test]
async fn every_route_wants_a_token_and_the_right_scope() {
    let world = World::new().await;
    let things = things(&world).await;
    for route in routes() {
        let path = things.path(&route);
        let Some(scope) = route.scope else { continue };
        let what = format!("{} {path}", route.method);
        let bare = http::Request::builder().method(route.method.clone()).uri(&path).body(Default::default()).unwrap();
        assert_eq!(world.request(bare).await.status, 401, "{what} without a token");
        for invalid in
            ["", "hk_0000000000000000_".to_owned().as_str(), &format!("hk_{}_{}", "0".repeat(16), "0".repeat(64))]
        {
            let answer = world.call(invalid, route.method.clone(), &path, route.body.clone()).await;
            assert_eq!(answer.status, 401, "{what} with {invalid:?}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
        for smaller in Scope::ALL.iter().filter(|smaller| **smaller < scope) {
            let token = world.token("default", &[*smaller]).await;
            let answer = world.call(&token, route.method.clone(), &path, route.body.clone()).await;
            assert_eq!(answer.status, 403, "{what} with the scope {smaller}");
        }
    }
}

#[tokio::test]
async fn every_route_with_an_id_hides_another_tenants_things() {
    let world = World::new().await;
    let things = things(&world).await;
    let theirs = world.token("other", &[Scope::Admin]).await;
    let before = (world.get("/v1/connections").await.json(), world.get("/v1/endpoints").await.json());
    for route in routes().iter().filter(|route| route.path.contains("{id}")) {
        let path = things.path(route);
        let answer = world.call(&theirs, route.method.clone(), &path, route.body.clone()).await;
        assert_eq!(answer.status, 404, "{} {path}: {}", route.method, String::from_utf8_lossy(&answer.body));
    }
    assert_eq!((world.get("/v1/connections").await.json(), world.get("/v1/endpoints").await.json()), before);
    for path in [
        "/v1/connections",
        "/v1/endpoints",
        "/v1/changes",
        "/v1/activity",
        "/v1/dead-letters",
        "/v1/waiting",
        "/v1/resources",
        "/v1/subscriptions",
        "/v1/busy",
        "/v1/busy/plan",
        "/v1/transactions",
        "/v1/accounts",
        "/v1/analytics/rebuild",
    ] {
        let list = world.call(&theirs, Method::GET, path, None).await.expect(200);
        assert_eq!(list["items"], json!([]), "{path}");
    }
    let tokens = world.call(&theirs, Method::GET, "/v1/tokens", None).await.expect(200);
    let tokens = tokens["items"].as_array().unwrap();
    assert!(tokens.len() == 1 && tokens[0]["tenant"] == "other", "only their own: {tokens:?}");
    let removal = Some(json!({ "connection": things.connection }));
    world.call(&theirs, Method::POST, "/v1/busy/remove", removal).await.expect(404);
    let replay = world.call(&theirs, Method::POST, "/v1/dead-letters/replay", Some(json!({}))).await.expect(202);
    assert_eq!(replay["matched"], 0);
}

#[tokio::test]
async fn every_route_works_for_its_owner() {
    let world = World::with(
        Default::default(),
        hooktide_api::Options { test_tools: true, stream_life: std::time::Duration::ZERO, ..Default::default() },
    )
    .await;
    let things = things(&world).await;
    for route in routes() {
        let (path, scope) = (things.path(&route), route.scope.unwrap_or(Scope::Feed));
        let token = world.token("default", &[scope]).await;
        let body = match route.path {
            "/test/events/{provider}/{topic}" | "/v1/busy/remove" => Some(json!({ "connection": things.connection })),
            _ => route.body.clone(),
        };
        // What deletes the connection comes before its dead letter and the samples in the table.
        if route.method == Method::DELETE && route.path == "/v1/connections/{id}" {
            continue;
        }
        // The connection has no credentials, and so no subscription, and no calendars; `walks` has one that has.
        let of_none = [
            (Method::POST, "/v1/subscriptions/{id}/enable"),
            (Method::PUT, "/v1/connections/{id}/calendars"),
            (Method::GET, "/v1/transactions/{id}"),
            (Method::GET, "/v1/accounts/{id}"),
            (Method::PUT, "/v1/connections/{id}/calendars/{calendar}"),
        ];
        if of_none.contains(&(route.method.clone(), route.path)) {
            world.call(&token, route.method.clone(), &path, body).await.expect(404);
            continue;
        }
        // Nobody has connected an account to it.
        if route.path == "/v1/endpoints/{id}/release" {
            world.call(&token, route.method.clone(), &path, body).await.expect(409);
            continue;
        }
        let answer = world.call(&token, route.method.clone(), &path, body).await;
        assert!(answer.status.is_success(), "{} {path}: {}", route.method, String::from_utf8_lossy(&answer.body));
    }
}

#[tokio::test]
async fn only_the_operator_acts_for_other_tenants() {
    let world = World::new().await;
    let admin = world.token("default", &[Scope::Admin]).await;
    let get = |token: &str| {
        http::Request::get("/v1/connections")
            .header("authorization", format!("Bearer {token}"))
            .header("hooktide-tenant", "other")
            .body(Default::default())
            .unwrap()
    };
    assert_eq!(world.request(get(&admin)).await.status, 403);
    assert_eq!(world.request(get(&world.operator)).await.status, 200);
    let other = Some(json!({ "tenant": "other" }));
    assert_eq!(world.call(&admin, Method::POST, "/v1/tokens", other.clone()).await.status, 403);
    assert_eq!(world.call(&world.operator, Method::POST, "/v1/tokens", other).await.status, 201);
}

#[tokio::test]
async fn the_test_tools_are_off_unless_switched_on() {
    let world = World::new().await;
    let shop = world.shop().await;
    let token = world.token("default", &[Scope::Admin]).await;
    let path = "/test/events/shopify/products%2Fupdate";
    let body = Some(json!({ "connection": shop.id }));
    assert_eq!(world.call(&token, Method::POST, path, body.clone()).await.status, 404);
    assert_eq!(world.call(&world.operator, Method::POST, path, body).await.status, 200);
    let unsigned = format!("/test/webhooks/shopify/{}", shop.id);
    for (path, allowed) in [("/test/webhooks/echo", 200), (unsigned.as_str(), 202)] {
        assert_eq!(world.call(&token, Method::POST, path, Some(json!({}))).await.status, 404);
        assert_eq!(world.call(&world.operator, Method::POST, path, Some(json!({}))).await.status, allowed);
    }
}

#[tokio::test]
async fn expired_and_revoked_tokens_no_longer_count() {
    let world = World::new().await;
    let until = world.now() + std::time::Duration::from_secs(10);
    let made = world.post("/v1/tokens", json!({ "expires_at": until })).await.expect(201);
    let (id, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(world.call(text, Method::GET, "/v1/changes", None).await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(world.call(text, Method::GET, "/v1/changes", None).await.status, 401);
    let made = world.post("/v1/tokens", json!({})).await.expect(201);
    let (other, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(world.call(text, Method::GET, "/v1/changes", None).await.status, 200);
    assert_eq!(world.call(&world.operator, Method::DELETE, &format!("/v1/tokens/{other}"), None).await.status, 204);
    assert_eq!(world.call(text, Method::GET, "/v1/changes", None).await.status, 401);
    let listed = world.get("/v1/tokens").await.expect(200);
    let ids: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&id) && ids.contains(&other));
    assert!(!listed.to_string().contains("hk_"), "the text of a token is shown once");
}
