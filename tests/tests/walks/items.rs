//! Microsoft Graph proves each item of a lot by itself: what is not proved is dropped, and nobody is told.

use hooktide_flows::receive::NotTold;
use hooktide_tests::world::World;
use http::Request;
use serde_json::{Value, json};

#[tokio::test]
async fn an_item_with_a_wrong_client_state_is_dropped_and_the_others_count() {
    let world = World::new().await;
    let graph = world.connect(hooktide_providers::by_id("microsoft-graph").unwrap()).await;
    let (parts, body) = world.sample_of(&graph, "updated", 1).await.into_parts();
    let mut lot: Value = serde_json::from_slice(&body).unwrap();
    let good = lot["value"][0].clone();
    let mut forged = good.clone();
    forged["subscriptionId"] = json!("7f105c7d-2dc5-4530-97cd-4e7ae6534c07");
    forged["clientState"] = json!("reference.key.0000");
    lot["value"] = json!([forged, good]);
    let send = |lot: &Value| Request::from_parts(parts.clone(), lot.to_string().into());
    assert_eq!(world.request(send(&lot)).await.status, 202);
    world.tick().await;
    let activity = world.activity().await;
    assert_eq!(activity.len(), 1, "{activity:?}");
    assert!(!activity[0].to_string().contains("7f105c7d"), "{activity:?}");

    // A lot of which nothing is proved is answered the same, and leaves nothing.
    lot["value"] = json!([lot["value"][0]]);
    let answer = world.request(send(&lot)).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
    let mut request = send(&lot);
    *request.uri_mut() = graph.path.parse().unwrap();
    let answer = world.host.receiver.receive(request, "somebody", world.now()).await;
    assert!(answer.extensions().get::<NotTold>().is_some(), "the host counts it as refused");
    assert_eq!(world.tick().await, 0);
    assert_eq!(world.activity().await.len(), 1);
}
