//! What is busy in one calendar of a person becomes busy in the others, exactly once, and goes with what it stems from.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hooktide_flows::connect::Context;
use hooktide_flows::follow::busy;
use hooktide_model::tenant::Tenant;
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const OWN: &str = "owner@example.com";

/// A connection to Google whose two calendars block each other.
struct Blocking {
    simulated: Simulated,
    team: String,
}

impl Blocking {
    async fn new() -> Self {
        let simulated = Simulated::new("google-calendar").await;
        simulated.after(SECOND).await;
        let path = format!("/v1/connections/{}/calendars", simulated.connection);
        let calendars = simulated.world.get(&path).await.expect(200);
        let ids: Vec<&str> =
            calendars["items"].as_array().unwrap().iter().filter_map(|one| one["id"].as_str()).collect();
        let team = (*ids.iter().find(|id| id.starts_with("c_")).unwrap()).to_owned();
        let blocking = Self { simulated, team };
        for calendar in [OWN, &blocking.team] {
            blocking.choose(calendar, json!({ "blocks_others": true, "is_blocked": true })).await;
        }
        blocking.rest().await;
        blocking
    }

    async fn choose(&self, calendar: &str, chosen: Value) {
        let path = format!("/v1/connections/{}/calendars", self.simulated.connection);
        let mut chosen = chosen;
        chosen["calendar"] = json!(calendar);
        self.simulated.world.put(&path, chosen).await.expect(200);
    }

    /// Lets everything be done that is due soon.
    async fn rest(&self) {
        for _ in 0..6 {
            self.simulated.after(5 * SECOND).await;
        }
    }

    /// The blocks, as (calendar, start, state), in order.
    async fn blocks(&self) -> Vec<(String, String, String)> {
        let blocks = self.simulated.world.get("/v1/busy?limit=200").await.expect(200);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let items = blocks["items"].as_array().unwrap();
        let mut all: Vec<_> =
            items.iter().map(|one| (text(&one["calendar"]), text(&one["start"]), text(&one["state"]))).collect();
        all.sort();
        all
    }

    /// The events that were read as created, or as deleted.
    async fn changes(&self, op: &str) -> Vec<String> {
        let changes = self.simulated.world.changes().await;
        let of = changes.iter().filter(|change| change["op"] == op);
        of.filter_map(|change| change["entity"].as_str().map(str::to_owned)).collect()
    }

    /// Edits an event of the main calendar, waits until it rang, and lets everything be done that follows.
    async fn edit(&self, id: Value, fields: Value) -> String {
        let accepted = self.simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
        let made = self.simulated.control("edit", json!({ "what": "event", "id": id, "fields": fields })).await;
        self.simulated.heard(accepted + 1).await;
        self.rest().await;
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    /// What would be done now.
    async fn plan(&self) -> Value {
        self.simulated.world.get("/v1/busy/plan").await.expect(200)["items"].clone()
    }
}

#[tokio::test]
async fn what_there_is_blocks_the_other_calendar_and_then_nothing_is_left_to_do() {
    let blocking = Blocking::new().await;
    let blocks = blocking.blocks().await;
    assert!(
        blocks.iter().all(|(_, _, state)| state == "there"),
        "{blocks:#?} {:#?}",
        blocking.simulated.world.activity().await
    );
    let in_team: Vec<&str> = blocks
        .iter()
        .filter(|(calendar, _, _)| *calendar == blocking.team)
        .map(|(_, start, _)| start.as_str())
        .collect();
    for start in ["2026-12-02T08:30:00Z", "2026-12-08T10:00:00Z", "2026-12-03"] {
        assert!(in_team.contains(&start), "{start}: {in_team:?}");
    }
    // What is free, declined or a place of work; and the occurrence that was cancelled.
    for start in ["2026-12-04T18:30:00Z", "2026-12-09T16:00:00Z", "2026-12-10", "2026-12-14T08:00:00Z"] {
        assert!(!in_team.contains(&start), "{start}: {in_team:?}");
    }
    let own: Vec<&str> =
        blocks.iter().filter(|(calendar, _, _)| calendar == OWN).map(|(_, start, _)| start.as_str()).collect();
    assert_eq!(own, ["2026-12-11T14:00:00Z"], "blocks make no blocks");
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn a_plan_looks_as_long_as_there_is_time_and_says_that_it_is_cut() {
    let blocking = Blocking::new().await;
    let (world, tenant) = (&blocking.simulated.world, Tenant::default_local());
    let (ports, settings) = (&world.host.ports, &world.host.settings);
    let context = Context { ports, settings, tenant: &tenant, now: world.now() };
    let asked = AtomicUsize::new(0);
    for (times, is_cut) in [(0, true), (3, true), (usize::MAX, false)] {
        asked.store(0, Ordering::Relaxed);
        let is_over = || asked.fetch_add(1, Ordering::Relaxed) >= times;
        let planned = busy::plan(context, None, &is_over).await.unwrap();
        assert_eq!(planned.cut, is_cut, "{times}");
        assert_eq!(asked.load(Ordering::Relaxed) > 5, !is_cut, "{times}");
    }
}

#[tokio::test]
async fn a_block_is_made_moved_and_removed_with_its_event() {
    let blocking = Blocking::new().await;
    let before = blocking.blocks().await.len();
    let at = |hour: u8| json!({ "dateTime": format!("2026-12-18T{hour:02}:00:00Z") });
    let id = blocking.edit(Value::Null, json!({ "summary": "Tasting", "start": at(9), "end": at(10) })).await;
    let there = |hour: u8| (blocking.team.clone(), format!("2026-12-18T{hour:02}:00:00Z"), "there".to_owned());
    let blocks = blocking.blocks().await;
    assert!(blocks.contains(&there(9)) && blocks.len() == before + 1, "{blocks:#?}");
    blocking.edit(json!(id), json!({ "start": at(11), "end": at(12) })).await;
    let blocks = blocking.blocks().await;
    assert!(blocks.contains(&there(11)) && blocks.len() == before + 1, "{blocks:#?}");
    blocking.edit(json!(id), Value::Null).await;
    assert_eq!(blocking.blocks().await.len(), before);
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn removal_leaves_nothing() {
    let blocking = Blocking::new().await;
    let there = blocking.blocks().await.len();
    let events = blocking.changes("created").await;
    let body = json!({ "connection": blocking.simulated.connection });
    let removed = blocking.simulated.world.post("/v1/busy/remove", body).await.expect(202);
    assert_eq!(removed["blocks"], there);
    blocking.rest().await;
    assert_eq!(blocking.blocks().await, []);
    blocking.simulated.after(Duration::from_secs(26 * 3600)).await;
    let gone = blocking.changes("deleted").await;
    assert!(events.iter().filter(|id| id.contains("/hooktide")).all(|id| gone.contains(id)), "{events:?} {gone:?}");
    assert_eq!(gone.len(), there);
}
