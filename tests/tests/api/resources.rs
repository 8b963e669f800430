//! Connections and endpoints: made, listed, shown, changed, deleted.

use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_model::signing;
use hooktide_tests::world::World;
use http::{Method, Request};
use serde_json::{Value, json};

#[tokio::test]
async fn a_connection_is_answered_as_documented_and_never_with_its_secrets() {
    let world = World::new().await;
    let body = json!({
        "provider": "shopify",
        "name": "My shop",
        "account": "My-Shop.myshopify.com",
        "secrets": { "client_secret": ["hush-new", "hush-old"], "access_token": "hush-token" },
        "settings": { "rate_per_minute": 60, "user": "anna" },
    });
    let answer = world.post("/v1/connections", body).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("hush"));
    let made = answer.expect(201);
    assert_eq!(made["account"], "my-shop.myshopify.com");
    assert_eq!(made["settings"], json!({ "rate_per_minute": 60, "user": "anna" }));
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["webhook_url"], format!("http://127.0.0.1:8787/webhooks/shopify/{id}"));
    assert_eq!(made["secrets"]["client_secret"].as_array().map(Vec::len), Some(2));
    assert_eq!(made["secrets"]["access_token"].as_array().map(Vec::len), Some(1));
    assert!(made["secrets"]["client_secret"][0]["last_verified_at"].is_null());
    assert_eq!(world.get(&format!("/v1/connections/{id}")).await.expect(200), made);
    assert_eq!(world.get("/v1/connections").await.expect(200)["items"], json!([made]));
}

#[tokio::test]
async fn a_connection_whose_key_comes_with_the_subscription_is_made_without_one_and_refuses_deliveries_until_then() {
    let world = World::new().await;
    let secrets = json!({ "access_token": "hush-token", "application_token": "hush-token-of-the-app" });
    let body = json!({ "provider": "square", "account": "ML1JH8P4XX72D", "secrets": secrets });
    let made = world.post("/v1/connections", body).await.expect(201);
    assert!(made["secrets"]["signature_key"].is_null(), "{made}");
    let (url, body) = (made["webhook_url"].as_str().unwrap(), r#"{"merchant_id":"ML1JH8P4XX72D"}"#);
    // An empty key signs for nobody.
    let signature = BASE64.encode(&signing::hmac_sha256(b"", &[url.as_bytes(), body.as_bytes()]));
    let request = Request::post(url).header("x-square-hmacsha256-signature", signature);
    assert_eq!(world.request(request.body(Bytes::from(body)).unwrap()).await.status, 401);
}

#[tokio::test]
async fn when_a_secret_last_verified_is_shown() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    let shown = world.get(&format!("/v1/connections/{}", shop.id)).await.expect(200);
    assert_eq!(shown["secrets"]["client_secret"][0]["last_verified_at"], json!(world.now()));
}

#[tokio::test]
async fn a_patch_merges_settings_and_leaves_the_rest() {
    let world = World::new().await;
    let secrets = json!({ "secret": "hush-woo" });
    let body = json!({ "provider": "woocommerce", "account": "shop.example", "secrets": secrets });
    let id = world.post("/v1/connections", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/connections/{id}");
    let patch = |body: Value| world.call(&world.operator, Method::PATCH, &path, Some(body));
    let database = json!({ "host": "db.example", "name": "shop", "user": "reader", "port": 3307 });
    patch(json!({ "settings": { "user": "anna", "database": database } })).await.expect(200);
    let change = json!({ "user": null, "database": { "port": null, "tls": false } });
    let changed = patch(json!({ "name": "New", "settings": change })).await.expect(200);
    let database = json!({
        "host": "db.example", "name": "shop", "user": "reader", "port": 3306, "table_prefix": "wp_", "tls": false,
    });
    assert_eq!((&changed["name"], &changed["settings"]), (&json!("New"), &json!({ "database": database })));
    assert_eq!(patch(json!({ "provider": "other" })).await.status, 422, "what cannot be changed is refused");
}

#[tokio::test]
async fn a_setting_that_a_provider_does_not_take_is_refused_by_its_name() {
    let world = World::new().await;
    let shop = world.shop().await;
    let path = format!("/v1/connections/{}", shop.id);
    let endpoint = world.shared_endpoint("App").await;
    let endpoint = format!("/v1/endpoints/{}", endpoint.id);
    for (path, settings, field) in [
        (&path, json!({ "rate_per_minutes": 60 }), "settings.rate_per_minutes"),
        (&path, json!({ "site": "https://shop.example" }), "settings.site"),
        (&path, json!({ "mode": "webhook" }), "settings.mode"),
        (&endpoint, json!({ "user": "anna" }), "settings.user"),
    ] {
        let patch = json!({ "settings": settings });
        let refused = world.call(&world.operator, Method::PATCH, path, Some(patch)).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field);
    }
}

/// A request that makes a connection, and has the same key each time.
fn made_once(world: &World) -> http::Request<bytes::Bytes> {
    http::Request::post("/v1/connections")
        .header("authorization", format!("Bearer {}", world.operator))
        .header("idempotency-key", "once")
        .body(json!({ "provider": "shopify", "secrets": { "client_secret": "s" } }).to_string().into())
        .unwrap()
}

#[tokio::test]
async fn an_idempotency_key_makes_repeating_harmless() {
    let world = World::new().await;
    let first = world.request(made_once(&world)).await.expect(201);
    let second = world.request(made_once(&world)).await.expect(201);
    assert_eq!(first, second);
    assert_eq!(world.get("/v1/connections").await.json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_not_right_is_said_field_by_field() {
    let world = World::new().await;
    let cases = [
        (json!({ "provider": "shoplift", "secrets": {} }), "provider"),
        (json!({ "provider": "shopify", "secrets": {} }), "secrets.client_secret"),
        (json!({ "provider": "shopify", "secrets": { "password": "x" } }), "secrets.password"),
        (json!({ "provider": "shopify", "secrets": { "client_secret": "" } }), "secrets.client_secret"),
        (json!({ "provider": "shopify", "secrets": { "client_secret": " x" } }), "secrets.client_secret"),
        (json!({ "provider": "shopify", "secrets": { "client_secret": [] } }), "secrets.client_secret"),
        (json!({ "provider": "shopify", "account": "a#b", "secrets": { "client_secret": "x" } }), "account"),
        (json!({ "provider": "shopify", "name": " ", "secrets": { "client_secret": "x" } }), "name"),
        (json!({ "provider": "shopify", "endpoint": "x", "account": "a" }), "endpoint"),
        (json!({ "provider": "shopify", "unknown": 1 }), "unknown"),
        (json!({ "provider": 1 }), "provider"),
        (json!({ "provider": "shopify", "secrets": { "client_secret": 1 } }), "secrets.client_secret"),
    ];
    for (body, field) in cases {
        let problem = world.post("/v1/connections", body.clone()).await.expect(422);
        assert_eq!(problem["type"], "urn:hooktide:problem:invalid");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    let broken = http::Request::post("/v1/connections")
        .header("authorization", format!("Bearer {}", world.operator))
        .body("{".into())
        .unwrap();
    assert_eq!(world.request(broken).await.expect(400)["type"], "urn:hooktide:problem:bad-request");
    assert_eq!(world.get("/v1/nothing").await.expect(404)["type"], "urn:hooktide:problem:not-found");
    assert_eq!(world.call(&world.operator, Method::PUT, "/v1/connections", None).await.status, 405);
    assert_eq!(world.get("/v1/changes?limit=0").await.expect(422)["errors"][0]["field"], "limit");
    assert_eq!(world.get("/v1/changes?after=x").await.expect(422)["errors"][0]["field"], "after");
    assert_eq!(world.get("/v1/changes?kind=x").await.expect(422)["errors"][0]["field"], "kind");
    for limit in ["-1", "abc", "1.5", "99999999999999999999", ""] {
        for list in ["changes", "activity", "connections", "resources", "subscriptions", "dead-letters", "busy"] {
            let problem = world.get(&format!("/v1/{list}?limit={limit}")).await.expect(422);
            let error = &problem["errors"][0];
            assert_eq!(error["field"], "limit", "{list} {limit}: {problem}");
            assert!(error["detail"].as_str().unwrap().contains("whole number"), "{list} {limit}: {problem}");
        }
    }
}

#[tokio::test]
async fn an_address_that_can_never_be_called_is_refused_by_its_name() {
    let world = World::new().await;
    let new = |provider: &str, name: &str, address: &str| {
        let provider = hooktide_providers::by_id(provider).unwrap();
        hooktide_tests::simulated::connection(provider, &json!({ name: address }))
    };
    for (provider, name, address, says) in [
        ("caldav", "url", "https://10.0.0.7/dav/", "HOOKTIDE_PRIVATE_HOSTS"),
        ("caldav", "url", "https://anna:secret@dav.example.com/", "leave them out"),
        ("caldav", "url", "http://dav.example.com/", "https://"),
        ("ics", "url", "webcal://", "no host"),
        ("ics", "url", "ftp://calendar.example.com/a.ics", "webcal://"),
        ("ics", "url", "https://calendar.example.com:0/a.ics", "port 0"),
        ("woocommerce", "site", "https://[::1]/", "[::1]:443"),
        ("woocommerce", "site", "https://localhost:8443", "localhost:8443"),
    ] {
        let problem = world.post("/v1/connections", new(provider, name, address)).await.expect(422);
        let error = &problem["errors"][0];
        assert_eq!(error["field"], format!("settings.{name}"), "{address}: {problem}");
        assert!(error["detail"].as_str().unwrap().contains(says), "{address}: {problem}");
        assert!(!problem.to_string().contains("secret@"), "{problem}");
    }
    let made = world.post("/v1/connections", new("caldav", "url", "https://dav.example.com/")).await.expect(201);
    let path = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    let change = Some(json!({ "settings": { "url": "https://192.168.1.7/" } }));
    let problem = world.call(&world.operator, Method::PATCH, &path, change).await.expect(422);
    assert_eq!(problem["errors"][0]["field"], "settings.url");
    assert_eq!(world.get(&path).await.expect(200)["settings"]["url"], "https://dav.example.com/");
}

#[tokio::test]
async fn lists_are_paged_without_gaps_or_repeats() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(world.shop().await.id);
    }
    let mut listed = Vec::new();
    let mut path = "/v1/connections?limit=3".to_owned();
    loop {
        let page = world.get(&path).await.expect(200);
        listed.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/connections?limit=3&after={next}");
    }
    made.sort();
    assert_eq!(listed, made);
}

#[tokio::test]
async fn deleting_a_connection_stops_it_at_once_erases_its_things_and_keeps_the_journal() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update_each(&shop, 0..40).await;
    let changes = world.changes().await;
    let path = format!("/v1/connections/{}", shop.id);
    let answer = world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
    assert_eq!(
        answer,
        json!({ "erased": { "connections": 1, "secrets": 1, "entities": 40, "documents": 40 }, "ending": 0, "remaining": false })
    );
    assert_eq!(world.get(&path).await.status, 404);
    let kept = world.changes().await;
    assert_eq!(kept.len(), changes.len());
    assert!(kept.iter().all(|change| change["document"].is_null()), "documents are erased");
    assert_eq!(world.update(&shop, 1).await.status, 404, "its address takes nothing more");
    assert_eq!(world.changes().await.len(), 40);
}

#[tokio::test]
async fn an_endpoint_is_deleted_only_when_no_connection_uses_it() {
    let world = World::new().await;
    let body = json!({ "provider": "shopify", "name": "App", "secrets": { "client_secret": "s" } });
    let endpoint = world.post("/v1/endpoints", body).await.expect(201);
    let id = endpoint["id"].as_str().unwrap();
    let connection = json!({ "provider": "shopify", "account": "a.myshopify.com", "endpoint": id });
    let made = world.post("/v1/connections", connection.clone()).await.expect(201);
    assert_eq!(made["webhook_url"], endpoint["webhook_url"]);
    assert_eq!(world.post("/v1/connections", connection).await.status, 409, "each account once");
    let path = format!("/v1/endpoints/{id}");
    assert_eq!(world.call(&world.operator, Method::DELETE, &path, None).await.status, 409);
    let connection = format!("/v1/connections/{}", made["id"].as_str().unwrap());
    world.call(&world.operator, Method::DELETE, &connection, None).await.expect(200);
    let erased = world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
    assert_eq!(erased, json!({ "erased": { "endpoints": 1, "secrets": 1 } }));
    assert_eq!(world.get("/v1/endpoints").await.json()["items"], json!([]));
}

#[tokio::test]
async fn samples_are_signed_as_the_provider_does_and_old_ones_are_stale() {
    let world = World::new().await;
    let shop = world.shop().await;
    let send = async |body: Value| {
        let sample = world.post("/test/events/shopify/products%2Fupdate", body).await.expect(200);
        let mut request = http::Request::post(sample["url"].as_str().unwrap());
        for (name, value) in sample["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let body = data_encoding::BASE64.decode(sample["body_base64"].as_str().unwrap().as_bytes()).unwrap();
        let answer = world.request(request.body(body.into()).unwrap()).await;
        world.clock.advance(Duration::from_secs(1));
        world.tick().await;
        answer.status.as_u16()
    };
    assert_eq!(send(json!({})).await, 200);
    assert_eq!(send(json!({ "old": true })).await, 200);
    assert_eq!(send(json!({ "connection": shop.id, "number": 2 })).await, 200);
    assert_eq!(world.outcomes().await, ["processed", "stale", "processed"]);
    world.shop().await;
    let problem = world.post("/test/events/shopify/products%2Fupdate", json!({})).await.expect(422);
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(&shop.id), "{problem}");
}

#[tokio::test]
async fn an_endpoint_takes_connections_of_the_tenants_that_its_owner_named() {
    let world = World::new().await;
    let endpoint = async |tenants: Value| {
        let body = json!({ "provider": "shopify", "secrets": { "client_secret": "s" }, "tenants": tenants });
        world.post("/v1/endpoints", body).await.expect(201)["id"].clone()
    };
    let closed = endpoint(json!([])).await;
    let (open, named, others) =
        (endpoint(json!(["*"])).await, endpoint(json!(["b"])).await, endpoint(json!(["c"])).await);
    let token = world.token("b", &[hooktide_model::names::Scope::Operate]).await;
    for (id, status) in [(&open, 201), (&named, 201), (&others, 422), (&closed, 422)] {
        let body = json!({ "provider": "shopify", "account": "b.myshopify.com", "endpoint": id });
        assert_eq!(world.call(&token, Method::POST, "/v1/connections", Some(body)).await.status, status);
    }
    let own = json!({ "provider": "shopify", "account": "own.myshopify.com", "endpoint": closed });
    assert_eq!(world.post("/v1/connections", own).await.status, 201, "its owner always may");
}

#[tokio::test]
async fn a_connection_that_was_deleted_can_be_made_again_with_the_same_key() {
    let world = World::new().await;
    let id = world.request(made_once(&world)).await.expect(201)["id"].clone();
    let path = format!("/v1/connections/{}", id.as_str().unwrap());
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
    // What is left of it is being erased, which must not meet the new one.
    world.request(made_once(&world)).await.expect(409);
    world.after(hooktide_flows::erase::SETTLES).await;
    assert_eq!(world.request(made_once(&world)).await.expect(201)["id"], id);
}

#[tokio::test]
async fn a_deletion_that_is_repeated_does_not_cut_off_who_connected_the_account_since() {
    let world = World::new().await;
    let endpoint = json!({ "provider": "shopify", "secrets": { "client_secret": hooktide_tests::world::SECRET } });
    let endpoint = world.post("/v1/endpoints", endpoint).await.expect(201)["id"].clone();
    let body = json!({ "provider": "shopify", "account": "a.myshopify.com", "endpoint": endpoint });
    let first = world.shop_with(body.clone()).await;
    // The route goes, as if the first deletion was cut off there.
    let route = hooktide_store::records::endpoint::route_key("shopify", endpoint.as_str().unwrap(), "a.myshopify.com");
    let table = &world.host.ports.table;
    table.write(hooktide_store::ports::Write::Delete { key: route, condition: None }).await.unwrap();
    let second = world.shop_with(body).await;
    let path = format!("/v1/connections/{}", first.id);
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
    world.update(&second, 1).await;
    assert_eq!(world.changes().await.len(), 1);
}
