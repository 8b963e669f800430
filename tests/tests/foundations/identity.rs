//! Identity: an unsigned id can widen what is new, never suppress it; a tie ends the same in any order.

use hooktide_tests::bodies;
use hooktide_tests::world::World;
use http::HeaderValue;

#[tokio::test]
async fn another_body_under_the_same_unsigned_id_is_new() {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in [1, 2] {
        let mut request = world.sample(&shop, "products/update", number, world.now());
        request.headers_mut().insert("x-shopify-webhook-id", HeaderValue::from_static("the-same"));
        world.request(request).await;
    }
    world.tick().await;
    assert_eq!(world.changes().await.len(), 2);
    assert_eq!(world.outcomes().await, ["processed", "processed"]);
}

#[tokio::test]
async fn of_two_states_with_one_version_the_same_one_stands_in_either_order() {
    let mut standing = Vec::new();
    for titles in [["one", "other"], ["other", "one"]] {
        let world = World::new().await;
        let shop = world.shop().await;
        let version = world.now();
        for title in titles {
            let body = bodies::product(1, version, title).to_string();
            world.request(world.signed(&shop, "products/update", body)).await;
            world.tick().await;
            world.clock.advance(std::time::Duration::from_millis(1));
        }
        let last = world.changes().await.pop().expect("a change");
        standing.push(last["document"]["title"].as_str().expect("a title").to_owned());
    }
    assert_eq!(standing[0], standing[1]);
}
