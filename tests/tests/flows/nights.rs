//! The listing of each night is there, however much else goes on.

use std::time::Duration;

use hooktide_flows::Settings;
use hooktide_tests::provided::Provided;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// How long [`Provided::after`] takes by itself.
const ROUNDS: Duration = Duration::from_secs(12);

/// Goes on in such steps from right before the night until a listing was there; whether there was one that night.
async fn is_listed(provided: &Provided, step: Duration, act: impl AsyncFn()) -> bool {
    // From eight in the morning to one at night.
    provided.after(17 * HOUR - ROUNDS - 30 * SECOND).await;
    let listings = provided.tells("full sync of catalog/").await;
    let mut gone_by = Duration::ZERO;
    while gone_by < 4 * HOUR + 300 * SECOND {
        act().await;
        provided.after(step - ROUNDS).await;
        gone_by += step;
        if provided.tells("full sync of catalog/").await > listings {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn what_is_polled_all_the_time_is_listed_each_night() {
    for floor in [30, 60] {
        let operator = Settings { poll_floor: Some(floor * SECOND), ..Settings::default() };
        let provided = Provided::under(operator, "square", json!({})).await;
        assert!(is_listed(&provided, 30 * SECOND, async || ()).await, "{floor}: {:#?}", provided.told().await);
    }
}

#[tokio::test]
async fn what_webhooks_ring_for_all_the_time_is_listed_each_night() {
    let provided = Provided::new("square").await;
    let ring = async || provided.hint("catalog", &[]).await;
    assert!(is_listed(&provided, 60 * SECOND, ring).await, "{:#?}", provided.told().await);
    // The hints are settled all the same.
    assert!(provided.tells("1 hint is settled").await > 1);
}
