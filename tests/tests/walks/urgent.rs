//! Payments before everything else.

use std::time::Duration;

use hooktide_model::envelope::Envelope;
use hooktide_store::ports::{Outgoing, QueueName, Source};
use hooktide_tests::merchant::{Merchant, Payment};
use serde_json::{Value, json};

/// How long one batch takes, in virtual time: longer than it takes a function with everything far away.
const BATCH: Duration = Duration::from_millis(500);

#[tokio::test]
async fn with_10_000_notices_waiting_a_payment_is_in_the_answers_within_5_seconds() {
    let merchant = Merchant::new(json!({})).await;
    let (world, host) = (&merchant.world, &merchant.world.host);
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
    let model: Value = serde_json::from_str(&world.take_messages(QueueName::Notices).await[0].body).unwrap();
    let group = Envelope::decode(&model.to_string()).unwrap().group().to_owned();
    let notice = |number: usize| {
        let mut envelope = model.clone();
        envelope["id"] = json!(format!("01J{number:023}"));
        Outgoing {
            queue: QueueName::Notices,
            group: format!("{group}-{}", number % 50),
            body: envelope.to_string(),
            delay: Duration::ZERO,
        }
    };
    for some in (0..10_000).collect::<Vec<_>>().chunks(500) {
        let sent = host.ports.queue.send(some.iter().map(|number| notice(*number)).collect()).await;
        assert!(sent.iter().all(Result::is_ok));
    }
    assert_eq!(merchant.deliver(&Payment::new("p-1", "2026-11-03T12:00:00Z").body()).await.status, 200);
    let (sent_at, etag) = (world.now(), world.get("/v1/transactions").await.headers["etag"].clone());
    // One worker alone, which has no time for anything else.
    let mut batches = 0;
    while world.get("/v1/transactions").await.headers["etag"] == etag {
        world.clock.advance(BATCH);
        for source in [QueueName::Priority, QueueName::Notices].map(Source::Queue) {
            if host.process_some(source).await.unwrap() > 0 {
                break;
            }
        }
        batches += 1;
        assert!(batches < 20);
    }
    assert!(world.now().duration_since(sent_at) <= jiff::SignedDuration::from_secs(5));
    assert_eq!(world.get("/v1/transactions/p-1").await.expect(200)["status"], "COMPLETED");
    let waiting = world.get("/v1/queues").await.expect(200);
    let notices = waiting["items"].as_array().unwrap().iter().find(|queue| queue["name"] == "notices").unwrap();
    assert!(notices["depth"].as_u64().unwrap() > 9_000, "{notices}");
}
