#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicI64;
use std::sync::mpsc;
use std::task::Poll;

use super::*;

/// A clock that stands still until it is told to go on.
struct ManualClock(AtomicI64);

impl ManualClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000)))
    }

    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }

    fn set_back(&self, by: Duration) {
        self.0.fetch_sub(by.as_millis() as i64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

const NOTICES: Source = Source::Queue(QueueName::Notices);
const PRIORITY: Source = Source::Queue(QueueName::Priority);
const JOBS: Source = Source::Queue(QueueName::Jobs);
const SETTINGS: QueueSettings =
    QueueSettings { visibility: Duration::from_secs(200), jobs_visibility: Duration::from_secs(380), max_receives: 3 };
const SECOND: Duration = Duration::from_secs(1);

fn queue() -> (DurableQueue, Arc<ManualClock>) {
    let clock = ManualClock::new();
    (DurableQueue::in_memory(clock.clone(), SETTINGS).unwrap(), clock)
}

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.sqlite");
    (folder, path)
}

fn message(body: &str) -> Outgoing {
    Outgoing { queue: QueueName::Notices, body: body.to_owned(), delay: Duration::ZERO, group: "group".to_owned() }
}

fn delayed(body: &str, delay: Duration) -> Outgoing {
    Outgoing { delay, ..message(body) }
}

fn grouped(body: &str, group: &str) -> Outgoing {
    Outgoing { group: group.to_owned(), ..message(body) }
}

async fn send(queue: &DurableQueue, messages: Vec<Outgoing>) {
    for result in queue.send(messages).await {
        result.unwrap();
    }
}

async fn receive(queue: &DurableQueue, max: usize) -> Vec<Received> {
    queue.receive(NOTICES, max).await.unwrap()
}

fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| message.body.as_str()).collect()
}

fn receipts(received: &[Received]) -> Vec<(i64, u64)> {
    received.iter().map(|message| (message.id, message.receipt)).collect()
}

async fn depth_of(queue: &DurableQueue, source: Source) -> (u64, u64, u64) {
    let depths = queue.depth().await.unwrap();
    let depth = depths.iter().find(|depth| depth.source == source).unwrap();
    (depth.ready, depth.delayed, depth.in_flight)
}

/// Polls once.
async fn is_ready<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// Holds the writer until the returned sender is dropped, so that what is asked meanwhile shares one round.
async fn hold(queue: &DurableQueue) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), Fault>>) {
    let (go, wait) = mpsc::channel::<()>();
    let (entered, held) = tokio::sync::oneshot::channel();
    let mut entered = Some(entered);
    let writer = queue.writer.clone();
    let work = move |_: &mut Store| {
        entered.take().map(|entered| entered.send(()));
        wait.recv().ok();
        Ok(())
    };
    let holding = tokio::spawn(async move { writer.ask(Kind::Change, work).await });
    held.await.unwrap();
    (go, holding)
}

/// Lets spawned tasks (of this one-threaded runtime) run till all of them wait.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_sent_is_received_once_and_gone_after_its_delete() {
    let (queue, clock) = queue();
    send(&queue, vec![message("one\0two \u{1f9f5}")]).await;

    let received = receive(&queue, 10).await;
    assert_eq!(bodies(&received), ["one\0two \u{1f9f5}"]);
    assert_eq!((received[0].receive_count, received[0].sent_at), (1, clock.now()));
    assert_eq!(receive(&queue, 10).await, []);

    queue.delete(&receipts(&received)).await.unwrap();
    clock.advance(SECOND * 1000);
    assert_eq!(receive(&queue, 10).await, []);
}

#[tokio::test]
async fn a_message_reappears_when_its_visibility_ends() {
    let (queue, clock) = queue();
    send(&queue, vec![message("a")]).await;
    let first = receive(&queue, 1).await;

    clock.advance(SETTINGS.visibility - Duration::from_millis(1));
    assert_eq!(receive(&queue, 1).await, []);
    clock.advance(Duration::from_millis(1));
    let second = receive(&queue, 1).await;

    assert_eq!((second[0].id, second[0].receive_count), (first[0].id, 2));
    assert_ne!(second[0].receipt, first[0].receipt);
}

#[tokio::test]
async fn a_late_delete_by_a_superseded_receiver_does_nothing() {
    let (queue, clock) = queue();
    send(&queue, vec![message("a")]).await;
    let first = receive(&queue, 1).await;
    clock.advance(SETTINGS.visibility);
    let second = receive(&queue, 1).await;

    queue.delete(&receipts(&first)).await.unwrap();
    queue.release(&receipts(&first), Duration::ZERO).await.unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (0, 0, 1));

    queue.delete(&receipts(&second)).await.unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (0, 0, 0));
}

#[tokio::test]
async fn a_late_delete_that_nobody_superseded_still_counts() {
    let (queue, clock) = queue();
    send(&queue, vec![message("a")]).await;
    let received = receive(&queue, 1).await;
    clock.advance(SETTINGS.visibility * 2);
    queue.delete(&receipts(&received)).await.unwrap();
    assert_eq!(receive(&queue, 1).await, []);
}

#[tokio::test]
async fn a_receipt_that_was_never_given_out_fits_nothing() {
    let (queue, _clock) = queue();
    send(&queue, vec![message("a"), message("b")]).await;
    let received = receive(&queue, 1).await;
    let other = received[0].id + 1;
    for receipt in [7, u64::MAX] {
        queue.delete(&[(received[0].id, receipt), (other, receipt), (99, 1)]).await.unwrap();
        queue.release(&[(received[0].id, receipt), (other, 0)], SECOND).await.unwrap();
    }
    assert_eq!(depth_of(&queue, NOTICES).await, (1, 0, 1));
}

#[tokio::test]
async fn a_poison_message_goes_to_the_dead_queue() {
    let (queue, clock) = queue();
    send(&queue, vec![message("poison"), delayed("good", SETTINGS.visibility * 3)]).await;
    let mut last = Vec::new();
    for count in 1..=SETTINGS.max_receives {
        last = receive(&queue, 1).await;
        assert_eq!((last[0].body.as_str(), last[0].receive_count), ("poison", count));
        clock.advance(SETTINGS.visibility);
    }

    // The move to the dead queue takes no place in the receive that makes it.
    assert_eq!(bodies(&receive(&queue, 1).await), ["good"]);
    assert_eq!(depth_of(&queue, Source::Dead).await, (1, 0, 0));

    // The receiver that had it last is superseded by the move.
    queue.delete(&receipts(&last)).await.unwrap();
    let mut count = SETTINGS.max_receives;
    for _ in 0..5 {
        let dead = queue.receive(Source::Dead, 10).await.unwrap();
        count += 1;
        assert_eq!((dead[0].body.as_str(), dead[0].receive_count), ("poison", count));
        assert_eq!(dead[0].sent_at, last[0].sent_at);
        clock.advance(SETTINGS.visibility);
    }
    let dead = queue.receive(Source::Dead, 10).await.unwrap();
    queue.delete(&receipts(&dead)).await.unwrap();
    assert_eq!(depth_of(&queue, Source::Dead).await, (0, 0, 0));
}

#[tokio::test]
async fn a_release_counts_as_a_receive_and_so_ends_in_the_dead_queue() {
    let (queue, _clock) = queue();
    send(&queue, vec![message("poison")]).await;
    for _ in 0..SETTINGS.max_receives {
        let received = receive(&queue, 1).await;
        queue.release(&receipts(&received), Duration::ZERO).await.unwrap();
    }
    assert_eq!(receive(&queue, 1).await, []);
    assert_eq!(depth_of(&queue, Source::Dead).await, (1, 0, 0));
}

#[tokio::test]
async fn more_poison_than_one_promotion_takes_does_not_hide_what_is_good() {
    let (queue, clock) = queue();
    send(&queue, (0..2500).map(|_| message("poison")).collect()).await;
    for _ in 0..SETTINGS.max_receives {
        while !receive(&queue, MAX_RECEIVE).await.is_empty() {}
        clock.advance(SETTINGS.visibility);
    }
    send(&queue, vec![delayed("good", Duration::from_millis(1))]).await;
    clock.advance(Duration::from_millis(1));
    assert_eq!(bodies(&receive(&queue, 1).await), ["good"]);
    assert_eq!(depth_of(&queue, Source::Dead).await, (2500, 0, 0));
}

#[tokio::test]
async fn a_released_message_comes_back_when_it_was_told_to() {
    let (queue, clock) = queue();
    send(&queue, vec![message("a")]).await;
    let received = receive(&queue, 1).await;
    queue.release(&receipts(&received), SECOND * 5).await.unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (0, 1, 0));
    assert_eq!(receive(&queue, 1).await, []);
    clock.advance(SECOND * 5);
    assert_eq!(receive(&queue, 1).await[0].receive_count, 2);
}

#[tokio::test]
async fn work_can_be_prolonged_and_then_deleted() {
    let (queue, clock) = queue();
    send(&queue, vec![message("a")]).await;
    let received = receive(&queue, 1).await;
    clock.advance(SETTINGS.visibility - SECOND);
    queue.release(&receipts(&received), SETTINGS.visibility).await.unwrap();
    clock.advance(SETTINGS.visibility - SECOND);
    assert_eq!(receive(&queue, 1).await, []);
    queue.delete(&receipts(&received)).await.unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (0, 0, 0));
}

#[tokio::test]
async fn a_delayed_message_is_not_received_early() {
    let (queue, clock) = queue();
    send(&queue, vec![delayed("late", MAX_DELAY), message("now")]).await;
    assert_eq!(bodies(&receive(&queue, 10).await), ["now"]);
    clock.advance(MAX_DELAY - Duration::from_millis(1));
    assert_eq!(depth_of(&queue, NOTICES).await, (1, 1, 0));
    assert_eq!(bodies(&receive(&queue, 10).await), ["now"]);
    clock.advance(Duration::from_millis(1));
    assert_eq!(bodies(&receive(&queue, 10).await), ["late"]);
}

#[tokio::test]
async fn what_no_message_may_be_fails_alone() {
    let (queue, _clock) = queue();
    let largest = "x".repeat(MAX_BODY);
    let too_large = "x".repeat(MAX_BODY + 1);
    let too_long = MAX_DELAY + Duration::from_millis(1);
    let results = queue
        .send(vec![message("a"), message(&too_large), message(&largest), delayed("b", too_long), message("")])
        .await;
    let failed: Vec<bool> = results.iter().map(|result| matches!(result, Err(Fault::Failed { .. }))).collect();
    assert_eq!(failed, [false, true, false, true, false]);
    assert_eq!(bodies(&receive(&queue, 10).await), ["a", largest.as_str(), ""]);

    assert!(queue.send(vec![message(&too_large)]).await[0].is_err());
    assert_eq!(queue.send(Vec::new()).await, []);
}

#[tokio::test]
async fn the_oldest_due_comes_first() {
    let (queue, clock) = queue();
    send(&queue, vec![delayed("third", SECOND * 3), grouped("first", "z"), delayed("second", SECOND * 2)]).await;
    clock.advance(SECOND * 4);
    send(&queue, vec![grouped("fourth", "a")]).await;
    assert_eq!(bodies(&receive(&queue, 10).await), ["first", "second", "third", "fourth"]);
}

#[tokio::test]
async fn a_noisy_group_does_not_starve_a_quiet_one() {
    let (queue, _clock) = queue();
    send(&queue, (0..5000).map(|_| grouped("noise", "noisy")).collect()).await;
    assert_eq!(receive(&queue, 10).await.len(), 10);
    send(&queue, vec![grouped("quiet 1", "quiet"), grouped("quiet 2", "quiet"), grouped("alone", "")]).await;

    assert_eq!(bodies(&receive(&queue, 5).await), ["noise", "noise", "quiet 1", "quiet 2", "alone"]);
    send(&queue, vec![grouped("quiet 3", "quiet"), grouped("alone", "")]).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(receive(&queue, 1).await);
    }
    let mut seen = bodies(&seen);
    seen.sort_unstable();
    assert_eq!(seen, ["alone", "noise", "quiet 3"]);
}

#[tokio::test]
async fn the_queues_do_not_mix() {
    let (queue, _clock) = queue();
    let (pay, job) = (
        Outgoing { queue: QueueName::Priority, ..message("pay") },
        Outgoing { queue: QueueName::Jobs, ..message("job") },
    );
    send(&queue, vec![pay, job, message("note")]).await;
    assert_eq!(bodies(&queue.receive(PRIORITY, 10).await.unwrap()), ["pay"]);
    assert_eq!(bodies(&queue.receive(JOBS, 10).await.unwrap()), ["job"]);
    assert_eq!(queue.receive(Source::Dead, 10).await.unwrap(), []);
    assert_eq!(bodies(&receive(&queue, 10).await), ["note"]);
}

#[tokio::test]
async fn a_job_stays_hidden_for_as_long_as_its_longer_run_may_take() {
    let (queue, clock) = queue();
    send(&queue, vec![Outgoing { queue: QueueName::Jobs, ..message("job") }]).await;
    assert_eq!(queue.receive(JOBS, 10).await.unwrap().len(), 1);
    clock.advance(SETTINGS.jobs_visibility - Duration::from_millis(1));
    assert_eq!(queue.receive(JOBS, 10).await.unwrap(), []);
    clock.advance(Duration::from_millis(1));
    assert_eq!(queue.receive(JOBS, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_receive_hands_out_no_more_than_asked_and_never_more_than_the_limit() {
    let (queue, _clock) = queue();
    send(&queue, (0..1500).map(|_| message("a")).collect()).await;
    assert_eq!(receive(&queue, 0).await, []);
    assert_eq!(receive(&queue, 7).await.len(), 7);
    assert_eq!(receive(&queue, usize::MAX).await.len(), MAX_RECEIVE);
}

#[tokio::test]
async fn depth_tells_what_waits_where() {
    let (queue, clock) = queue();
    let start = clock.now();
    send(&queue, vec![message("a"), message("b")]).await;
    clock.advance(SECOND);
    send(&queue, vec![message("c"), delayed("d", SECOND * 10)]).await;
    let received = receive(&queue, 1).await;

    let depths = queue.depth().await.unwrap();
    assert_eq!(depths.iter().map(|depth| depth.source).collect::<Vec<_>>(), Source::ALL);
    let notices = Depth { source: NOTICES, ready: 2, delayed: 1, in_flight: 1, oldest_sent_at: Some(start), lately: 1 };
    assert_eq!(depths[0], notices);
    let empty = Depth { source: PRIORITY, ready: 0, delayed: 0, in_flight: 0, oldest_sent_at: None, lately: 0 };
    assert_eq!(depths[1], empty);

    queue.delete(&receipts(&received)).await.unwrap();
    clock.advance(SECOND * 10);
    assert_eq!(depth_of(&queue, NOTICES).await, (3, 0, 0));
}

#[tokio::test]
async fn next_due_is_when_the_next_message_becomes_visible() {
    let (queue, clock) = queue();
    assert_eq!(queue.next_due(NOTICES).await.unwrap(), None);
    send(&queue, vec![message("a"), delayed("b", SECOND * 300)]).await;
    assert_eq!(queue.next_due(NOTICES).await.unwrap(), Some(clock.now() + SECOND * 300));
    receive(&queue, 1).await;
    assert_eq!(queue.next_due(NOTICES).await.unwrap(), Some(clock.now() + SETTINGS.visibility));
    assert_eq!(queue.next_due(PRIORITY).await.unwrap(), None);
}

#[tokio::test]
async fn a_change_wakes_each_waiter_once_and_is_never_lost() {
    let (queue, clock) = queue();
    let other = queue.clone();
    let mut waiting = Box::pin(other.changed());
    assert!(!is_ready(&mut waiting).await);

    send(&queue, vec![message("a")]).await;
    waiting.await;
    // Sent before the wait began, and still seen.
    queue.changed().await;
    assert!(!is_ready(&mut Box::pin(queue.changed())).await);

    let received = receive(&queue, 1).await;
    queue.delete(&[(received[0].id, 99)]).await.unwrap();
    assert!(!is_ready(&mut Box::pin(queue.changed())).await);
    queue.release(&receipts(&received), Duration::ZERO).await.unwrap();
    queue.changed().await;
    other.changed().await;

    for _ in 1..SETTINGS.max_receives {
        receive(&queue, 1).await;
        clock.advance(SETTINGS.visibility);
    }
    assert!(!is_ready(&mut Box::pin(queue.changed())).await);
    receive(&queue, 1).await;
    // Something went to the dead queue.
    queue.changed().await;
}

#[tokio::test]
async fn reopening_keeps_what_was_sent_and_hands_out_at_once_what_was_in_flight() {
    let (_folder, path) = file();
    let clock = ManualClock::new();
    let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
    send(&queue, vec![message("flying"), message("gone"), delayed("late", SECOND * 60), message("ready")]).await;
    let received = receive(&queue, 2).await;
    queue.delete(&receipts(&received[1..])).await.unwrap();
    drop(queue);

    clock.advance(SECOND);
    let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (2, 1, 0));
    let again = receive(&queue, 10).await;
    assert_eq!(bodies(&again), ["flying", "ready"]);
    assert_eq!((again[0].id, again[0].receive_count), (received[0].id, 2));
    assert_ne!(again[0].receipt, received[0].receipt);
    clock.advance(SETTINGS.visibility);
    let again = receive(&queue, 10).await;
    assert_eq!(bodies(&again), ["late", "flying", "ready"]);

    // An id is not used again, although the messages that had the highest ones are gone.
    queue.delete(&receipts(&again)).await.unwrap();
    drop(queue);
    let queue = DurableQueue::open(&path, clock, SETTINGS).unwrap();
    send(&queue, vec![message("new")]).await;
    assert!(receive(&queue, 1).await[0].id > 4);
}

#[tokio::test]
async fn what_kills_every_owner_of_the_file_goes_to_the_dead_queue() {
    let (_folder, path) = file();
    let clock = ManualClock::new();
    send(&DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap(), vec![message("poison")]).await;
    for count in 1..=SETTINGS.max_receives {
        let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
        assert_eq!(receive(&queue, 1).await[0].receive_count, count);
    }
    let queue = DurableQueue::open(&path, clock, SETTINGS).unwrap();
    assert_eq!(receive(&queue, 1).await, []);
    assert_eq!(depth_of(&queue, Source::Dead).await, (1, 0, 0));
}

#[tokio::test]
async fn what_was_accepted_is_kept_although_every_handle_was_dropped() {
    let (_folder, path) = file();
    let clock = ManualClock::new();
    let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
    let (go, held) = hold(&queue).await;
    let sends: Vec<_> = (0..50)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.send(vec![message("a")]).await })
        })
        .collect();
    settle().await;
    sends.iter().for_each(tokio::task::JoinHandle::abort);
    held.abort();
    settle().await;
    drop(queue);
    drop(go);

    let queue = DurableQueue::open(&path, clock, SETTINGS).unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (50, 0, 0));
}

#[tokio::test]
async fn a_receive_that_nobody_waits_for_takes_nothing() {
    let (queue, _clock) = queue();
    send(&queue, vec![message("a")]).await;
    let (go, held) = hold(&queue).await;
    let other = queue.clone();
    let receiver = tokio::spawn(async move { other.receive(NOTICES, 1).await });
    settle().await;
    receiver.abort();
    settle().await;
    drop(go);
    held.await.unwrap().unwrap();
    assert_eq!(depth_of(&queue, NOTICES).await, (1, 0, 0));
}

#[tokio::test]
async fn a_full_disk_answers_retryable_and_recovers() {
    let (_folder, path) = file();
    let queue = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap();
    let pages = |wanted: Option<i64>| {
        queue.writer.ask(Kind::Change, move |store| {
            let used: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            let limit = wanted.unwrap_or(used + 20);
            store.connection.pragma_update_and_check(None, "max_page_count", limit, |_| Ok(()))
        })
    };
    pages(None).await.unwrap();

    let body = "x".repeat(10_000);
    let mut sent = 0;
    let fault = loop {
        match queue.send(vec![message(&body)]).await.pop().unwrap() {
            Ok(()) => sent += 1,
            Err(fault) => break fault,
        }
    };
    assert!(matches!(fault, Fault::Retryable { .. }), "{fault:?}");
    assert!(sent > 2);
    // A batch of which some would fit is not kept in part.
    let batch = queue.send((0..10).map(|_| message(&body)).collect()).await;
    assert!(batch.iter().all(Result::is_err));

    // What frees space still works, and then there is room again.
    let received = receive(&queue, 100).await;
    assert_eq!(received.len(), sent);
    queue.delete(&receipts(&received[..2])).await.unwrap();
    send(&queue, vec![message(&body)]).await;
    pages(Some(1_000_000)).await.unwrap();
    send(&queue, (0..10).map(|_| message(&body)).collect()).await;
    assert_eq!(depth_of(&queue, NOTICES).await, (11, 0, sent as u64 - 2));
}

#[tokio::test]
async fn a_failing_operation_does_not_fail_its_neighbours() {
    let (queue, _clock) = queue();
    let (go, held) = hold(&queue).await;
    let (before, broken, after) = (queue.clone(), queue.writer.clone(), queue.clone());
    let before = tokio::spawn(async move { before.send(vec![message("before")]).await });
    settle().await;
    let broken = tokio::spawn(async move {
        let work = |store: &mut Store| {
            store.send(&[message("half")])?;
            store.connection.execute("INSERT INTO message (id) VALUES (1)", [])
        };
        broken.ask(Kind::Send { bytes: 4 }, work).await
    });
    settle().await;
    let after = tokio::spawn(async move { after.send(vec![message("after")]).await });
    settle().await;
    drop(go);

    held.await.unwrap().unwrap();
    assert_eq!(before.await.unwrap(), [Ok(())]);
    assert!(matches!(broken.await.unwrap(), Err(Fault::Failed { .. })));
    assert_eq!(after.await.unwrap(), [Ok(())]);
    assert_eq!(bodies(&receive(&queue, 10).await), ["before", "after"]);
}

/// One round of a send, of `spoiler`, and of another send; all must be told to try again, and nothing be kept.
async fn expect_nothing_kept(spoiler: fn(&mut Store) -> rusqlite::Result<()>) {
    let (queue, _clock) = queue();
    let (go, held) = hold(&queue).await;
    let (before, spoiled, after) = (queue.clone(), queue.writer.clone(), queue.clone());
    let before = tokio::spawn(async move { before.send(vec![message("before")]).await });
    settle().await;
    let spoiled = tokio::spawn(async move { spoiled.ask(Kind::Change, spoiler).await });
    settle().await;
    let after = tokio::spawn(async move { after.send(vec![message("a"), message("b")]).await });
    settle().await;
    drop(go);

    held.await.unwrap().unwrap();
    let mut results = before.await.unwrap();
    results.push(spoiled.await.unwrap());
    results.extend(after.await.unwrap());
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|result| matches!(result, Err(Fault::Retryable { .. }))), "{results:?}");
    assert!(!is_ready(&mut Box::pin(queue.changed())).await);

    assert_eq!(depth_of(&queue, NOTICES).await, (0, 0, 0));
    send(&queue, vec![message("later")]).await;
    assert_eq!(bodies(&receive(&queue, 10).await), ["later"]);
}

#[tokio::test]
async fn a_failed_commit_answers_retryable_to_all_and_keeps_nothing() {
    // A deferred foreign key is noticed by the commit only.
    expect_nothing_kept(|store| {
        store.connection.execute_batch(
            "CREATE TABLE child (parent INTEGER REFERENCES message (id) DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO child VALUES (-1);",
        )
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_sqlite_gave_up_answers_retryable_to_all_and_keeps_nothing() {
    expect_nothing_kept(|store| {
        store.connection.execute_batch("ROLLBACK")?;
        Err(rusqlite::Error::InvalidQuery)
    })
    .await;
}

#[tokio::test]
async fn only_a_round_with_a_send_waits_for_the_disk() {
    let (_folder, path) = file();
    let queue = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap();
    let level = |kind: Kind| {
        queue
            .writer
            .ask(kind, |store| store.connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)))
    };
    let (normal, full) = (1, 2);
    assert_eq!(level(Kind::Send { bytes: 0 }).await.unwrap(), full);
    assert_eq!(level(Kind::Change).await.unwrap(), normal);
    assert_eq!(level(Kind::Ask).await.unwrap(), normal);
    assert_eq!(level(Kind::Send { bytes: 1 }).await.unwrap(), full);
}

#[tokio::test]
async fn a_file_in_use_is_refused_in_plain_words() {
    let (_folder, path) = file();
    let queue = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap();
    let error = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    send(&queue, vec![message("a")]).await;
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let (_folder, path) = file();
    drop(DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap());
    let connection = Connection::open(&path).unwrap();
    connection.busy_timeout(SECOND * 2).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();

    let error = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("run that version"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_queue_is_refused_and_left_as_it_is() {
    let (folder, path) = file();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::write(&path, "This is a letter, and not a database. ".repeat(100)).unwrap();
    let error = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error:?}");

    let error = DurableQueue::open(&folder.path().join("no/such"), ManualClock::new(), SETTINGS).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error:?}");
}

/// Sends four messages while the clock is a year ahead: to be received at once, delayed, received, and released.
async fn send_a_year_ahead(queue: &DurableQueue, clock: &ManualClock) {
    clock.advance(YEAR);
    send(queue, vec![message("received"), message("released")]).await;
    let received = receive(queue, 2).await;
    queue.release(&receipts(&received)[1..], SECOND * 3_600).await.unwrap();
    send(queue, vec![message("ready"), delayed("delayed", SECOND * 60)]).await;
    clock.set_back(YEAR);
}

/// This message comes when so much more time has passed, and no other.
async fn comes_after(queue: &DurableQueue, clock: &ManualClock, after: Duration, expected: &str) {
    clock.advance(after);
    let received = receive(queue, 10).await;
    assert_eq!(bodies(&received), [expected], "after {after:?}");
    queue.delete(&receipts(&received)).await.unwrap();
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[tokio::test]
async fn a_clock_that_was_ahead_holds_no_message_back_for_long() {
    let (queue, clock) = queue();
    send_a_year_ahead(&queue, &clock).await;
    for (after, expected) in
        [(Duration::ZERO, "ready"), (SETTINGS.visibility, "received"), (MAX_DELAY, "delayed"), (MAX_HIDDEN, "released")]
    {
        comes_after(&queue, &clock, after, expected).await;
    }
}

#[tokio::test]
async fn after_a_restart_a_clock_that_was_ahead_holds_no_message_back_for_long_either() {
    let (_folder, path) = file();
    let clock = ManualClock::new();
    let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
    send_a_year_ahead(&queue, &clock).await;
    drop(queue);
    let queue = DurableQueue::open(&path, clock.clone(), SETTINGS).unwrap();
    let mut received = receive(&queue, 10).await;
    received.sort_by_key(|message| message.id);
    assert_eq!(bodies(&received), ["received", "ready"], "what was in flight comes at once");
    queue.delete(&receipts(&received)).await.unwrap();
    for (after, expected) in [(MAX_DELAY, "delayed"), (MAX_HIDDEN, "released")] {
        comes_after(&queue, &clock, after, expected).await;
    }
}

#[tokio::test]
async fn a_dead_writer_answers_failed_and_hangs_nobody() {
    let (queue, _clock) = queue();
    let writer = queue.writer.clone();
    let work = |_: &mut Store| -> rusqlite::Result<()> { panic!("the writer dies for a test") };
    let killed = writer.ask(Kind::Change, work).await;
    assert!(matches!(killed, Err(Fault::Failed { .. })));

    let sent = queue.send(vec![message("a"), message("b")]).await;
    assert!(sent.iter().all(|result| matches!(result, Err(Fault::Failed { .. }))) && sent.len() == 2);
    assert!(matches!(queue.receive(NOTICES, 1).await, Err(Fault::Failed { .. })));
    assert!(matches!(queue.depth().await, Err(Fault::Failed { .. })));
    queue.changed().await;
}

#[tokio::test]
async fn no_frequent_query_sorts_or_scans() {
    let (queue, _clock) = queue();
    let plans = queue.writer.ask(Kind::Ask, |store| {
        let mut plans = Vec::new();
        for sql in [store::PROMOTE, store::FIRST, store::NEXT, store::NEXT_DUE, store::CLAMP] {
            let mut statement = store.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                plans.push(row.get::<_, String>(3)?);
            }
        }
        Ok(plans)
    });
    let plans = plans.await.unwrap();
    let slow: Vec<_> = plans.iter().filter(|plan| plan.contains("SCAN") || plan.contains("TEMP B-TREE")).collect();
    assert!(!plans.is_empty() && slow.is_empty(), "{plans:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_and_receivers_lose_and_double_nothing() {
    let (_folder, path) = file();
    let queue = DurableQueue::open(&path, ManualClock::new(), SETTINGS).unwrap();
    let senders: Vec<_> = (0..32)
        .map(|sender| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for number in 0..20 {
                    send(&queue, vec![grouped(&format!("{sender}/{number}"), &format!("{}", sender % 5))]).await;
                }
            })
        })
        .collect();
    let receivers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let received = receive(&queue, 7).await;
                    queue.delete(&receipts(&received)).await.unwrap();
                    if received.iter().any(|message| message.body == "end") {
                        return seen;
                    }
                    seen.extend(received.iter().map(|message| message.body.clone()));
                    if received.is_empty() {
                        queue.changed().await;
                    }
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    while depth_of(&queue, NOTICES).await != (0, 0, 0) {
        tokio::task::yield_now().await;
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        send(&queue, vec![message("end")]).await;
        while depth_of(&queue, NOTICES).await != (0, 0, 0) {
            tokio::task::yield_now().await;
        }
    }
    for receiver in receivers {
        seen.extend(receiver.await.unwrap());
    }
    assert_eq!(seen.len(), 32 * 20);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 32 * 20);
}

#[tokio::test]
async fn a_group_that_takes_long_leaves_receivers_for_the_others() {
    let (queue, _clock) = queue();
    send(&queue, (0..6).map(|n| grouped(&format!("slow {n}"), "slow")).collect()).await;
    let first = queue.claim(NOTICES, 1, 2).await.unwrap();
    let second = queue.claim(NOTICES, 1, 2).await.unwrap();
    assert_eq!((first.0.len(), second.0.len()), (1, 1));
    assert!(queue.claim(NOTICES, 25, 2).await.unwrap().0.is_empty(), "two are at it, and that is enough");
    send(&queue, vec![grouped("quick", "quick")]).await;
    let other = queue.claim(NOTICES, 25, 2).await.unwrap();
    assert_eq!(bodies(&other.0), ["quick"]);
    drop(first.1);
    assert_eq!(queue.claim(NOTICES, 25, 2).await.unwrap().0.len(), 4, "one is free again");
}
