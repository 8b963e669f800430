//! Process: messages from a queue become changes.
//!
//! A batch goes through these steps: decode, owners, bodies, read (parse and resolve), commit and publish, settle. Each
//! message is a `Case`. One that fails is handled separately, by the sort of its fault; this happens before the queue
//! hears that the message is done, so nothing is lost whenever the process ends.
//!
//! Not guaranteed: the order between two entities, and that a change is published only once.

mod addressee;
mod case;
mod eventbridge;
mod instead;
mod noted;
mod owner;
mod parse;
mod parts;
mod pieces;
mod resolve;

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use tracing::error;

use self::case::{Case, Reading};
use self::noted::Noted;
use self::parts::{Parts, set_apart};
use self::pieces::in_turn;
use super::commit::Committer;
use super::commit::journal::Journal;
use super::jobs::run::runner;
use super::message::Message;
use super::publish;
use super::settle::Settler;
use super::{Ports, Settings};
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_providers::verified;
use hooktide_store::bodies;
use hooktide_store::ports::{QueueName, Source};

/// Processes messages.
pub struct Processor {
    ports: Ports,
    settings: Settings,
    committer: Committer,
    settler: Settler,
    noted: Noted,
}

impl Processor {
    /// A processor with empty caches.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let journal = Arc::new(Journal::new(&ports, &settings));
        let committer = Committer::new(ports.clone(), &settings, Arc::clone(&journal));
        let settler = Settler::new(ports.clone(), &settings, journal);
        Self { ports, settings, committer, settler, noted: Noted::default() }
    }

    /// Processes a batch, and returns the handles of the messages that the queue must deliver again.
    pub async fn process(&self, messages: Vec<Message>, now: Timestamp) -> Vec<String> {
        self.process_until(messages, now, &|| false).await
    }

    /// Processes a batch as long as the run has time: messages that are not done when it `is_over` are delivered again, and
    /// continue from what is committed. Messages that the queue gave up on, after too many crashes, are kept in the dead
    /// letters.
    pub async fn process_until(
        &self,
        messages: Vec<Message>,
        now: Timestamp,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Vec<String> {
        let (mut cases, mut failed) = self.decode_all(messages, now).await;
        owner::find(&*self.ports.table, &mut cases).await;
        self.fetch_bodies(&mut cases).await;
        for case in cases.iter_mut().filter(|case| case.fault.is_none()) {
            if is_over() {
                case.is_late = true;
            } else if let Err(fault) = self.read(case).await {
                case.fault = Some(fault);
            }
        }
        self.commit(&mut cases, now, is_over).await;
        self.noted.note(&*self.ports.table, &cases, self.settings.keep_dead_letters, now).await;
        failed.extend(self.settle(cases, now).await);
        failed
    }

    /// Keeps a message that the queue gave up on in the dead letters.
    async fn bury_given_up(&self, message: &Message, now: Timestamp) -> Result<(), Fault> {
        // An unreadable message is set aside: newer code may have been rolled back while it waited.
        let Some(envelope) = self.decode(message, now).await? else { return Ok(()) };
        if let EnvelopeKind::Job(job) = &envelope.kind
            && runner(&job.job).is_none()
        {
            // A job of an unknown kind waits for code that knows it.
            return self.settler.pass_on(envelope.encode()?, envelope.group(), QueueName::Jobs).await;
        }
        let mut cases = [Case::new(envelope, QueueName::Notices, message.handle.clone())];
        owner::find(&*self.ports.table, &mut cases).await;
        let [case] = cases;
        if let Some(fault) = case.fault {
            return Err(fault);
        }
        let reason = "the queue delivered it too often without an end";
        self.settler.bury(case.into_unprocessed(), ErrorClass::QueueGaveUp, reason, now).await
    }

    /// The cases of a batch, and the handles of the messages that stay on their queue.
    async fn decode_all(&self, messages: Vec<Message>, now: Timestamp) -> (Vec<Case>, Vec<String>) {
        let (mut cases, mut failed): (Vec<Case>, Vec<String>) = (Vec::new(), Vec::new());
        let mut places: HashMap<String, usize> = HashMap::new();
        for message in messages {
            let Source::Queue(queue) = message.source else {
                if let Err(fault) = self.bury_given_up(&message, now).await {
                    error!(%fault, "a message stays on the dead-letter queue");
                    failed.push(message.handle);
                }
                continue;
            };
            match self.decode(&message, now).await {
                Ok(None) => {}
                Ok(Some(envelope)) => match places.get(&envelope.kept_as()) {
                    Some(place) => cases[*place].handles.push(message.handle),
                    None => {
                        places.insert(envelope.kept_as(), cases.len());
                        cases.push(Case::new(envelope, queue, message.handle));
                    }
                },
                Err(fault) => {
                    error!(%fault, "a message stays on its queue");
                    failed.push(message.handle);
                }
            }
        }
        (cases, failed)
    }

    /// The envelope of a message; `None` if this code cannot process it, so that it was set aside.
    async fn decode(&self, message: &Message, now: Timestamp) -> Result<Option<Envelope>, Fault> {
        match Envelope::decode(&message.body) {
            Ok(envelope) => Ok(Some(envelope)),
            Err(fault) => match eventbridge::envelope(&message.body, &*self.ports.blobs, now).await? {
                Some(envelope) => Ok(Some(envelope)),
                None => self.settler.set_aside(message, fault, now).await.map(|()| None),
            },
        }
    }

    /// Fetches all bodies at once: with a slow blob store, one after the other could take longer than a run may.
    async fn fetch_bodies(&self, cases: &mut [Case]) {
        join_all(cases.iter_mut().filter(|case| case.fault.is_none()).map(|case| async move {
            let Some(delivery) = case.envelope.delivery() else { return };
            let body = bodies::read(delivery, &*self.ports.blobs).await;
            case.body = Some(body.map(|body| verified::reopen(delivery, body, case.envelope.received_at)));
        }))
        .await;
    }

    /// Reads the facts of a case, after the changes that it committed before are published.
    async fn read(&self, case: &mut Case) -> Result<(), Fault> {
        let done = publish::publish_again(&self.ports, &case.envelope).await.map_err(unpublished)?;
        let reading = match &case.envelope.kind {
            // Jobs belong to the syncer.
            EnvelopeKind::Job(_) => {
                let envelope = &case.envelope;
                self.settler.pass_on(envelope.encode()?, envelope.group(), QueueName::Jobs).await?;
                Reading::whole(Vec::new())
            }
            EnvelopeKind::Handshake(handshake) => Reading::whole(vec![resolve::handshake(case, handshake)?]),
            // An unreadable delivery is read again: after a replay, the code may be able to.
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => {
                let body = case.body.as_ref().ok_or_else(|| Fault::failed("a body was not read"))?;
                let body = body.as_ref().map_err(Fault::clone)?;
                let webhooks = parse::webhooks_of(delivery)?;
                let notices = parse::notices(webhooks, delivery, body)?;
                let Parts { notices, unprocessed, whole } =
                    set_apart(notices, &case.owner, case.envelope.only.as_deref())?;
                let facts = resolve::resolve(&self.ports, case, webhooks.profile().window, notices).await?;
                Reading { facts, unprocessed, whole }
            }
        };
        case.take_up(reading, &done);
        Ok(())
    }

    /// Commits the facts of all cases piece by piece, and publishes the changes of each.
    async fn commit(&self, cases: &mut [Case], now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) {
        let (mut late, mut unfinished) = (Vec::new(), Vec::new());
        for (tenant, piece) in in_turn(&cases.iter().map(|case| case.facts.as_slice()).collect::<Vec<_>>()) {
            if is_over() {
                late.extend(piece.iter().map(|task| task.case));
            } else {
                unfinished.extend(self.commit_piece(tenant, &piece, now).await);
            }
        }
        for index in late {
            cases[index].is_late = true;
        }
        for one in unfinished {
            let case = &mut cases[one.case];
            case.fail(one.fault);
            one.at.into_iter().for_each(|at| case.remember(at));
        }
    }

    /// Settles each case: done, put off, or kept. Returns the handles of those for which that was not possible either.
    async fn settle(&self, cases: Vec<Case>, now: Timestamp) -> Vec<String> {
        let mut failed = Vec::new();
        for mut case in cases {
            let (id, handles) = (case.envelope.kept_as(), std::mem::take(&mut case.handles));
            // An envelope that must be redelivered is kept then, when everything else of it is committed.
            let result = match case.fault.take().or(case.unprocessed.take()) {
                // The run ended before this case's turn, so its message is redelivered unchanged.
                _ if case.is_late => Err(Fault::retryable("the run was over before its turn")),
                None => Ok(()),
                Some(fault) => self.settler.after_fault(case.into_unprocessed(), fault, now).await,
            };
            if let Err(fault) = result {
                error!(envelope = id, %fault, "a message stays on its queue");
                failed.extend(handles);
            }
        }
        failed
    }
}

/// The fault of changes that are committed and not published; publishing is tried until it succeeds.
fn unpublished(fault: Fault) -> Fault {
    match fault {
        Fault::Retryable { .. } => fault,
        Fault::Failed { .. } | Fault::Permanent { .. } => {
            Fault::retryable(format!("changes are committed and not published: {fault}"))
        }
    }
}
