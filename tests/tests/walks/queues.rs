//! How much waits in the queues.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

/// The queue of this name, as a reader of the tenant sees it.
async fn queue(world: &World, name: &str) -> Value {
    let token = world.token("default", &[Scope::Read]).await;
    let all = world.call(&token, Method::GET, "/v1/queues", None).await.expect(200);
    let items = all["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["notices", "priority", "jobs", "dead"]
    );
    items.iter().find(|one| one["name"] == name).unwrap().clone()
}

#[tokio::test]
async fn what_waits_is_counted_with_its_age_and_what_was_taken_up_with_its_rate() {
    let world = World::new().await;
    let shop = world.shop().await;
    let none =
        json!({ "name": "notices", "depth": 0, "delayed": 0, "oldest_seconds": null, "in_flight": 0, "rate": 0.0 });
    assert_eq!(queue(&world, "notices").await, none);
    for number in 0..6 {
        world.request(world.sample(&shop, "products/update", number, world.now())).await.expect(200);
    }
    world.clock.advance(Duration::from_secs(7));
    let waiting = queue(&world, "notices").await;
    assert_eq!((&waiting["depth"], &waiting["oldest_seconds"]), (&json!(6), &json!(7)), "{waiting}");
    world.tick().await;
    let done = queue(&world, "notices").await;
    assert_eq!(
        (&done["depth"], &done["oldest_seconds"], &done["rate"]),
        (&json!(0), &Value::Null, &json!(0.1)),
        "{done}"
    );
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(queue(&world, "notices").await, none);
}

#[tokio::test]
async fn what_is_only_held_back_until_it_is_due_is_not_late() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "inventory_levels/update", 1, world.now())).await.expect(200);
    world.tick().await;
    let jobs = queue(&world, "jobs").await;
    assert_eq!(
        (&jobs["depth"], &jobs["delayed"], &jobs["oldest_seconds"]),
        (&json!(0), &json!(1), &Value::Null),
        "{jobs}"
    );
}
