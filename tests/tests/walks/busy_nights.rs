//! The look at all events that each night brings, in runs that have hardly any time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records::block::{self, Block};
use hooktide_store::records::calendars::{self, Progress};
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_store::records::{self, Stored};
use hooktide_tests::blocking::Blocking;
use hooktide_tests::world::World;

const BUSY: JobKind = JobKind::named("busy");

async fn mark(world: &World, connection: &str) -> Stored<Mark> {
    let key = job::key(&Tenant::default_local(), &BUSY, connection);
    records::get::<Mark>(&*world.host.ports.table, &key).await.unwrap().expect("a mark")
}

#[tokio::test]
async fn a_nights_look_that_is_cut_off_again_and_again_goes_on_until_all_are_looked_at() {
    let blocking = Blocking::within("google-calendar").await;
    let (world, connection) = (blocking.world(), &blocking.sides[0].connection);
    let (tenant, table) = (Tenant::default_local(), &*world.host.ports.table);
    let known = records::list_all::<Block>(table, block::partition(&tenant), "", 1_000).await.unwrap();
    let scheduled = mark(world, connection).await;
    world.clock.set(jiff::Timestamp::from_millisecond(scheduled.record.due_at).unwrap());
    // Nothing is known of the blocks any more, and one event changes in the moment of the night's look.
    for (sort, _) in &known {
        let key = block::partition(&tenant).key(sort.as_str());
        table.write(Write::Delete { key, condition: None }).await.unwrap();
    }
    let stem = &known[0].1.record.stem;
    let entities = BTreeSet::from([hooktide_model::part::entity_id(&stem.from.calendar, &stem.event)]);
    let reasons = BTreeMap::from([(MarkReason::Hint, 1)]);
    let raise = Raise { tenant: &tenant, job: BUSY, resource: connection, reasons: &reasons, entities: &entities };
    let raised = job::raised(Some(&scheduled), &raise, Duration::ZERO, world.now());
    table.write(job::store(Some(scheduled.rev), &raised).unwrap()).await.unwrap();
    world.clock.advance(Duration::from_secs(61));
    world.host.sweep_jobs().await.unwrap();
    let runs = blocking.hurry().await;
    assert!(runs > 5, "{runs}");
    let progress = records::get::<Progress>(table, &calendars::progress_key(&tenant, connection)).await.unwrap();
    assert_eq!(progress, None, "the look has ended");
    assert!(mark(world, connection).await.record.is_scheduled());
    let now = world.now().to_string();
    for (sort, stored) in known.into_iter().filter(|(_, stored)| stored.record.start > now) {
        let key = block::partition(&tenant).key(sort.as_str());
        let found = records::get::<Block>(table, &key).await.unwrap();
        assert!(found.is_some(), "{} is wanted again", stored.record.start);
    }
}
