//! Identity: an unsigned id can widen what is new, never suppress it; a tie ends the same in any order.

use std::time::Duration;

use hooktide_store::ports::QueueName;
use hooktide_tests::bodies;
use hooktide_tests::world::World;

#[tokio::test]
async fn another_body_under_the_same_unsigned_id_is_new() {
    let world = World::new().await;
    let shop = world.shop().await;
    let first = world.sample(&shop, "products/update", 1, world.now());
    world.request(first.clone()).await;
    world.tick().await;
    let id = &first.headers()["x-shopify-webhook-id"];
    for number in [1, 2] {
        world.clock.advance(Duration::from_secs(1));
        let mut other = world.sample(&shop, "products/update", number, world.now());
        other.headers_mut().insert("x-shopify-webhook-id", id.clone());
        world.request(other).await;
        world.tick().await;
    }
    let mut made_up = first;
    made_up.headers_mut().insert("x-shopify-webhook-id", "made-up".parse().expect("a value"));
    world.clock.advance(Duration::from_secs(1));
    world.request(made_up).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed", "processed", "processed", "stale"]);
    assert_eq!(world.changes().await.len(), 3);
}

#[tokio::test]
async fn a_tie_ends_in_the_same_state_in_any_order_and_any_batches() {
    let mut ends = Vec::new();
    for order in [["one", "two", "three"], ["three", "two", "one"], ["two", "three", "one"]] {
        for together in [true, false] {
            let world = World::new().await;
            let shop = world.shop().await;
            let updated_at = world.now();
            for title in order {
                let body = bodies::product(1, updated_at, title).to_string();
                world.request(world.signed(&shop, "products/update", body)).await;
            }
            // All were told within one millisecond, so that nobody knows which was last.
            let messages = world.take_messages(QueueName::Notices).await;
            for batch in messages.chunks(if together { 3 } else { 1 }) {
                assert!(world.host.processor.process(batch.to_vec(), world.now()).await.is_empty());
            }
            let changes = world.changes().await;
            let told = changes.iter().filter_map(|change| change["document"]["title"].as_str());
            ends.extend(told.map(str::to_owned));
        }
    }
    assert_eq!(ends.len(), 6, "of each run only what stands has its document: {ends:?}");
    ends.dedup();
    assert_eq!(ends.len(), 1, "{ends:?}");
}
