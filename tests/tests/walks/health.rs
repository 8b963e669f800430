//! The health answer for a store that cannot be trusted any more.

use std::sync::Arc;
use std::time::Duration;

use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_tests::world::World;
use jiff::Timestamp;

async fn open(folder: &std::path::Path, clock: &ManualClock) -> World {
    let host = Host::open(folder, Settings::default(), Arc::new(clock.clone())).expect("a host opens");
    World::over(Arc::new(host), clock.clone(), Options { stream_life: Duration::ZERO, ..Options::default() }).await
}

#[tokio::test]
async fn a_damaged_table_is_told_by_health_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::at(Timestamp::from_second(1_767_700_000).expect("a time"));
    let world = open(folder.path(), &clock).await;
    let shop = world.shop().await;
    world.update_each(&shop, 0..60).await;
    world.host.look_for_damage().await;
    assert_eq!(world.get("/v1/health").await.expect(200)["status"], "ok");
    drop(world);
    let path = folder.path().join("table.db");
    let mut bytes = std::fs::read(&path).expect("the table");
    let half = bytes.len() / 2;
    bytes[half..half + 8_192].fill(0x5a);
    std::fs::write(&path, bytes).expect("the table");
    let world = open(folder.path(), &clock).await;
    world.host.look_for_damage().await;
    let answer = world.get("/v1/health").await;
    assert_eq!(answer.headers["retry-after"], "10");
    let detail = answer.expect(503)["detail"].to_string();
    assert!(detail.contains("The table is damaged: restore it from a backup; see docs/runbook.md"), "{detail}");
}
