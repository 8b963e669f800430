//! Every key starts with its tenant, and every record with its version.

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_core::fault::Fault;
use hooktide_core::key::{Area, Partition};
use hooktide_core::names::Scope;
use hooktide_core::ports::{AttributeValue, Item, QueueName};
use hooktide_core::records;
use hooktide_core::records::connection::Connection;
use hooktide_core::records::dead_letter::DeadLetter;
use hooktide_core::records::deferred::Deferred;
use hooktide_core::records::delivery::Delivery;
use hooktide_core::records::document::StoredDocument;
use hooktide_core::records::endpoint::{Belonging, Endpoint, LastVerified, Owned, Route};
use hooktide_core::records::entity::Entity;
use hooktide_core::records::job::Mark;
use hooktide_core::records::replay::Replay;
use hooktide_core::records::token::Token;
use hooktide_core::tenant::Tenant;
use hooktide_tests::faults::{FaultyWorld, Place};
use hooktide_tests::world::{SECRET, Shop};
use http::Method;
use serde_json::json;

/// The area after this one; a new one does not compile until it has its place here.
fn after(area: Area<'static>) -> Option<Area<'static>> {
    Some(match area {
        Area::Entities(..) => Area::Journal(0),
        Area::Journal(_) => Area::Tag("products"),
        Area::Tag(_) => Area::Delivery("0123"),
        Area::Delivery(_) => Area::Jobs,
        Area::Jobs => Area::DeadLetters,
        Area::DeadLetters => Area::Held("endpoint"),
        Area::Held(_) => Area::Connections,
        Area::Connections => Area::Endpoints,
        Area::Endpoints => Area::Tokens,
        Area::Tokens => Area::Replays,
        Area::Replays => Area::Deferred,
        Area::Deferred => return None,
    })
}

#[test]
fn every_area_of_a_tenant_has_partitions_of_its_own() {
    let areas: Vec<Area<'_>> =
        std::iter::successors(Some(Area::Entities("connection", 0)), |area| after(*area)).collect();
    let mut seen = BTreeSet::new();
    for name in ["a", "a-b", "b", "system"] {
        let tenant = Tenant::parse(name).expect("a name");
        for area in &areas {
            let partition = Partition::of(&tenant, *area);
            assert!(partition.as_str().starts_with(&format!("T#{name}#")), "{partition:?}");
            assert!(seen.insert(partition.as_str().to_owned()), "{partition:?} is another's");
        }
    }
    for name in ["", "a#b", "A", "a b", "-a", "a-", &"a".repeat(41)] {
        assert!(Tenant::parse(name).is_err(), "{name:?} would make keys ambiguous");
    }
}

/// A world with every kind of record, of two tenants.
async fn with_everything() -> (FaultyWorld, [Shop; 2]) {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let app = world.shared_endpoint("app").await;
    let mut shops = Vec::new();
    for name in ["anna", "bert"] {
        let token = world.token(name, &[Scope::Admin]).await;
        let post = async |path: &str, body| world.call(&token, Method::POST, path, Some(body)).await;
        let account = format!("{name}.myshopify.com");
        let own = json!({ "provider": "shopify", "account": account, "secrets": { "client_secret": SECRET, "access_token": "t" } });
        let own = post("/v1/connections", own).await.expect(201);
        let text = |name: &str| own[name].as_str().unwrap_or_default().to_owned();
        let shop = Shop { id: text("id"), url: text("webhook_url"), account: account.clone(), secret: SECRET.into() };
        let shared = json!({ "provider": "shopify", "account": account, "endpoint": app.id });
        post("/v1/connections", shared).await.expect(201);
        post("/v1/endpoints", json!({ "provider": "shopify", "secrets": { "client_secret": "s" } })).await.expect(201);
        post("/v1/tokens", json!({})).await.expect(201);
        for topic in ["products/update", "inventory_levels/update", "customers/redact"] {
            world.request(world.sample(&shop, topic, 1, world.now())).await;
        }
        world.request(world.signed(&shop, "products/update", "no JSON")).await;
        world.request(world.sample(&Shop { account, ..app.clone() }, "products/update", 2, world.now())).await;
        world.tick().await;
        post("/v1/dead-letters/replay", json!({})).await.expect(202);
        world.tick().await;
        // This one waits for long.
        world.request(world.sample(&shop, "products/update", 3, world.now())).await;
        let after = Some(Duration::from_secs(3600));
        faulty.table.poison("product#", Fault::Retryable { detail: "later".into(), after });
        world.tick().await;
        faulty.table.heal();
        shops.push(shop);
    }
    let unknown = Shop { account: "nobody.myshopify.com".into(), ..app };
    world.request(world.sample(&unknown, "products/update", 4, world.now())).await;
    world.tick().await;
    (faulty, shops.try_into().expect("two shops"))
}

#[tokio::test]
async fn whatever_is_written_is_written_under_its_tenant() {
    let (faulty, shops) = with_everything().await;
    let mut letters = BTreeSet::new();
    for ((partition, sort), item) in faulty.table.written() {
        let parts: Vec<&str> = partition.split('#').collect();
        match parts[0] {
            "T" => {
                assert!(["anna", "bert", "default"].contains(&parts[1]), "{partition}");
                letters.insert(parts[2].to_owned());
                // Nothing of one tenant names what only the other has.
                let text = format!("{partition} {sort} {item:?}");
                for (name, shop) in ["anna", "bert"].iter().zip(&shops) {
                    assert!(parts[1] == *name || !text.contains(&shop.id), "{name}'s shop in {text}");
                }
            }
            "E" | "R" => assert!(parts[1] == "shopify" && !parts[2].is_empty(), "{partition}"),
            "K" => assert!(parts.len() == 2 && parts[1].len() == 16, "{partition}"),
            _ => panic!("{partition} starts with no tenant"),
        }
    }
    let all: Vec<String> = letters.into_iter().collect();
    assert_eq!(all.concat(), "BCGHJKLNPVWY", "every area is among them");
}

/// Reads an item as what stands there; what that is.
fn decode((partition, sort): &Place, item: Item) -> Option<(&'static str, Result<(), Fault>)> {
    fn read<R: records::Record>(item: Item) -> Option<(&'static str, Result<(), Fault>)> {
        Some((R::NAME, records::decode::<R>(item).map(drop)))
    }
    let parts: Vec<&str> = partition.split('#').collect();
    match (parts[0], parts.get(2).copied().unwrap_or_default()) {
        ("T", "N") if sort.starts_with("document#") => read::<StoredDocument>(item),
        ("T", "N") => read::<Entity>(item),
        // Its records are its own; counters have no record.
        ("T", "J" | "G") => None,
        ("T", "V") => read::<Delivery>(item),
        ("T", "B") => read::<Mark>(item),
        ("T", "L" | "H") => read::<DeadLetter>(item),
        ("T", "C") => read::<Connection>(item),
        ("T", "P" | "K") => read::<Owned>(item),
        ("T", "Y") => read::<Replay>(item),
        ("T", "W") => read::<Deferred>(item),
        ("E", _) if sort == "endpoint" => read::<Endpoint>(item),
        ("E", _) => read::<LastVerified>(item),
        ("R", _) if sort == "belonging" => read::<Belonging>(item),
        ("R", _) => read::<Route>(item),
        ("K", _) => read::<Token>(item),
        _ => panic!("nobody knows what {partition} holds"),
    }
}

#[tokio::test]
async fn every_record_of_newer_code_waits_and_every_one_of_the_version_before_is_read() {
    let (faulty, _) = with_everything().await;
    let mut seen = BTreeSet::new();
    for (place, item) in faulty.table.written() {
        let Some(item) = item else { continue };
        let with_version = |version: u32| {
            let mut item = item.clone();
            item.inner_mut().insert("v".into(), AttributeValue::N(version.to_string()));
            decode(&place, item)
        };
        let Some((name, newer)) = with_version(2) else { continue };
        assert!(matches!(newer, Err(Fault::Retryable { .. })), "{name}: {newer:?}");
        for version in [1, 0] {
            assert_eq!(with_version(version), Some((name, Ok(()))), "version {version}");
        }
        seen.insert(name);
    }
    assert_eq!(
        Vec::from_iter(seen),
        [
            "belonging",
            "connection",
            "dead letter",
            "deferred message",
            "delivery",
            "document",
            "endpoint",
            "entity",
            "job mark",
            "last verification",
            "reference",
            "replay",
            "route",
            "token",
        ]
    );
}

#[tokio::test]
async fn a_receiver_that_meets_an_endpoint_of_newer_code_asks_to_come_again() {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let shop = world.shop().await;
    let key = hooktide_core::records::endpoint::key("shopify", &shop.id);
    let table = &*world.host.ports.table;
    let mut item = table.get(&key).await.expect("a read").expect("an endpoint");
    item.inner_mut().insert("v".into(), AttributeValue::N("2".into()));
    table.write(hooktide_core::ports::Write::Put { item, condition: None }).await.expect("a write");
    let answer = world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.expect(503);
    assert!(world.take_messages(QueueName::Notices).await.is_empty());
}
