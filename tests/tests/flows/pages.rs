//! Facts that come without an envelope, such as the page of a sync: they are committed together with the cursor that belongs
//! to them, and the bus hears of them whatever crashes.

use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::commit::fact::{EntityFact, FactKind};
use hooktide_flows::commit::journal::Journal;
use hooktide_flows::commit::origin::Origin;
use hooktide_flows::commit::{Committed, Committer, Fact, Uncommitted};
use hooktide_flows::publish;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Channel, Kind, Via};
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::Stock;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, DUE_SHARDS, Due, Key, Partition, due_partition};
use hooktide_store::ports::Write;
use hooktide_store::records::entity::Identity;
use hooktide_store::records::job::Mark;
use hooktide_store::records::{self, Record, Stored, Upkeep};
use hooktide_tests::faults::{FaultyWorld, How, Plan, Until, Which};
use serde::{Deserialize, Serialize};

/// How far a resource has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cursor {
    page: u64,
}

impl Record for Cursor {
    const NAME: &'static str = "cursor";
}

/// A sync that reads pages of stock.
struct Sync {
    faulty: FaultyWorld,
    connection: String,
}

impl Sync {
    async fn new() -> Self {
        let faulty = FaultyWorld::new().await;
        let connection = faulty.world.shop().await.id;
        Self { faulty, connection }
    }

    fn cursor_key() -> Key {
        Partition::of(&Tenant::default_local(), Area::Jobs).key("cursor#stock")
    }

    async fn cursor(&self) -> Option<Stored<Cursor>> {
        records::get(&*self.faulty.world.host.ports.table, &Self::cursor_key()).await.unwrap()
    }

    /// The write that moves the cursor, if it is as it was read.
    fn moves(read: Option<&Stored<Cursor>>) -> Write {
        let cursor = Cursor { page: read.map_or(1, |read| read.record.page + 1) };
        records::replace(&Self::cursor_key(), read.map(|read| read.rev), &cursor, Upkeep::default()).unwrap()
    }

    fn page(&self, number: u64, count: usize) -> Vec<Fact> {
        let now = self.faulty.world.now();
        let origin = Arc::new(Origin::once(format!("stock-{}-{number}", self.connection), "some", now));
        let fact = |place: usize| {
            let quantity = Stock {
                variant: place.to_string(),
                location: None,
                state: None,
                quantity: Some(number.to_string()),
                updated_at: now.to_string(),
            };
            let state = State::Present(Document::Stock(quantity));
            let version = Version(i64::try_from(number).unwrap());
            let notice = EntityNotice::new(Kind::Stock, place.to_string(), version, state);
            let identity = Identity::new("some", &self.connection, &format!("{number}/{place}"));
            let entity = EntityFact::new(notice, &self.connection, identity, &origin).unwrap();
            Fact {
                id: format!("{}-{place}", origin.id),
                origin: Arc::clone(&origin),
                via: Via::Polling,
                connection: Some(self.connection.clone()),
                what: FactKind::Entity(Box::new(entity)),
                warning: None,
            }
        };
        (0..count).map(fact).collect()
    }

    async fn commit(&self, facts: &[Fact], extra: &[Write]) -> Result<Committed, Uncommitted> {
        let host = &self.faulty.world.host;
        let journal = Arc::new(Journal::new(&host.ports, &host.settings));
        let committer = Committer::new(host.ports.clone(), &host.settings, journal);
        let facts: Vec<&Fact> = facts.iter().collect();
        committer.commit(&Tenant::default_local(), &facts, extra, self.faulty.world.now()).await
    }

    /// Commits a page under this plan; whether that came to an end.
    async fn commit_under(&self, plan: Plan, page: &[Fact]) -> bool {
        let faults = &self.faulty.faults;
        faults.arm(plan);
        let ended = faults.run(self.commit(page, &[Self::moves(None)])).await.is_some();
        faults.disarm();
        ended
    }

    /// The marks of places that are still to be published.
    async fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        for shard in 0..DUE_SHARDS {
            let partition = due_partition(Due::Job(&JobKind::named("publish")), shard);
            let due = self.faulty.world.host.ports.table.due(&partition, i64::MAX, 100).await.unwrap();
            marks.extend(due.into_iter().map(|item| records::decode::<Mark>(item).unwrap().record));
        }
        marks
    }

    /// Lets time go by, and the poller and the syncer do what is due.
    async fn after(&self, by: Duration) {
        let world = &self.faulty.world;
        world.clock.advance(by);
        world.host.sweep_jobs().await.unwrap();
        world.tick().await;
    }

    fn heard(&self) -> usize {
        self.faulty.published.ids("default", Channel::StockUpdates).len()
    }
}

/// The time after which a mark is due and overdue, so that the poller sends its job.
const OVERDUE: Duration = Duration::from_secs(121);

/// Every plan by which the process ends at the n-th call.
fn crashes(call: usize) -> [Plan; 2] {
    [Until::Before, Until::After].map(|until| Plan { which: Which::Nth(call), until, how: How::Crash })
}

#[tokio::test]
async fn a_page_and_its_cursor_are_one_transaction_and_a_crash_leaves_both_or_neither() {
    let (mut neither, mut both) = (0, 0);
    for plan in (0..).flat_map(crashes) {
        let sync = Sync::new().await;
        let page = sync.page(1, 3);
        let ended = sync.commit_under(plan, &page).await;
        match (sync.faulty.world.changes().await.len(), sync.cursor().await) {
            (0, None) => neither += 1,
            (3, Some(cursor)) if cursor.record.page == 1 => both += 1,
            found => panic!("{plan:?}: {found:?}"),
        }
        if ended && plan.until == Until::Before {
            break;
        }
    }
    assert!(neither > 1 && both > 1, "{neither} and {both}");
}

#[tokio::test]
async fn the_bus_hears_of_a_page_by_a_due_mark_where_whoever_committed_it_crashed() {
    let sync = Sync::new().await;
    drop(sync.commit(&sync.page(1, 3), &[Sync::moves(None)]).await.unwrap());
    assert_eq!((sync.heard(), sync.marks().await.len()), (0, 1));
    sync.after(Duration::from_secs(59)).await;
    assert_eq!(sync.heard(), 0, "whoever committed it has time to publish it");
    sync.after(OVERDUE).await;
    assert_eq!((sync.heard(), sync.marks().await.len()), (3, 0));
}

#[tokio::test]
async fn a_page_that_is_published_leaves_no_mark_and_one_without_changes_makes_none() {
    let sync = Sync::new().await;
    let page = sync.page(1, 3);
    let committed = sync.commit(&page, &[Sync::moves(None)]).await.unwrap();
    publish::announce(&sync.faulty.world.host.ports, &Tenant::default_local(), committed).await.unwrap();
    assert_eq!((sync.heard(), sync.marks().await.len()), (3, 0));
    let cursor = sync.cursor().await;
    let committed = sync.commit(&page, &[Sync::moves(cursor.as_ref())]).await.unwrap();
    assert_eq!(sync.marks().await, []);
    publish::announce(&sync.faulty.world.host.ports, &Tenant::default_local(), committed).await.unwrap();
    assert_eq!(sync.faulty.world.changes().await.len(), 3, "what is known changes nothing");
    assert_eq!(sync.cursor().await.unwrap().record.page, 2);
    assert!(sync.commit(&[], &[Sync::moves(sync.cursor().await.as_ref())]).await.is_ok());
    assert_eq!(sync.cursor().await.unwrap().record.page, 3, "an empty page moves it as well");
}

#[tokio::test]
async fn the_cursor_of_a_page_beyond_one_transaction_moves_with_its_last_part() {
    for plan in (0..).flat_map(crashes) {
        let sync = Sync::new().await;
        let page = sync.page(1, 60);
        let ended = sync.commit_under(plan, &page).await;
        let (changes, cursor) = (sync.faulty.world.changes().await.len(), sync.cursor().await);
        assert!(cursor.is_none() || changes == 60, "{plan:?}: {changes} changes");
        if cursor.is_none() {
            drop(sync.commit(&page, &[Sync::moves(None)]).await.unwrap());
        }
        assert_eq!(sync.faulty.world.changes().await.len(), 60, "{plan:?}: the page was read again");
        sync.after(OVERDUE).await;
        assert_eq!((sync.heard(), sync.marks().await.len()), (60, 0), "{plan:?}");
        if ended && plan.until == Until::Before {
            return;
        }
    }
}

#[tokio::test]
async fn a_page_whose_cursor_somebody_else_moved_is_not_committed() {
    let sync = Sync::new().await;
    drop(sync.commit(&sync.page(1, 1), &[Sync::moves(None)]).await.unwrap());
    let late = sync.commit(&sync.page(2, 1), &[Sync::moves(None)]).await;
    assert!(late.is_err_and(|late| late.fault.to_string().contains("somebody else")));
    assert_eq!(sync.faulty.world.changes().await.len(), 1);
}
