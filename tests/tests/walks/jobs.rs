//! Jobs: done by the syncer alone, from a queue of their own, and never lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hooktide_flows::Ports;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_model::envelope::{Envelope, EnvelopeKind, Job};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::Scope;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Outgoing, Queue, QueueName, Source, send_one};
use hooktide_store::times;
use hooktide_tests::world::World;
use http::Method;
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn depth(world: &World, queue: QueueName) -> (u64, u64) {
    let depths = world.host.queue.depth().await.expect("depths");
    let depth = depths.into_iter().find(|depth| depth.source == Source::Queue(queue)).expect("a depth");
    (depth.ready, depth.delayed)
}

async fn send(world: &World, queue: QueueName, body: String) {
    let message = Outgoing { queue, body, delay: Duration::ZERO, group: "any".into() };
    send_one(&*world.host.ports.queue, message).await.expect("a message is sent");
}

/// A job of newer code.
fn unknown(world: &World) -> String {
    let job = JobKind::named("full-count");
    let job = Job { tenant: Tenant::default_local(), job, resource: "stock/c".into() };
    Envelope::new("full-count-1".into(), EnvelopeKind::Job(job), world.now()).encode().expect("an envelope")
}

async fn dead_letters(world: &World) -> usize {
    let page = world.get("/v1/dead-letters").await.expect(200);
    page["items"].as_array().expect("letters").len()
}

/// A world with a dead letter, and a replay of it that was just started.
async fn with_replay() -> World {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    let messages = world.take_messages(QueueName::Notices).await;
    assert!(world.give_up(messages).await.is_empty());
    world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
    world
}

#[tokio::test]
async fn a_job_of_a_kind_that_nobody_here_knows_waits_wherever_it_comes() {
    for queue in [QueueName::Jobs, QueueName::Notices, QueueName::Priority] {
        let world = World::new().await;
        send(&world, queue, unknown(&world)).await;
        for _ in 0..100 {
            world.after(Duration::from_secs(900)).await;
        }
        assert_eq!(depth(&world, QueueName::Jobs).await, (0, 1), "{queue:?}");
        assert_eq!((dead_letters(&world).await, world.activity().await.len()), (0, 0), "{queue:?}");
        let job = world.take_messages(QueueName::Jobs).await;
        assert!(job.is_empty(), "it comes at its time");
        world.clock.advance(DAY);
        let job = world.take_messages(QueueName::Jobs).await;
        let envelope = Envelope::decode(&job[0].body).expect("an envelope");
        assert_eq!((envelope.id.as_str(), envelope.attempt), ("full-count-1", 0), "no try was used up");
        // Even what crashed the newer code ten times is not for this code to give up.
        assert!(world.give_up(job).await.is_empty());
        assert_eq!((dead_letters(&world).await, depth(&world, QueueName::Jobs).await), (0, (1, 0)));
    }
}

#[tokio::test]
async fn the_processor_does_no_job_but_passes_it_on() {
    let world = with_replay().await;
    assert_eq!((depth(&world, QueueName::Jobs).await, depth(&world, QueueName::Notices).await), ((1, 0), (0, 0)));
    let job = world.take_messages(QueueName::Jobs).await;
    assert!(world.host.processor.process(job, world.now()).await.is_empty());
    assert_eq!((dead_letters(&world).await, depth(&world, QueueName::Jobs).await), (1, (1, 0)), "nothing was replayed");
    world.tick().await;
    world.after(Duration::from_secs(1)).await;
    assert_eq!((dead_letters(&world).await, world.changes().await.len(), world.idle().await), (0, 1, Ok(())));
}

#[tokio::test]
async fn what_is_no_job_goes_from_the_jobs_queue_to_the_processor() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    for message in world.take_messages(QueueName::Notices).await {
        send(&world, QueueName::Jobs, message.body).await;
    }
    send(&world, QueueName::Jobs, "nothing of ours".into()).await;
    world.tick().await;
    assert_eq!((world.changes().await.len(), world.idle().await), (1, Ok(())));
    let system = world.token("system", &[Scope::Admin]).await;
    let system = world.call(&system, Method::GET, "/v1/dead-letters", None).await.expect(200);
    assert_eq!(system["items"][0]["class"], "unreadable");
}

#[tokio::test]
async fn a_hint_waits_in_its_mark_and_no_job_is_sent_that_nobody_does() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.sample(&shop, "inventory_levels/update", 1, world.now())).await;
    for _ in 0..5 {
        world.after(Duration::from_secs(60)).await;
        world.host.sweep().await.expect("a sweep");
    }
    assert_eq!((world.outcomes().await, world.idle().await), (vec!["waiting".to_owned()], Ok(())));
    let waiting = world.get("/v1/waiting").await.expect(200);
    assert_eq!((&waiting["items"][0]["kind"], &waiting["items"][0]["hints"]), (&json!("sync"), &json!(1)));
}

#[tokio::test]
async fn a_job_is_announced_for_the_time_at_which_it_is_due() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.call(&world.operator, Method::DELETE, &format!("/v1/connections/{}", shop.id), None).await.expect(200);
    assert_eq!(depth(&world, QueueName::Jobs).await, (0, 1));
    let due = world.host.queue.next_due(Source::Queue(QueueName::Jobs)).await.expect("a time");
    assert_eq!(due, Some(world.now() + hooktide_flows::erase::SETTLES));
    assert!(hooktide_flows::erase::SETTLES > times::SYNCER.lease, "no commit can be under way any more");
}

/// A queue that panics when a notice is sent.
struct Panicking(Arc<dyn Queue>);

#[async_trait]
impl Queue for Panicking {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        assert!(messages.iter().all(|message| message.queue == QueueName::Jobs), "a flaw");
        self.0.send(messages).await
    }
}

#[tokio::test]
async fn a_job_that_panics_is_tried_again_and_ends_in_the_dead_letters() {
    let world = with_replay().await;
    let ports = Ports { queue: Arc::new(Panicking(Arc::clone(&world.host.ports.queue))), ..world.host.ports.clone() };
    let syncer = Syncer::new(ports, &world.host.settings);
    for _ in 0..6 {
        let jobs = world.take_messages(QueueName::Jobs).await;
        assert!(syncer.run(jobs, world.now()).await.is_empty(), "no message stays on its queue");
        // A panic leaves the mark held until its lease ends.
        world.clock.advance(times::SYNCER.lease * 2);
    }
    let letters = world.get("/v1/dead-letters?limit=10").await.expect(200);
    let letter = letters["items"].as_array().expect("letters").iter().find(|letter| letter["provider"].is_null());
    let letter = letter.expect("the job's letter");
    assert_eq!((&letter["class"], &letter["reason"]), (&json!("tries-exhausted"), &json!("the job panicked")));
    // Once the flaw is mended, a replay of the letter takes the job up again.
    world.post("/v1/dead-letters/replay", json!({ "filter": { "id": letter["id"] } })).await.expect(202);
    for _ in 0..5 {
        world.after(Duration::from_secs(2)).await;
    }
    assert_eq!((dead_letters(&world).await, world.changes().await.len(), world.idle().await), (0, 1, Ok(())));
}
