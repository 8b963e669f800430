//! What a connection leaves when it goes while its deliveries are being processed.

use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::process::Processor;
use hooktide_flows::{Ports, erase};
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Query, QueueName, Range};
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::job::{self, Mark};
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::{Shop, World};
use http::Method;
use serde_json::{Value, json};

/// How many items of the table are about a connection, but for its record.
async fn left_of(world: &World, shop: &Shop) -> usize {
    let tenant = Tenant::default_local();
    let tags: Vec<String> = Kind::ALL.iter().map(|kind| format!("{kind}/{}/*", shop.id)).collect();
    let entities = (0..ENTITY_SHARDS).map(|shard| Partition::of(&tenant, Area::Entities(&shop.id, shard)));
    let tags = tags.iter().map(|tag| Partition::of(&tenant, Area::Tag(tag)));
    let mut count = 0;
    for partition in entities.chain(tags).chain([Partition::of(&tenant, Area::Jobs)]) {
        let query = Query { partition, range: Range::All, descending: false, limit: 100 };
        count += world.host.ports.table.query(&query).await.expect("items").items.len();
    }
    count
}

async fn delete(world: &World, shop: &Shop) -> Value {
    world.call(&world.operator, Method::DELETE, &format!("/v1/connections/{}", shop.id), None).await.expect(200)
}

/// Processes products and a hint, and does something while their commit is under way.
async fn amid_a_commit(world: &World, shop: &Shop, act: impl Future<Output = ()>) {
    for number in 0..3 {
        world.request(world.sample(shop, "products/update", number, world.now())).await.expect(200);
    }
    world.request(world.sample(shop, "inventory_levels/update", 1, world.now())).await.expect(200);
    let batch = world.take_messages(QueueName::Notices).await;
    let slow = Arc::new(FaultyTable::new(Arc::clone(&world.host.ports.table), Arc::default()));
    let ports = Ports { table: Arc::clone(&slow) as Arc<_>, ..world.host.ports.clone() };
    let processor = Processor::new(ports, world.host.settings.clone());
    slow.hold_transactions();
    let act = async {
        act.await;
        slow.let_through();
    };
    let (failed, ()) = futures::join!(processor.process(batch, world.now()), act);
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test]
async fn a_commit_under_way_leaves_nothing_of_a_deleted_connection_behind() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    amid_a_commit(&world, &shop, async {
        assert_eq!(delete(&world, &shop).await["erased"]["connections"], 1);
    })
    .await;
    let path = format!("/v1/connections/{}", shop.id);
    assert!(left_of(&world, &shop).await > 1, "the commit came after the look");
    world.get(&path).await.expect(404);
    assert_eq!(world.get("/v1/connections").await.expect(200)["items"], json!([]));
    assert!(world.after(erase::SETTLES).await >= 1, "the job looks again");
    world.after(erase::SETTLES).await;
    assert_eq!(left_of(&world, &shop).await, 0, "nor is there a mark of the job");
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(404);
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn marks_are_erased_in_as_many_passes_as_it_takes_whatever_other_connections_have() {
    let world = World::new().await;
    let (shop, tenant) = (world.shop().await, Tenant::default_local());
    let (ports, now) = (&world.host.ports, world.now());
    let mark = async |resource: String| {
        let mark = Mark::asked(&tenant, JobKind::SYNC, &resource, now, now);
        ports.table.write(job::store(None, &mark).unwrap()).await.unwrap();
    };
    for number in 0..120 {
        for resource in ["catalog", "products", "stock"] {
            // Some sort before its own, some behind, and some are of a connection whose id begins as its own does.
            mark(format!("{resource}/0-another/{number}")).await;
            mark(format!("{resource}/{}x/{number}", shop.id)).await;
            mark(format!("{resource}/{}/{number}", shop.id)).await;
        }
        mark(format!("orders/another/{number}")).await;
    }
    for resource in ["catalog", "stock"] {
        mark(format!("{resource}/{}", shop.id)).await;
    }
    let stored = records::get::<Connection>(&*ports.table, &connection::key(&tenant, &shop.id)).await.unwrap();
    let (connection, mut erased, mut passes) = (stored.unwrap().record, erase::ErasedCounts::default(), 1);
    while !erase::whole(ports, &tenant, &connection, 150, &mut erased).await.unwrap() {
        passes += 1;
    }
    let left = records::list_all::<Mark>(&*ports.table, Partition::of(&tenant, Area::Jobs), "", 10_000).await.unwrap();
    let own = left.iter().filter(|(_, mark)| mark.record.connection() == Some(&shop.id)).count();
    assert_eq!((own, left.len(), passes), (0, 7 * 120, 2), "{erased:?}");
}

#[tokio::test]
async fn a_deletion_can_be_repeated_while_the_job_goes_on_and_survives_that_its_message_is_lost() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    world.update(&Shop { account: "another.myshopify.com".into(), ..shop.clone() }, 2).await;
    assert_eq!(world.held(&shop).await.len(), 1);
    assert_eq!(delete(&world, &shop).await["erased"]["entities"], 1);
    assert_eq!(world.held(&shop).await.len(), 0, "what it held for other accounts is nobody's any more");
    assert_eq!(
        delete(&world, &shop).await,
        json!({
            "erased": { "connections": 0, "secrets": 0, "entities": 0, "documents": 0 }, "ending": 0, "remaining": false
        })
    );
    // The message that is to start it is lost; the sweep finds the mark.
    world.clock.advance(erase::SETTLES);
    assert_eq!(world.take_messages(QueueName::Jobs).await.len(), 1);
    world.after(Duration::from_secs(61)).await;
    world.host.sweep().await.expect("a sweep");
    world.tick().await;
    assert_eq!(left_of(&world, &shop).await, 0);
    world.call(&world.operator, Method::DELETE, &format!("/v1/connections/{}", shop.id), None).await.expect(404);
}

#[tokio::test]
async fn a_commit_under_way_leaves_nothing_of_a_shop_that_asked_to_be_erased() {
    let world = World::new().await;
    let shop = world.shop().await;
    amid_a_commit(&world, &shop, async {
        world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
        world.tick().await;
    })
    .await;
    let known = async || {
        let mut count = 0;
        for shard in 0..ENTITY_SHARDS {
            let partition = Partition::of(&Tenant::default_local(), Area::Entities(&shop.id, shard));
            let query = Query { partition, range: Range::All, descending: false, limit: 100 };
            count += world.host.ports.table.query(&query).await.expect("items").items.len();
        }
        count
    };
    let record = async || world.get("/v1/privacy-requests").await.expect(200)["items"][0].clone();
    assert!(known().await > 0 && record().await["done_at"].is_null(), "the commit came after the look");
    world.after(erase::SETTLES).await;
    assert_eq!(known().await, 0);
    let done = record().await;
    assert!(done["done_at"].is_string() && done["entities"] == json!(3), "{done}");
}
