//! Dead letters: listed, filtered, shown, discarded.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::bodies::noise;
use hooktide_tests::world::{Shop, World};
use http::Method;
use serde_json::{Value, json};

async fn list(world: &World, query: &str) -> (Vec<Value>, Option<String>) {
    let page = world.get(&format!("/v1/dead-letters?{query}")).await.expect(200);
    let next = page["next"].as_str().map(str::to_owned);
    (page["items"].as_array().cloned().unwrap_or_default(), next)
}

async fn ids(world: &World, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let (items, next) = list(world, &format!("{query}{after}")).await;
        found.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        let Some(next) = next else { return found };
        after = format!("&after={next}");
    }
}

/// A shop, with as many unreadable deliveries of each topic, a second apart.
async fn shop_with_letters(world: &World, account: &str, topics: &[&str]) -> Shop {
    let shop = world.shop_with(json!({
        "provider": "shopify", "account": account, "secrets": { "client_secret": "hush-shopify-client-secret" },
    }));
    let shop = shop.await;
    for topic in topics {
        world.clock.advance(Duration::from_secs(1));
        world.request(world.signed(&shop, topic, format!("no JSON at {}", world.now()))).await;
        world.tick().await;
    }
    shop
}

async fn discard(world: &World, id: &str) -> u16 {
    world.call(&world.operator, Method::DELETE, &format!("/v1/dead-letters/{id}"), None).await.status.as_u16()
}

#[tokio::test]
async fn dead_letters_are_listed_newest_first_by_connection_topic_and_class() {
    let world = World::new().await;
    let one = shop_with_letters(&world, "one.myshopify.com", &["products/update", "products/create"]).await;
    let two = shop_with_letters(&world, "two.myshopify.com", &["products/update"]).await;
    world.clock.advance(std::time::Duration::from_millis(1));
    world.request(world.sample(&two, "products/update", 1, world.now())).await;
    let messages = world.take_messages(hooktide_store::ports::QueueName::Notices).await;
    assert!(world.give_up(messages).await.is_empty());
    let (all, _) = list(&world, "").await;
    let told: Vec<String> = all
        .iter()
        .map(|letter| {
            format!("{} {} {} {}", letter["connection"], letter["topic"], letter["class"], letter["tries"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("{} products/update queue-gave-up 0", two.id),
            format!("{} products/update unreadable 0", two.id),
            format!("{} products/create unreadable 0", one.id),
            format!("{} products/update unreadable 0", one.id),
        ]
    );
    for (query, expected) in [
        (format!("connection={}", one.id), 2),
        ("topic=products/update".into(), 3),
        ("class=queue-gave-up".into(), 1),
        ("class=unreadable".into(), 3),
        (format!("connection={}&topic=products/update&class=unreadable", two.id), 1),
        ("connection=nobody".into(), 0),
    ] {
        assert_eq!(ids(&world, &query).await.len(), expected, "{query}");
    }
    world.get("/v1/dead-letters?class=surprise").await.expect(422);
    world.get("/v1/dead-letters?limit=0").await.expect(422);
}

#[tokio::test]
async fn pages_hold_each_letter_once() {
    let world = World::new().await;
    let topics = ["products/update", "products/create", "products/update"].repeat(3);
    shop_with_letters(&world, "one.myshopify.com", &topics).await;
    let all = ids(&world, "limit=1000").await;
    assert_eq!(all.len(), 9);
    let update = ids(&world, "limit=1000&topic=products/update").await;
    for limit in 1..=10 {
        assert_eq!(ids(&world, &format!("limit={limit}")).await, all, "pages of {limit}");
        let filtered = ids(&world, &format!("topic=products/update&limit={limit}")).await;
        assert_eq!(filtered, update, "filtered pages of {limit}");
    }
}

#[tokio::test]
async fn a_page_goes_on_after_a_letter_that_was_discarded_meanwhile() {
    let world = World::new().await;
    shop_with_letters(&world, "one.myshopify.com", &["products/update"; 6]).await;
    let all = ids(&world, "limit=1000").await;
    let (_, next) = list(&world, "limit=2").await;
    let next = next.expect("more");
    assert_eq!(discard(&world, &next).await, 204);
    let (page, _) = list(&world, &format!("limit=2&after={next}")).await;
    let page: Vec<&str> = page.iter().filter_map(|letter| letter["id"].as_str()).collect();
    assert_eq!(page, &all[2..4]);
}

#[tokio::test]
async fn a_discarded_letter_is_gone_and_a_foreign_one_is_not_to_be_had() {
    let world = World::new().await;
    shop_with_letters(&world, "one.myshopify.com", &["products/update"]).await;
    let id = ids(&world, "").await.remove(0);
    let path = format!("/v1/dead-letters/{id}");
    let other = world.token("other", &[Scope::Admin]).await;
    world.call(&other, Method::GET, &path, None).await.expect(404);
    world.call(&other, Method::DELETE, &path, None).await.expect(404);
    let reader = world.token("default", &[Scope::Read]).await;
    world.call(&reader, Method::GET, "/v1/dead-letters", None).await.expect(200);
    world.call(&reader, Method::GET, &path, None).await.expect(403);
    world.call(&reader, Method::DELETE, &path, None).await.expect(403);
    assert_eq!(discard(&world, &id).await, 204);
    assert_eq!(discard(&world, &id).await, 404);
    world.get(&path).await.expect(404);
    assert_eq!(ids(&world, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_body_of_a_discarded_letter_goes_with_it_unless_others_may_share_it() {
    for held in [false, true] {
        let world = World::new().await;
        let shop = shop_with_letters(&world, "one.myshopify.com", &[]).await;
        world.request(world.signed(&shop, "products/update", format!("no JSON {}", noise(1, 600_000)))).await;
        world.tick().await;
        if held {
            let stranger = Shop { account: "two.myshopify.com".into(), ..shop.clone() };
            world.request(world.sample(&stranger, "products/update", 1, world.now())).await;
            world.tick().await;
        }
        assert_eq!(world.blobs("kept").await.len(), 1, "the body is too large for its letter");
        let id = ids(&world, "").await.remove(0);
        assert_eq!(discard(&world, &id).await, 204);
        assert_eq!(world.blobs("kept").await.len(), usize::from(held));
    }
}
