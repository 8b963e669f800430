//! Endpoints whose record is absent, as after a table was restored: what was acknowledged is kept until it is back.

use std::time::Duration;

use hooktide_store::ports::{Item, Outgoing, QueueName, Write, send_one};
use hooktide_store::records::endpoint;
use hooktide_tests::world::{Answer, Shop, World};
use http::{Method, Request};
use serde_json::{Value, json};

/// Takes the record of a shop's endpoint away, as a table that was restored to an earlier time would.
async fn lose(world: &World, shop: &Shop) -> Item {
    let (table, key) = (&world.host.ports.table, endpoint::key("shopify", &shop.id));
    let item = table.get(&key).await.expect("a read").expect("a record");
    table.write(Write::Delete { key, condition: None }).await.expect("a write");
    item
}

async fn bring_back(world: &World, item: Item) {
    world.host.ports.table.write(Write::Put { item, condition: None }).await.expect("a write");
}

async fn as_system(world: &World, method: Method, path: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {}", world.operator));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.request(request.header("hooktide-tenant", "system").body(body.into()).expect("a request")).await
}

/// Does what a replay sends at its rate.
async fn settle(world: &World) {
    for _ in 0..3 {
        world.after(Duration::from_secs(1)).await;
    }
}

async fn letters(answer: Answer) -> Vec<Value> {
    answer.expect(200)["items"].as_array().expect("items").clone()
}

#[tokio::test]
async fn what_comes_for_an_absent_endpoint_is_kept_and_processed_once_it_is_back() {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in 0..3 {
        world.request(world.sample(&shop, "products/update", number, world.now())).await.expect(200);
    }
    let record = lose(&world, &shop).await;
    assert_eq!(world.tick().await, 3);
    assert_eq!(world.outcomes().await, ["dead"; 3], "its tenant is told");
    let kept = letters(world.get("/v1/dead-letters?class=endpoint-missing").await).await;
    assert_eq!(kept.len(), 3);
    assert_eq!((&kept[0]["endpoint"], &kept[0]["topic"]), (&json!(shop.id), &json!("products/update")));
    assert!(kept[0]["reason"].as_str().expect("a reason").contains("replay"), "it says what to do: {}", kept[0]);

    let replay = json!({ "filter": { "class": "endpoint-missing" }, "rate_per_second": 1000 });
    world.post("/v1/dead-letters/replay", replay.clone()).await.expect(202);
    settle(&world).await;
    assert_eq!(
        letters(world.get("/v1/dead-letters").await).await.len(),
        3,
        "it is still absent, so all are kept again"
    );

    bring_back(&world, record).await;
    world.post("/v1/dead-letters/replay", replay).await.expect(202);
    settle(&world).await;
    assert_eq!(world.changes().await.len(), 3);
    assert!(letters(world.get("/v1/dead-letters").await).await.is_empty());
}

/// A message of the code before names no tenant.
#[tokio::test]
async fn what_comes_for_an_absent_endpoint_of_nobody_knows_whom_is_filed_with_the_system() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
    let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
    let mut message: Value = serde_json::from_str(&message.body).expect("JSON");
    message.as_object_mut().expect("an object").remove("tenant").expect("the tenant that the receiver knew");
    let record = lose(&world, &shop).await;
    let body = message.to_string();
    let message = Outgoing { queue: QueueName::Notices, body, delay: Duration::ZERO, group: shop.id.clone() };
    send_one(&*world.host.ports.queue, message).await.expect("a message is sent");
    world.tick().await;
    assert!(letters(world.get("/v1/dead-letters").await).await.is_empty());
    let kept = letters(as_system(&world, Method::GET, "/v1/dead-letters", Value::Null).await).await;
    assert_eq!((kept.len(), &kept[0]["class"]), (1, &json!("endpoint-missing")));
    bring_back(&world, record).await;
    as_system(&world, Method::POST, "/v1/dead-letters/replay", json!({})).await.expect(202);
    settle(&world).await;
    assert_eq!(world.changes().await.len(), 1, "with its own tenant");
}

#[tokio::test]
async fn what_was_kept_while_an_endpoint_was_absent_is_erased_with_its_shop() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
    let record = lose(&world, &shop).await;
    world.tick().await;
    bring_back(&world, record).await;
    assert_eq!(letters(world.get("/v1/dead-letters").await).await.len(), 1);
    world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    assert!(letters(world.get("/v1/dead-letters").await).await.is_empty());
}
