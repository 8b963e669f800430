//! What is recorded and not done yet can be listed.

use hooktide_model::names::Scope;
use hooktide_tests::world::{Shop, World};
use http::Method;
use serde_json::{Value, json};

/// All that waits, read in pages.
async fn waiting(world: &World, token: &str, query: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.call(token, Method::GET, &format!("/v1/waiting?{query}{after}"), None).await.expect(200);
        all.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return all };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn what_waits_is_listed_jobs_and_held_deliveries_by_account() {
    let world = World::new().await;
    let (shop, app) = (world.shop().await, world.shared_endpoint("app").await);
    let began = world.now();
    assert_eq!(waiting(&world, &world.operator, "").await, Vec::<Value>::new());
    for number in 1..=2 {
        world.request(world.sample(&shop, "inventory_levels/update", number, world.now())).await.expect(200);
        for account in ["b.myshopify.com", "a.myshopify.com"] {
            let of = Shop { account: account.into(), ..app.clone() };
            world.request(world.sample(&of, "products/update", number, world.now())).await.expect(200);
        }
    }
    let foreign = Shop { account: "c.myshopify.com".into(), ..shop.clone() };
    world.request(world.sample(&foreign, "products/update", 1, world.now())).await.expect(200);
    world.tick().await;
    let anna = world.token("anna", &[Scope::Operate]).await;
    let body = json!({ "provider": "shopify", "account": "b.myshopify.com", "endpoint": app.id });
    world.call(&anna, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    let all = waiting(&world, &world.operator, "").await;
    let [sync, a, b, own] = &all[..] else { panic!("{all:?}") };
    let resource = sync["resource"].as_str().unwrap();
    assert!(resource.ends_with(&format!("/{}", shop.id)), "{resource}");
    assert_eq!((&sync["kind"], &sync["connection"], &sync["hints"]), (&json!("sync"), &json!(shop.id), &json!(2)));
    assert_eq!((&sync["since"], sync["due"].is_string()), (&json!(began), true));
    for (held, account, tenant) in [(a, "a.myshopify.com", Value::Null), (b, "b.myshopify.com", json!("anna"))] {
        assert_eq!((&held["kind"], &held["account"], &held["tenant"]), (&json!("held"), &json!(account), &tenant));
        assert_eq!((&held["hints"], &held["endpoint"], &held["since"]), (&json!(2), &json!(app.id), &json!(began)));
    }
    assert_eq!(
        (&own["account"], &own["connection"]),
        (&json!("c.myshopify.com"), &json!(shop.id)),
        "an account of the app"
    );
    let of_one = waiting(&world, &world.operator, &format!("connection={}", shop.id)).await;
    assert_eq!(of_one, [sync.clone(), own.clone()]);
    assert_eq!(waiting(&world, &world.operator, "connection=other").await, Vec::<Value>::new());
    assert_eq!(waiting(&world, &anna, "").await, Vec::<Value>::new(), "what is held is the owner's to see");
}

#[tokio::test]
async fn a_long_list_of_what_waits_is_paged_without_gaps_or_repeats() {
    let world = World::new().await;
    let (first, second) = (world.shared_endpoint("first").await, world.shared_endpoint("second").await);
    let (mut expected, mut own) = (Vec::new(), Vec::new());
    for number in 0..25 {
        for app in [&first, &second] {
            let account = format!("shop-{number:02}.myshopify.com");
            world
                .request(world.sample(
                    &Shop { account: account.clone(), ..app.clone() },
                    "products/update",
                    1,
                    world.now(),
                ))
                .await;
            expected.push((app.id.clone(), account));
        }
        let shop = world.shop().await;
        world.request(world.sample(&shop, "inventory_levels/update", 1, world.now())).await;
        for account in ["one.myshopify.com", "two.myshopify.com"] {
            let of = Shop { account: account.into(), ..shop.clone() };
            world.request(world.sample(&of, "products/update", 1, world.now())).await;
            own.push((shop.id.clone(), account.to_owned()));
        }
    }
    world.tick().await;
    expected.sort();
    own.sort();
    expected.extend(own);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    for query in ["limit=1", "limit=7", "limit=25", "limit=1000"] {
        let all = waiting(&world, &world.operator, query).await;
        assert_eq!(all.iter().filter(|item| item["kind"] == "sync").count(), 25, "{query}");
        let held = all.iter().filter(|item| item["kind"] == "held");
        let held: Vec<_> = held.map(|item| (text(item, "endpoint"), text(item, "account"))).collect();
        assert_eq!(held, expected, "{query}");
    }
}
