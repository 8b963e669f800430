//! Versions: records of this version and the one before are read; a newer one waits, and is never lost.

use std::time::Duration;

use hooktide_core::fault::Fault;
use hooktide_core::ports::{AttributeValue, Item, Table, Write};
use hooktide_core::records::connection::{self, Connection};
use hooktide_core::records::endpoint::{self, Endpoint};
use hooktide_core::records::{self, Stored};
use hooktide_core::tenant::Tenant;
use hooktide_tests::world::World;

async fn rewrite(table: &dyn Table, key: &hooktide_core::ports::Key, version: u32) {
    let mut item: Item = table.get(key).await.unwrap().expect("the record");
    item.inner_mut().insert("v".into(), AttributeValue::N(version.to_string()));
    table.write(Write::Put { item, condition: None }).await.expect("a write");
}

#[tokio::test]
async fn a_record_of_the_version_before_is_read_and_a_newer_one_is_for_later() {
    let world = World::new().await;
    let shop = world.shop().await;
    let table = &*world.host.ports.table;
    let key = connection::key(&Tenant::default_local(), &shop.id);
    let read = async || records::get::<Connection>(table, &key).await;
    let current: Stored<Connection> = read().await.unwrap().expect("the connection");
    rewrite(table, &key, 0).await;
    assert_eq!(read().await.unwrap().map(|stored| stored.record), Some(current.record));
    rewrite(table, &key, 2).await;
    assert!(matches!(read().await, Err(Fault::Retryable { .. })), "never failed, never dead");
    assert_eq!(world.get(&format!("/v1/connections/{}", shop.id)).await.status, 503);
}

#[tokio::test]
async fn a_delivery_whose_endpoint_was_written_by_newer_code_waits_until_that_runs_and_uses_no_try() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    let key = endpoint::key("shopify", &shop.id);
    let table = &*world.host.ports.table;
    assert!(records::get::<Endpoint>(table, &key).await.unwrap().is_some());
    rewrite(table, &key, 2).await;
    for _ in 0..10 {
        world.after(Duration::from_secs(900)).await;
    }
    assert!(world.changes().await.is_empty());
    assert!(world.get("/v1/dead-letters").await.expect(200)["items"].as_array().unwrap().is_empty());
    rewrite(table, &key, 1).await;
    world.after(Duration::from_secs(900)).await;
    assert_eq!(world.changes().await.len(), 1);
}
