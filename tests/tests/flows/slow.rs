//! Providers that take long to answer: a run ends in time, and what no run has the time for is told.

use std::time::Duration;

use hooktide_store::ports::{QueueName, Source};
use hooktide_store::times::SYNCER;
use hooktide_tests::provided::Provided;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);
/// The rest of a minute, of which [`Provided::after`] takes twelve seconds by itself.
const MINUTE: Duration = Duration::from_secs(48);

#[tokio::test]
async fn a_run_at_a_slow_provider_ends_before_its_lease_and_what_takes_longer_than_a_run_is_told() {
    for (takes, is_too_slow) in [(2, false), (41, true)] {
        let provided = Provided::with("woocommerce", json!({ "rate_per_minute": 6000 })).await;
        for number in 0..40 {
            let fields = json!({ "name": format!("Tea {number}"), "type": "variable" });
            provided.account.edit("product", Some(fields));
        }
        provided.account.slow(takes * SECOND);
        provided.run(json!({ "full": true })).await;
        let world = &provided.faulty.world;
        for _ in 0..40 {
            let begun = world.now();
            let jobs = Source::Queue(QueueName::Jobs);
            world.host.process_some(jobs).await.expect("a run");
            let took = Duration::try_from(world.now().duration_since(begun)).expect("a time");
            assert!(took < SYNCER.run, "{takes}: a run takes {took:?}");
            world.clock.advance(SECOND);
        }
        let failed = provided.tells("take longer than a run may; failing since").await;
        assert_eq!(failed > 0, is_too_slow, "{takes}: {:#?}", provided.told().await);
        provided.account.slow(Duration::ZERO);
        for _ in 0..130 {
            provided.after(MINUTE).await;
        }
        let resource = provided.resource("products").await;
        assert_eq!((resource.reading, resource.failures), (None, 0), "{takes}: {:#?}", provided.told().await);
    }
}
