//! The journal: a lane goes on after what its readers may have seen, even where the store deletes in no order.

use std::time::Duration;

use hooktide_api::Options;
use hooktide_core::flows::Settings;
use hooktide_core::records::journal::{self, Head};
use hooktide_core::tenant::Tenant;
use hooktide_tests::world::World;

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
