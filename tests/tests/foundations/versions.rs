//! Versions: records of this version and of all before it are read; a newer one waits, and is never lost.

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{AttributeValue, Item, Key, Write};
use hooktide_store::records::authorization::Authorization;
use hooktide_store::records::budget::Budget;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::deferred::Deferred;
use hooktide_store::records::delivery::Delivery;
use hooktide_store::records::document::StoredDocument;
use hooktide_store::records::endpoint::{self, Belonging, Endpoint, LastVerified, Owned, Route};
use hooktide_store::records::entity::{Entity, EntityId};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::known_tenant::KnownTenant;
use hooktide_store::records::mode_switch::ModeSwitch;
use hooktide_store::records::privacy::{self, Done};
use hooktide_store::records::replay::Replay;
use hooktide_store::records::resource::Resource;
use hooktide_store::records::token::Token;
use hooktide_store::records::{self, Record};
use hooktide_tests::faults::Place;
use hooktide_tests::world::{Shop, World};
use serde_json::Value;

use crate::everything::with_everything;

/// Writes another version into a stored item.
async fn set_version(world: &World, key: &Key, version: u32) {
    let table = &*world.host.ports.table;
    let mut item = table.get(key).await.expect("a read").expect("an item");
    item.inner_mut().insert("v".into(), AttributeValue::N(version.to_string()));
    table.write(Write::Put { item, condition: None }).await.expect("a write");
}

async fn send(world: &World, shop: &Shop, topic: &str, number: u64) {
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.request(world.sample(shop, topic, number, world.now())).await.status, 200);
}

/// The key of the state of the product that a change is about.
fn entity_key(shop: &Shop, change: &Value) -> Key {
    let id = change["entity"].as_str().and_then(|entity| entity.rsplit('/').next()).expect("an id").to_owned();
    EntityId { kind: Kind::Product, connection: shop.id.clone(), id }.key(&Tenant::default_local())
}

#[tokio::test]
async fn a_message_waits_where_it_meets_a_record_of_newer_code() {
    let world = World::new().await;
    let shop = world.shop().await;
    for topic in ["products/update", "inventory_levels/update"] {
        send(&world, &shop, topic, 1).await;
    }
    world.tick().await;
    let product = entity_key(&shop, &world.changes().await[0]);
    let mark = job::key(&Tenant::default_local(), &JobKind::SYNC, &format!("stock/{}", shop.id));
    let endpoint = endpoint::key("shopify", &shop.id);
    for (name, version, key, topic) in [
        ("entity", Entity::VERSION, product, "products/update"),
        ("job mark", Mark::VERSION, mark, "inventory_levels/update"),
        ("endpoint", Endpoint::VERSION, endpoint, "products/update"),
    ] {
        let before = world.activity().await.len();
        send(&world, &shop, topic, 1).await;
        set_version(&world, &key, version + 1).await;
        for _ in 0..20 {
            world.tick().await;
            world.clock.advance(Duration::from_secs(300));
        }
        assert_eq!(world.activity().await.len(), before, "{name}: it waits, without a word");
        assert!(world.idle().await.is_err(), "{name}");
        set_version(&world, &key, version).await;
        world.after(Duration::from_secs(900)).await;
        assert_eq!(world.activity().await.len(), before + 1, "{name}: the newer code runs");
        assert_eq!(world.idle().await, Ok(()), "{name}");
    }
    let outcomes = world.outcomes().await;
    assert!(outcomes.iter().all(|outcome| ["processed", "waiting"].contains(&outcome.as_str())), "{outcomes:?}");
}

#[tokio::test]
async fn a_record_of_newer_code_takes_no_other_message_along() {
    let world = World::new().await;
    let shop = world.shop().await;
    send(&world, &shop, "products/update", 1).await;
    world.tick().await;
    let product = entity_key(&shop, &world.changes().await[0]);
    set_version(&world, &product, Entity::VERSION + 1).await;
    for number in 1..=5 {
        send(&world, &shop, "products/update", number).await;
    }
    world.tick().await;
    let outcomes = world.outcomes().await;
    let processed = outcomes.iter().filter(|outcome| *outcome == "processed").count();
    assert_eq!(processed, 5, "the four others, at once");
    set_version(&world, &product, Entity::VERSION).await;
    world.after(Duration::from_secs(900)).await;
    assert_eq!(world.changes().await.len(), 6);
}

#[tokio::test]
async fn a_receiver_and_a_reader_that_meet_newer_code_ask_to_come_again() {
    let world = World::new().await;
    let shop = world.shop().await;
    set_version(&world, &endpoint::key("shopify", &shop.id), 2).await;
    let answer = world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.expect(503);
    assert_eq!(world.tick().await, 0);
    set_version(&world, &connection::key(&Tenant::default_local(), &shop.id), 2).await;
    world.get(&format!("/v1/connections/{}", shop.id)).await.expect(503);
}

/// Reads an item as what stands there; what that is, and its version in this code.
fn decode((partition, sort): &Place, item: Item) -> Option<(&'static str, u32, Result<(), Fault>)> {
    fn read<R: records::Record>(item: Item) -> Option<(&'static str, u32, Result<(), Fault>)> {
        Some((R::NAME, R::VERSION, records::decode::<R>(item).map(drop)))
    }
    let parts: Vec<&str> = partition.split('#').collect();
    match (parts[0], parts.get(2).copied().unwrap_or_default()) {
        ("T", "N") if sort.starts_with("document#") => read::<StoredDocument>(item),
        ("T", "N") => read::<Entity>(item),
        // Its records are its own; counters have no record.
        ("T", "J" | "G") => None,
        ("T", "V") => read::<Delivery>(item),
        ("T", "B") => read::<Mark>(item),
        ("T", "X") if sort.starts_with(privacy::PREFIX) => read::<Done>(item),
        ("T", "L" | "H" | "X") => read::<DeadLetter>(item),
        ("T", "C") => read::<Connection>(item),
        ("T", "P" | "K") => read::<Owned>(item),
        ("T", "Y") => read::<Replay>(item),
        ("T", "W") => read::<Deferred>(item),
        ("T", "authorizations") => read::<Authorization>(item),
        ("T", "budgets") => read::<Budget>(item),
        ("T", "resources") => read::<Resource>(item),
        ("T", "switches") => read::<ModeSwitch>(item),
        ("T", "tenants") => read::<KnownTenant>(item),
        ("E", _) if sort == "endpoint" => read::<Endpoint>(item),
        ("E", _) => read::<LastVerified>(item),
        ("R", _) if sort == "belonging" => read::<Belonging>(item),
        ("R", _) => read::<Route>(item),
        ("K", _) => read::<Token>(item),
        _ => panic!("nobody knows what {partition} holds"),
    }
}

#[tokio::test]
async fn every_record_of_newer_code_waits_and_every_one_of_older_code_is_read() {
    let (faulty, _) = with_everything().await;
    let mut seen = BTreeSet::new();
    for (place, item) in faulty.table.written() {
        let Some(item) = item else { continue };
        let with_version = |version: u32| {
            let mut item = item.clone();
            item.inner_mut().insert("v".into(), AttributeValue::N(version.to_string()));
            decode(&place, item)
        };
        let Some((name, current, _)) = with_version(1) else { continue };
        let newer = with_version(current + 1);
        assert!(matches!(newer, Some((_, _, Err(Fault::Retryable { .. })))), "{name}: {newer:?}");
        for version in 1..=current {
            assert_eq!(with_version(version), Some((name, current, Ok(()))), "version {version}");
        }
        seen.insert(name);
    }
    assert_eq!(
        Vec::from_iter(seen),
        [
            "belonging",
            "budget",
            "connection",
            "dead letter",
            "deferred message",
            "delivery",
            "document",
            "endpoint",
            "entity",
            "job mark",
            "known tenant",
            "last verification",
            "mode switch",
            "privacy record",
            "reference",
            "replay",
            "resource",
            "route",
            "token",
        ]
    );
}
