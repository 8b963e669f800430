//! Tenancy: every key starts with its tenant, but those that are looked up before it is known.

use std::collections::BTreeSet;

use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::records::block::CalendarId;
use hooktide_store::records::entity::EntityId;
use hooktide_store::records::{block, calendars, connection, delivery, endpoint, job, mode_switch, replay, token};

use crate::everything::with_everything;

/// The area after this one; a new one does not compile until it has its place here.
fn after(area: Area<'static>) -> Option<Area<'static>> {
    Some(match area {
        Area::Entities(..) => Area::Journal(0),
        Area::Journal(_) => Area::Tag("products"),
        Area::Tag(_) => Area::Delivery("0123"),
        Area::Delivery(_) => Area::Jobs,
        Area::Jobs => Area::DeadLetters,
        Area::DeadLetters => Area::Held("endpoint"),
        Area::Held(_) => Area::Privacy,
        Area::Privacy => Area::Connections,
        Area::Connections => Area::Endpoints,
        Area::Endpoints => Area::Tokens,
        Area::Tokens => Area::Replays,
        Area::Replays => Area::Deferred,
        Area::Deferred => Area::Resources,
        Area::Resources => Area::Authorizations,
        Area::Authorizations => Area::Budgets,
        Area::Budgets => Area::Subscriptions,
        Area::Subscriptions => Area::Switches,
        Area::Switches => Area::Calendars,
        Area::Calendars => Area::Blocks,
        Area::Blocks => Area::BlockNames,
        Area::BlockNames => Area::Companies,
        Area::Companies => Area::Transactions("connection", "company"),
        Area::Transactions(..) => Area::TransactionIds("4711"),
        Area::TransactionIds(_) => Area::Totals("connection", "company"),
        Area::Totals(..) => Area::Rolled("connection", "company"),
        Area::Rolled(..) => Area::Late("connection", "company"),
        Area::Late(..) => Area::Recounts,
        Area::Recounts => Area::Accounts,
        Area::Accounts => Area::Answers,
        Area::Answers => Area::Tenants,
        Area::Tenants => Area::Canary,
        Area::Canary => return None,
    })
}

#[test]
fn every_partition_of_a_tenant_starts_with_it_and_no_two_tenants_share_one() {
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

#[test]
fn only_endpoints_routes_and_tokens_are_keyed_without_a_tenant() {
    let tenant = Tenant::parse("ours").unwrap();
    let entity = EntityId { kind: Kind::Product, connection: "c".into(), id: "1".into() };
    let identity = hooktide_store::records::entity::Identity::new("p", "c", "d");
    let of_the_tenant = [
        entity.key(&tenant),
        delivery::key(&tenant, identity, "stock"),
        job::key(&tenant, &hooktide_model::job_kind::JobKind::SYNC, "stock/c"),
        connection::key(&tenant, "c"),
        replay::key(&tenant, "r"),
        mode_switch::key(&tenant),
        calendars::key(&tenant, "c"),
        block::name_key(&tenant, &CalendarId { connection: "c".into(), calendar: "main".into() }, "1"),
        block::uid_key(&tenant, "u"),
        endpoint::owned_key(&tenant, "p", "e"),
        token::owned_key(&tenant, "t"),
    ];
    assert!(of_the_tenant.iter().all(|key| key.partition().starts_with("T#ours#")), "{of_the_tenant:?}");
    let of_nobody = [
        (endpoint::key("p", "e"), "E#"),
        (endpoint::route_key("p", "e", "account"), "R#"),
        (endpoint::belonging_key("p", "e", Kind::Product, "1"), "R#"),
        (token::key("t"), "K#"),
    ];
    assert!(of_nobody.iter().all(|(key, prefix)| key.partition().starts_with(prefix)), "{of_nobody:?}");
}

#[tokio::test]
async fn whatever_is_written_is_written_under_its_tenant() {
    let (faulty, shops) = with_everything().await;
    let mut letters = BTreeSet::new();
    for ((partition, sort), item) in faulty.table.written() {
        let parts: Vec<&str> = partition.split('#').collect();
        match parts[0] {
            "T" => {
                let is_everybodys = parts[1..] == ["system", "tenants"];
                assert!(is_everybodys || ["anna", "bert", "default"].contains(&parts[1]), "{partition}");
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
    assert_eq!(all.concat(), "BCGHJKLNPVWXYbudgetsresourcesswitchestenants", "every area is among them");
}
