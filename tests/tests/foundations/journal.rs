//! The journal: a lane goes on after what its readers may have seen, even where the store deletes in no order.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_local::table::DynoxideTable;
use hooktide_model::names::Outcome;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Clock, Table};
use hooktide_store::records::journal::{self, Entry, Head};
use hooktide_tests::faults::{Faults, FaultyTable};
use hooktide_tests::world::World;
use jiff::Timestamp;
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_last_position_that_expired_does_not_count_since_later_ones_may_be_gone() {
    let settings = Settings { lanes: 1, ..Settings::default() };
    let world = World::with(settings, Options { stream_life: Duration::ZERO, ..Options::default() }).await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    let (table, tenant) = (&*world.host.ports.table, Tenant::default_local());
    let Head::At(last) = journal::head(table, &tenant, 0, world.now()).await.unwrap() else { panic!("a head") };
    // Nothing is swept: the item is still there, and no longer counts.
    world.clock.advance(31 * DAY);
    assert!(matches!(journal::head(table, &tenant, 0, world.now()).await.unwrap(), Head::Empty(Some(_))));
    let reader = world.get("/v1/changes?after=now").await.expect(200)["next"].as_str().unwrap().to_owned();
    world.update(&shop, 1).await;
    let Head::At(next) = journal::head(table, &tenant, 0, world.now()).await.unwrap() else { panic!("a head") };
    assert!(next > last + 1, "it starts beyond whatever there can have been: {last}, {next}");
    let news = world.get(&format!("/v1/changes?after={reader}")).await.expect(200);
    assert!(news.to_string().contains(&world.now().to_string()), "and readers see it: {news}");
}

/// Appends so many entries as a processor does: finds the end, then puts one after it on the condition that nobody else has.
/// Returns their ids.
async fn append(table: &dyn Table, name: usize, count: usize, now: Timestamp) -> Vec<String> {
    let (tenant, keep) = (Tenant::parse("anna").expect("a name"), Duration::from_secs(30 * 24 * 3600));
    let mut appended = Vec::new();
    while appended.len() < count {
        let head = journal::head(table, &tenant, 0, now).await.expect("a head");
        let entry = entry(&format!("{name}-{}", appended.len()), now);
        let writes = journal::append(&tenant, 0, &head, std::slice::from_ref(&entry), keep, now).expect("writes");
        if table.transact(writes).await.is_ok() {
            appended.push(entry.id);
        }
    }
    appended
}

fn entry(id: &str, now: Timestamp) -> Entry {
    Entry {
        id: id.to_owned(),
        connection: None,
        provider: "any".into(),
        topic: None,
        delivery: None,
        outcome: Outcome::Ignored,
        reason: None,
        received_at: now,
        processed_at: now,
        verified_with: None,
        trace: String::new(),
        change: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_lane_has_no_gap_and_no_loss_under_any_interleaving_of_writers(
        seed in any::<u64>(),
        counts in prop::collection::vec(0_usize..6, 5),
    ) {
        let clock = hooktide_tests::world::clock();
        let (now, faults) = (clock.now(), Arc::new(Faults::default()));
        let table: Arc<dyn Table> = Arc::new(DynoxideTable::in_memory(Arc::new(clock)).expect("a table"));
        let shared = FaultyTable::new(Arc::clone(&table), Arc::clone(&faults));
        // Each call of the table may let the others go first.
        faults.interleave(seed);
        let writers = counts.into_iter().enumerate().map(|(name, count)| append(&shared, name, count, now));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut expected: Vec<String> = runtime.block_on(join_all(writers)).into_iter().flatten().collect();
        let tenant = Tenant::parse("anna").expect("a name");
        let (read, more) = journal::read(&*table, &tenant, 0, 0, 1_000).now_or_never().expect("ready").expect("it reads");
        prop_assert!(!more);
        let positions: Vec<u64> = read.iter().map(|read| read.position).collect();
        prop_assert!(positions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{positions:?}");
        let mut told: Vec<String> = read.iter().flat_map(|read| read.entries.iter().map(|entry| entry.id.clone())).collect();
        told.sort();
        expected.sort();
        prop_assert_eq!(told, expected);
    }
}
