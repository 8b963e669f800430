//! The thread that owns the connection: gathers a round, commits it once, answers everybody.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use hooktide_model::fault::Fault;
use hooktide_store::ports::Clock;
use jiff::Timestamp;
use rusqlite::ErrorCode;
use tokio::sync::{mpsc, oneshot, watch};

use super::schema::OpenError;
use super::store::Store;

/// How many operations may wait; whoever comes then waits for room.
const WAITING: usize = 1024;
/// The most operations in one round.
const ROUND_OPERATIONS: usize = 512;
/// The most bytes of bodies in one round (a single operation may exceed it).
const ROUND_BYTES: usize = 16 * 1024 * 1024;

/// What an operation needs of its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its `Ok` is a promise: an fsync before the answer.
    Send {
        /// How much it writes.
        bytes: usize,
    },
    /// Must happen even if nobody waits for the answer any more.
    Change,
    /// Pointless if nobody waits for the answer any more.
    Ask,
}

/// The way to the writer thread; the thread ends when the last one is dropped and all is done that it was given.
#[derive(Debug, Clone)]
pub(super) struct Handle(mpsc::Sender<Operation>);

impl Handle {
    /// Has `work` run in the next round; answers after its commit.
    pub(super) async fn ask<T, W>(&self, kind: Kind, work: W) -> Result<T, Fault>
    where
        T: Send + 'static,
        W: FnMut(&mut Store) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let step = Box::new(Pending { work, done: None, answer });
        self.0.send(Operation { kind, step }).await.map_err(|_| died())?;
        answered.await.map_err(|_| died())?
    }
}

/// Starts the thread; the watch counts the rounds that receivers should look at.
pub(super) fn start(store: Store, clock: Arc<dyn Clock>) -> Result<(Handle, watch::Receiver<u64>), OpenError> {
    let (operations, waiting) = mpsc::channel(WAITING);
    let (changes, changed) = watch::channel(0);
    let writer = Writer { store, clock, waiting, changes, synced: true };
    std::thread::Builder::new()
        .name("hooktide-queue".to_owned())
        .spawn(move || {
            // Told of when all is unwound, since telling may fail as well.
            if std::panic::catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                tracing::error!("the queue's writer thread has died; nothing is sent or received till a restart");
            }
        })
        .map_err(|error| OpenError::NoThread { detail: error.to_string() })?;
    Ok((Handle(operations), changed))
}

struct Operation {
    kind: Kind,
    step: Box<dyn Step>,
}

/// An operation, whatever it returns.
trait Step: Send {
    fn abandoned(&self) -> bool;
    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, outcome: Result<(), Fault>);
}

struct Pending<T, W> {
    work: W,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

impl<T, W> Step for Pending<T, W>
where
    T: Send,
    W: FnMut(&mut Store) -> rusqlite::Result<T> + Send,
{
    fn abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(&mut self, store: &mut Store) -> rusqlite::Result<()> {
        // What a round that is undone did is let go first.
        self.done = None;
        self.done = Some((self.work)(store)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Fault>) {
        let Self { done, answer, .. } = *self;
        let outcome = outcome.and_then(|()| done.ok_or_else(|| Fault::failed("the queue did not run the operation")));
        // Whoever asked may have gone.
        answer.send(outcome).ok();
    }
}

struct Writer {
    store: Store,
    clock: Arc<dyn Clock>,
    waiting: mpsc::Receiver<Operation>,
    changes: watch::Sender<u64>,
    /// Whether the connection is at `synchronous = FULL`.
    synced: bool,
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.waiting.blocking_recv() {
            let round = self.gather(first);
            self.round(round);
        }
    }

    fn gather(&mut self, first: Operation) -> Vec<Operation> {
        let mut bytes = first.bytes();
        let mut round = vec![first];
        while round.len() < ROUND_OPERATIONS && bytes < ROUND_BYTES {
            let Ok(operation) = self.waiting.try_recv() else { break };
            bytes += operation.bytes();
            round.push(operation);
        }
        round
    }

    fn round(&mut self, mut round: Vec<Operation>) {
        round.retain(|operation| operation.kind != Kind::Ask || !operation.step.abandoned());
        let now = self.clock.now();
        match self.commit(&mut round, now) {
            Ok(outcomes) => {
                if self.store.finish() {
                    self.changes.send_modify(|change| *change = change.wrapping_add(1));
                }
                for (operation, outcome) in round.into_iter().zip(outcomes) {
                    operation.step.answer(outcome);
                }
            }
            Err(error) => {
                tracing::warn!(%error, operations = round.len(), "the queue could not commit");
                let fault = Fault::retryable(format!("the queue could not commit: {error}"));
                round.into_iter().for_each(|operation| operation.step.answer(Err(fault.clone())));
            }
        }
    }

    /// Runs the round in one transaction; an error means that nothing of it happened.
    fn commit(&mut self, round: &mut [Operation], now: Timestamp) -> rusqlite::Result<Vec<Result<(), Fault>>> {
        let mut committed = Ok(Vec::new());
        // A savepoint costs as much as a small operation, and few fail.
        for apart in [false, true] {
            committed = self.transact(round, now, apart);
            // Depending on the error, SQLite has rolled back by itself or not.
            if committed.is_err() && !self.store.connection.is_autocommit() {
                self.execute("ROLLBACK")?;
            }
            if committed.is_ok() {
                break;
            }
        }
        committed
    }

    /// Runs the round; where operations are kept apart, one that fails costs no other.
    fn transact(
        &mut self,
        round: &mut [Operation],
        now: Timestamp,
        apart: bool,
    ) -> rusqlite::Result<Vec<Result<(), Fault>>> {
        self.synchronise(round.iter().any(|operation| matches!(operation.kind, Kind::Send { .. })))?;
        self.store.start(now);
        self.execute("BEGIN IMMEDIATE")?;
        let mut outcomes = Vec::with_capacity(round.len());
        for operation in round {
            if !apart {
                operation.step.run(&mut self.store)?;
                outcomes.push(Ok(()));
                continue;
            }
            self.execute("SAVEPOINT operation")?;
            let outcome = match operation.step.run(&mut self.store) {
                Ok(()) => Ok(()),
                // A full disk can cost the whole transaction, and with it the savepoint to go back to.
                Err(error) if self.execute("ROLLBACK TO operation").is_err() => return Err(error),
                Err(error) => Err(fault(&error)),
            };
            self.execute("RELEASE operation")?;
            outcomes.push(outcome);
        }
        self.execute("COMMIT")?;
        Ok(outcomes)
    }

    /// Only between transactions does SQLite accept this.
    fn synchronise(&mut self, wanted: bool) -> rusqlite::Result<()> {
        if wanted != self.synced {
            let level = if wanted { "FULL" } else { "NORMAL" };
            self.store.connection.pragma_update(None, "synchronous", level)?;
            self.synced = wanted;
        }
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.store.connection.prepare_cached(sql)?.execute([]).map(drop)
    }
}

impl Operation {
    fn bytes(&self) -> usize {
        match self.kind {
            Kind::Send { bytes } => bytes,
            Kind::Change | Kind::Ask => 0,
        }
    }
}

fn died() -> Fault {
    Fault::failed("the queue's writer thread has died")
}

/// What one operation met: what passes with time, or what does not.
fn fault(error: &rusqlite::Error) -> Fault {
    let detail = format!("the queue failed: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => Fault::retryable(detail),
        _ => Fault::failed(detail),
    }
}
