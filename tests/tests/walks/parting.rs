//! A connection that is deleted ends its subscriptions at the provider, and leaves nothing behind.

use std::time::Duration;

use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_tests::simulated::Simulated;
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// The sort keys of an area of the tenant that name the connection.
async fn left(world: &World, area: Area<'_>, connection: &str) -> Vec<String> {
    let partition = Partition::of(&Tenant::default_local(), area);
    let query = Query { partition, range: Range::All, descending: false, limit: 1_000 };
    let page = world.host.ports.table.query(&query).await.unwrap();
    let sorts = page.items.iter().map(|item| hooktide_store::records::sort_of(item).to_owned());
    sorts.filter(|sort| sort.contains(connection)).collect()
}

/// All that is left of the connection.
async fn all_left(simulated: &Simulated) -> Vec<String> {
    let mut all = Vec::new();
    for area in [Area::Resources, Area::Subscriptions, Area::Authorizations, Area::Jobs, Area::Connections] {
        all.extend(left(&simulated.world, area, &simulated.connection).await);
    }
    all
}

async fn delete(simulated: &Simulated) -> Value {
    let path = format!("/v1/connections/{}", simulated.connection);
    simulated.world.call(&simulated.world.operator, Method::DELETE, &path, None).await.expect(200)
}

/// How many subscriptions the simulator has.
async fn subscribed(simulated: &Simulated) -> usize {
    let state = simulated.state().await;
    let lists = ["subscriptions", "webhooks"].map(|name| &state["account"][name]);
    lists.into_iter().find_map(Value::as_array).map(Vec::len).expect("a list")
}

/// What the activity says of subscriptions that ended, well or not.
async fn ends(simulated: &Simulated) -> Vec<String> {
    let activity = simulated.world.activity().await;
    let reasons = activity.iter().filter_map(|entry| entry["reason"].as_str());
    reasons.filter(|reason| reason.contains("ended")).map(str::to_owned).collect()
}

#[tokio::test]
async fn deleting_a_connection_ends_its_subscriptions_at_the_provider_and_leaves_nothing() {
    for provider in ["square", "woocommerce"] {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let before = subscribed(&simulated).await;
        assert!(before > 0, "{provider}");
        let answer = delete(&simulated).await;
        assert_eq!(answer["ending"], before, "{provider}: {answer}");
        assert_eq!(simulated.world.get("/v1/resources").await.expect(200)["items"], json!([]));
        assert_eq!(simulated.world.get("/v1/subscriptions").await.expect(200)["items"], json!([]));
        simulated.after(SECOND).await;
        assert_eq!((subscribed(&simulated).await, ends(&simulated).await.len()), (0, before), "{provider}");
        for _ in 0..4 {
            simulated.after(100 * SECOND).await;
        }
        assert_eq!(all_left(&simulated).await, Vec::<String>::new(), "{provider}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_for_an_hour_and_then_the_credentials_go_and_the_activity_says_what_is_left() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    simulated.control("faults", json!({ "down": true })).await;
    assert!(delete(&simulated).await["ending"].as_u64() > Some(0));
    for _ in 0..10 {
        simulated.after(200 * SECOND).await;
    }
    assert!(ends(&simulated).await.is_empty() && !all_left(&simulated).await.is_empty());
    for _ in 0..12 {
        simulated.after(600 * SECOND).await;
    }
    let ends = ends(&simulated).await;
    assert!(!ends.is_empty() && ends.iter().all(|text| text.contains("could not be ended")), "{ends:?}");
    assert!(ends.iter().all(|text| text.contains("in the provider's dashboard")), "{ends:?}");
    assert_eq!(all_left(&simulated).await, Vec::<String>::new());
}
