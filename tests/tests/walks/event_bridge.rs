//! Shopify's second door: Amazon EventBridge, whose rule vouches for what comes.

use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Outgoing, QueueName, send_one};
use hooktide_store::records;
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_tests::world::{Shop, World};
use serde_json::{Value, json};

/// What the template's rule puts on the queue.
async fn through_the_rule(world: &World, shop: &Shop, event_id: &str, topic: &str, payload: Value) {
    let event = json!({
        "version": "0",
        "id": event_id,
        "detail-type": "shopifyWebhook",
        "source": "aws.partner/shopify.com/1234/hooktide",
        "time": world.now(),
        "detail": {
            "payload": payload,
            "metadata": {
                "Content-Type": "application/json",
                "X-Shopify-Topic": topic,
                "X-Shopify-Shop-Domain": shop.account,
                "X-Shopify-Webhook-Id": format!("webhook-{event_id}"),
            },
        },
    });
    let body = json!({ "provider": "shopify", "endpoint": shop.id, "event": event }).to_string();
    let message = Outgoing { queue: QueueName::Notices, body, delay: Default::default(), group: "rule".into() };
    send_one(&*world.host.ports.queue, message).await.unwrap();
}

#[tokio::test]
async fn an_event_of_eventbridge_becomes_the_change_that_the_webhook_would() {
    let (one, other) = (World::new().await, World::new().await);
    let (shop, same) = (one.shop().await, other.shop().await);
    let request = one.sample(&shop, "products/update", 1, one.now());
    let payload: Value = serde_json::from_slice(request.body()).unwrap();
    one.request(request).await.expect(200);
    through_the_rule(&other, &same, "a", "products/update", payload).await;
    let mut changes = Vec::new();
    for world in [&one, &other] {
        world.tick().await;
        let mut change = world.changes().await.remove(0);
        for own in ["id", "trace", "processed_at", "received_at"] {
            change.as_object_mut().unwrap().remove(own);
        }
        changes.push(change);
    }
    assert_eq!(changes[0], changes[1]);
    let told = &other.activity().await[0];
    assert_eq!((&told["outcome"], &told["verified_with"]), (&json!("processed"), &Value::Null));
}

/// A shop, and what an update of its product says.
async fn with_payload() -> (World, Shop, Value) {
    let world = World::new().await;
    let shop = world.shop().await;
    let body = world.sample(&shop, "products/update", 1, world.now()).into_body();
    (world, shop, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn an_event_that_comes_twice_changes_once_and_a_stub_is_fetched() {
    let (world, shop, payload) = with_payload().await;
    through_the_rule(&world, &shop, "a", "products/update", payload.clone()).await;
    world.tick().await;
    through_the_rule(&world, &shop, "a", "products/update", payload).await;
    world.tick().await;
    assert_eq!(world.changes().await.len(), 1);
    // What is larger than a megabyte comes as its id alone; over HTTP the same would be no product.
    through_the_rule(&world, &shop, "b", "products/update", json!({ "id": 7 })).await;
    world.request(world.signed(&shop, "products/update", r#"{"id":7}"#)).await.expect(200);
    world.tick().await;
    let mut told: Vec<String> = world.activity().await.iter().map(|entry| entry["outcome"].to_string()).collect();
    told.sort();
    assert_eq!(told, ["\"ignored\"", "\"processed\"", "\"waiting\""]);
}

#[tokio::test]
async fn what_the_rule_did_not_make_is_a_dead_letter() {
    let world = World::new().await;
    let shop = world.shop().await;
    for event in [json!({ "id": "x", "detail-type": "other" }), json!({ "detail-type": "shopifyWebhook" }), json!(1)] {
        let body = json!({ "provider": "shopify", "endpoint": shop.id, "event": event }).to_string();
        let message = Outgoing { queue: QueueName::Notices, body, delay: Default::default(), group: "rule".into() };
        send_one(&*world.host.ports.queue, message).await.unwrap();
    }
    world.tick().await;
    assert!(world.activity().await.is_empty());
    world.idle().await.unwrap();
    assert_eq!(dead(&world, &Tenant::system()).await.len(), 3, "the operator finds them");
}

#[tokio::test]
async fn an_event_that_the_queue_gave_up_on_is_a_dead_letter_of_its_shop() {
    let (world, shop, payload) = with_payload().await;
    through_the_rule(&world, &shop, "a", "products/update", payload).await;
    let messages = world.take_messages(QueueName::Notices).await;
    assert!(world.give_up(messages).await.is_empty());
    let [letter] = &dead(&world, &Tenant::default_local()).await[..] else { panic!("one letter") };
    assert_eq!((letter.provider.as_deref(), letter.connection.as_ref()), (Some("shopify"), Some(&shop.id)));
    world.post("/v1/dead-letters/replay", json!({ "filter": {} })).await.expect(202);
    world.tick().await;
    assert_eq!(world.changes().await.len(), 1);
}

async fn dead(world: &World, tenant: &Tenant) -> Vec<DeadLetter> {
    let partition = Partition::of(tenant, Area::DeadLetters);
    let letters = records::list_all(&*world.host.ports.table, partition, "", 100).await.unwrap();
    letters.into_iter().map(|(_, stored)| stored.record).collect()
}
