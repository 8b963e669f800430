//! Tenancy: every key starts with its tenant; times: each outlasts the one that it contains.

use std::time::Duration;

use hooktide_core::key::{Area, Partition};
use hooktide_core::names::Kind;
use hooktide_core::records::entity::EntityId;
use hooktide_core::records::{connection, delivery, endpoint, job, replay, token};
use hooktide_core::tenant::Tenant;
use hooktide_local::queue::QueueSettings;

/// How long a function may run in the cloud.
const FUNCTION: Duration = Duration::from_secs(30);

fn areas() -> Vec<Area<'static>> {
    vec![
        Area::Entities("c", 0),
        Area::Journal(0),
        Area::Tag("products"),
        Area::Delivery("d"),
        Area::Jobs,
        Area::DeadLetters,
        Area::Held("e"),
        Area::Connections,
        Area::Endpoints,
        Area::Tokens,
        Area::Replays,
        Area::Deferred,
    ]
}

#[test]
fn every_partition_of_a_tenant_starts_with_it_and_no_two_tenants_share_one() {
    let (ours, theirs) = (Tenant::parse("a").unwrap(), Tenant::parse("a-b").unwrap());
    let mut seen = std::collections::BTreeSet::new();
    for area in areas() {
        let partition = Partition::of(&ours, area);
        assert!(partition.as_str().starts_with("T#a#"), "{area:?}: {}", partition.as_str());
        assert!(seen.insert(partition.as_str().to_owned()), "{area:?} shares a partition");
        assert!(!Partition::of(&theirs, area).as_str().starts_with("T#a#"), "{area:?}");
    }
}

#[test]
fn only_endpoints_routes_and_tokens_are_keyed_without_a_tenant() {
    let tenant = Tenant::parse("ours").unwrap();
    let entity = EntityId { kind: Kind::Product, connection: "c".into(), id: "1".into() };
    let identity = hooktide_core::records::entity::Identity::new("p", "c", "d");
    let of_the_tenant = [
        entity.key(&tenant),
        delivery::key(&tenant, identity, "stock"),
        job::key(&tenant, hooktide_core::names::JobKind::Sync, "stock/c"),
        connection::key(&tenant, "c"),
        replay::key(&tenant, "r"),
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

#[test]
fn a_function_ends_before_its_lease_and_the_lease_before_the_message_comes_again() {
    let visibility = QueueSettings::default().visibility;
    for lease in [delivery::LEASE, job::LEASE] {
        assert!(FUNCTION < lease && lease < visibility);
    }
    assert!(visibility >= 6 * FUNCTION, "as AWS asks of a queue that feeds a function");
}
