//! The actors: providers, workers with the processor, the sweeper, readers of the feed, and an operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hooktide_flows::feed::{self, Cursor, FeedFault};
use hooktide_flows::jobs::due;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::message::Message;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::{Receipt, Receiver};
use hooktide_flows::replay;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records::dead_letter::Shelf;
use hooktide_store::records::replay::{Filter, Replay};
use jiff::{SignedDuration, Timestamp};

use super::mutations::{self, Mutation};
use super::queue::read_by_newer;
use super::scheduler::Activity;
use super::ties;
use super::world::{Accepted, Delivery, THINGS, Tells, World};

/// The most tries of a provider.
const TRIES: u32 = 8;
/// How many messages a worker takes at once.
const BATCH: usize = 25;

/// An actor, with the state that survives its crash.
pub enum Actor {
    /// Sends deliveries to its own receiver.
    Provider(Arc<Receiver>),
    /// Processes messages of these sources, or does the jobs there.
    Worker {
        /// The state that every crash resets.
        functions: Functions,
        /// The sources that it takes messages from.
        sources: &'static [Source],
        /// Whether it runs the next version of the code.
        newer: bool,
        /// How far its clock is off.
        skew: SignedDuration,
    },
    /// Sends deferred messages and lost jobs on.
    Sweeper,
    /// Reads a tenant's feed.
    Reader {
        /// Which reader.
        number: usize,
        /// The shop that the feed belongs to.
        shop: usize,
        /// How far it has read.
        cursor: Arc<std::sync::Mutex<Cursor>>,
    },
    /// Replays dead letters.
    Operator,
}

/// The flow that a worker runs.
#[derive(Clone)]
pub struct Functions {
    processor: Arc<Processor>,
    syncer: Arc<Syncer>,
}

/// The queues of an ordinary worker.
pub const ORDINARY: &[Source] = &[Source::Queue(QueueName::Notices), Source::Queue(QueueName::Priority), Source::Dead];
/// The queue of a worker that does jobs.
pub const JOBS: &[Source] = &[Source::Queue(QueueName::Jobs)];

impl Actor {
    /// A provider.
    pub fn provider(world: &World) -> Self {
        Self::Provider(Arc::new(Receiver::new(world.ports.clone(), world.settings.clone())))
    }

    /// A worker at these sources whose clock is off by this much.
    pub fn worker(world: &World, sources: &'static [Source], skew: SignedDuration, newer: bool) -> Self {
        let functions = Functions {
            processor: Arc::new(Processor::new(world.ports.clone(), world.settings.clone())),
            syncer: Arc::new(Syncer::new(world.ports.clone(), &world.settings)),
        };
        Self::Worker { functions, sources, newer, skew }
    }

    /// A reader of a shop's tenant, starting at the oldest entry.
    pub fn reader(world: &World, number: usize, shop: usize) -> Self {
        let cursor = Cursor::oldest(world.settings.lanes, world.scheduler.now());
        Self::Reader { number, shop, cursor: Arc::new(std::sync::Mutex::new(cursor)) }
    }

    /// Restarts after a crash, without the memory.
    pub fn restart(&mut self, world: &World) {
        match self {
            Self::Provider(_) => *self = Self::provider(world),
            Self::Worker { sources, skew, newer, .. } => {
                let other = world
                    .scheduler
                    .happens("fault: a worker with the other version", world.scheduler.rates().other_version * 10);
                *self = Self::worker(world, sources, *skew, *newer ^ other);
            }
            Self::Sweeper | Self::Reader { .. } | Self::Operator => {}
        }
    }

    /// The next activity; `None` if there is nothing to do.
    pub fn next(&self, world: &Arc<World>) -> Option<Activity> {
        let world = Arc::clone(world);
        match self {
            Self::Provider(receiver) => {
                let delivery = next_delivery(&world)?;
                let receiver = Arc::clone(receiver);
                Some(Box::pin(async move { send(&world, &receiver, delivery).await }))
            }
            Self::Worker { functions, sources, newer, skew } => {
                let source = sources[world.scheduler.choose(sources.len())];
                let (functions, newer, skew) = (functions.clone(), *newer, *skew);
                Some(Box::pin(async move { work(&world, &functions, source, newer, skew).await }))
            }
            Self::Sweeper => Some(Box::pin(async move {
                let now = world.scheduler.now();
                drop(due::deferred(&world.ports, now).await);
                drop(due::jobs(&world.ports, now).await);
            })),
            Self::Reader { number, shop, cursor } => {
                let (number, shop, cursor) = (*number, *shop, Arc::clone(cursor));
                Some(Box::pin(async move { read(&world, number, shop, &cursor).await }))
            }
            Self::Operator => Some(Box::pin(async move { replay_some(&world).await })),
        }
    }
}

/// The next delivery of a provider: one that it must send again, or a new one.
fn next_delivery(world: &World) -> Option<(u32, Delivery)> {
    let scheduler = &world.scheduler;
    let now = scheduler.now();
    let due = world.ledger().again.iter().position(|(at, _, _)| *at <= now);
    if let Some(place) = due {
        let (_, tries, delivery) = world.ledger().again.swap_remove(place);
        return Some((tries, delivery));
    }
    let rates = scheduler.rates();
    // In calm weather, nothing new is sent.
    if rates.storm == 0 {
        return None;
    }
    let noisy = scheduler.happens("a storm", rates.storm);
    let shop = if noisy { 0 } else { scheduler.choose(world.shops.len()) };
    let number = if noisy { 1 } else { 1 + scheduler.choose(usize::try_from(THINGS).expect("few")) as u64 };
    let tells = if scheduler.happens("fault: tampered", rates.tampered) {
        Tells::Tampered
    } else if scheduler.happens("fault: unreadable", rates.unreadable) {
        Tells::Unreadable
    } else {
        let old = if scheduler.happens("an old version", rates.old) { 3_600_000 } else { 0 };
        match scheduler.choose(40) {
            0 if number > THINGS / 2 => Tells::Delete(number),
            1 | 2 => Tells::Hint,
            3..8 => Tells::Privacy,
            _ => {
                let version = now.as_millisecond() - old - scheduler.choose(50) as i64;
                ties::update(world, shop, number, version)
            }
        }
    };
    Some((0, world.deliver(shop, tells)))
}

async fn send(world: &World, receiver: &Receiver, (tries, delivery): (u32, Delivery)) {
    let scheduler = &world.scheduler;
    // A provider that gets no answer sends again; this is noted first, in case the actor ends halfway.
    let later = scheduler.now() + Duration::from_secs(5 << tries.min(8));
    world.ledger().again.push((later, tries + 1, delivery.clone()));
    world.ledger().sent.insert(delivery.id.clone(), (delivery.shop, delivery.tells));
    let received_at = scheduler.now();
    let answer = receiver.receive(delivery.request.clone(), "192.0.2.1", received_at).await;
    scheduler.note("answered", answer.status().as_str());
    let mut ledger = world.ledger();
    let noted = ledger.again.iter().position(|(_, _, other)| other.id == delivery.id);
    match answer.extensions().get::<Receipt>() {
        Some(receipt) => {
            assert!(delivery.tells != Tells::Tampered, "a delivery that was tampered with was accepted");
            let accepted = Accepted { shop: delivery.shop, tells: delivery.tells, at: received_at };
            ledger.accepted.insert(receipt.trace.clone(), accepted);
            if let Some(place) = noted {
                ledger.again.swap_remove(place);
            }
            // Deliveries that only a lease keeps from being done twice are often sent again at once.
            let leased = delivery.tells == Tells::Privacy;
            // The newest delivery could lift an older tie when it is sent again.
            let (often, at) = match ties::is_newest(&ledger, &delivery) {
                _ if leased => (5, scheduler.now()),
                true => (3, later),
                false => (1, later),
            };
            if scheduler.happens("fault: sent again though accepted", often * scheduler.rates().sent_again) {
                ledger.again.push((at, tries + 1, delivery));
            }
        }
        None if delivery.tells == Tells::Tampered => {
            let refused = matches!(answer.status().as_u16(), 401 | 404 | 500..);
            assert!(refused, "tampered: {}", answer.status());
            if let Some(place) = noted {
                ledger.again.swap_remove(place);
            }
            ledger.refused.insert(delivery.id);
        }
        None => {
            let absent = answer.status() == 404 && world.observed.were_endpoints_absent();
            assert!(absent || answer.status().is_server_error(), "our own fault was answered {}", answer.status());
            // A delivery that a provider gave up is lost, but it was never accepted.
            if tries >= TRIES
                && let Some(place) = noted
            {
                ledger.again.swap_remove(place);
            }
        }
    }
}

async fn work(world: &World, functions: &Functions, source: Source, newer: bool, skew: SignedDuration) {
    let taken = world.queue.receive(source, BATCH).await;
    if taken.is_empty() {
        return;
    }
    // The receipt is what the host knows a message by; the flow knows it by its handle.
    let receipts: Vec<(String, u64)> =
        taken.iter().map(|(message, receipt)| (message.handle.clone(), *receipt)).collect();
    let messages: Vec<Message> = taken
        .into_iter()
        .map(|(message, _)| if newer { Message { body: read_by_newer(&message.body), ..message } } else { message })
        .map(|message| match world.mutation {
            Some(Mutation::TieByHash) => Message { body: mutations::without_time(&message.body), ..message },
            _ => message,
        })
        .collect();
    if world.mutation == Some(Mutation::DeletesBeforeCommit) {
        world.queue.delete(receipts.clone()).await;
    }
    let now = world.scheduler.now().checked_add(skew).expect("a time");
    world.queue.set_newer(newer);
    let over = AtomicBool::new(false);
    let is_over = || {
        let ends = world.scheduler.happens("fault: a run ended at its deadline", world.scheduler.rates().over);
        over.fetch_or(ends, Ordering::Relaxed) || ends
    };
    let failed = match source {
        Source::Queue(QueueName::Jobs) => functions.syncer.run_until(messages, now, &is_over).await,
        Source::Queue(QueueName::Notices | QueueName::Priority) | Source::Dead => {
            functions.processor.process_until(messages, now, &is_over).await
        }
    };
    world.queue.set_newer(false);
    let done = receipts.into_iter().filter(|(handle, _)| !failed.contains(handle)).collect();
    world.queue.delete(done).await;
}

async fn read(world: &World, number: usize, shop: usize, place: &std::sync::Mutex<Cursor>) {
    let cursor = place.lock().expect("one thread only").clone();
    let tenant = &world.shops[shop].tenant;
    let limit = 1 + world.scheduler.choose(30);
    let keep = world.settings.keep_journal;
    let now = world.scheduler.now();
    match feed::read(&*world.ports.table, tenant, &cursor, limit, keep, now).await {
        Ok(reading) => {
            let mut ledger = world.ledger();
            let seen = ledger.reader(number, shop);
            let clock = clock_of(place, world);
            for item in reading.items.iter().filter(|item| item.entry.change.is_some()) {
                if clock.is_none_or(|clock| item.entry.processed_at > clock) {
                    seen.see(item, tenant, &world.observed);
                }
            }
            // As a client does: the cursor travels as text.
            let next = Cursor::parse(&reading.next.to_text(), world.settings.lanes).expect("a cursor of ours");
            *place.lock().expect("one thread only") = next;
        }
        Err(FeedFault::Expired) => world.ledger().reader(number, shop).is_expired = true,
        Err(FeedFault::Ahead) => panic!("a cursor that was given is ahead of everything"),
        Err(FeedFault::Fault(_)) => {}
    }
}

/// The time up to which a reader whose cursor is a time takes everything as read: shortly before it looked last.
fn clock_of(_place: &std::sync::Mutex<Cursor>, world: &World) -> Option<Timestamp> {
    (world.mutation == Some(Mutation::CursorFromTheClock)).then(|| world.scheduler.now() - Duration::from_secs(2))
}

async fn replay_some(world: &World) {
    let shop = &world.shops[world.scheduler.choose(world.shops.len())];
    let now = world.scheduler.now();
    let replay = Replay {
        shelf: Shelf::Dead,
        filter: Filter::default(),
        rate_per_second: 50,
        started_at: now,
        after: None,
        sent: 0,
        finished_at: None,
    };
    let id = world.ports.entropy.time_ordered_id(now);
    world.scheduler.note("a replay", "");
    drop(replay::start(&world.ports, &shop.tenant, &id, &replay, now).await);
}
