//! Process: messages from a queue become changes.
//!
//! For a batch: read each message, find whose it is, parse it, and commit what it tells, one transaction per tenant
//! (see `commit.rs`); then publish, then say which messages the queue must deliver again. A message that fails is
//! handled by itself, by the sort of its fault: kept in the dead letters, put off, or tried again; that happens
//! before the queue is told that it is done with, so nothing is lost whenever the process ends.
//!
//! Not guaranteed: the order between two things, and that the bus hears of a change only once.

mod commit;
mod event;
mod fold;
mod instead;
mod owner;
mod parts;
mod pieces;
mod plan;
mod resolve;
mod whose;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tracing::{error, warn};

use self::owner::Owner;
use self::parts::{Parts, set_apart};
use self::pieces::{Unfinished, in_turn};
use self::work::Work;
use super::commit::journal::Journal;
use super::commit::origin::Origin;
use super::jobs::run::runner;
use super::message::Message;
use super::publish;
use super::settle::{Settler, Unprocessed};
use super::{Ports, Settings};
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind, Place};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::secret::KeyId;
use hooktide_model::tenant::Tenant;
use hooktide_providers::verified::{self, Verified};
use hooktide_store::bodies;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records::endpoint::{LastVerified, last_verified_key};
use hooktide_store::records::entity::Journaled;
use hooktide_store::records::{self, Upkeep};
use hooktide_store::remembered::Remembered;

/// How often at the most it is written down that a secret still verifies.
const NOTE_VERIFIED: Duration = Duration::from_secs(300);
/// How many secrets are remembered as noted.
const NOTED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Processes messages.
pub struct Processor {
    ports: Ports,
    settings: Settings,
    journal: Arc<Journal>,
    settler: Settler,
    noted: Remembered<(String, KeyId), ()>,
}

/// What an envelope tells.
struct Read {
    works: Vec<(Tenant, Work)>,
    /// Why it is kept all the same, if it is.
    unprocessed: Option<Fault>,
    /// Whether the works are all that its body tells.
    whole: bool,
}

impl Read {
    fn whole(works: Vec<(Tenant, Work)>) -> Self {
        Self { works, unprocessed: None, whole: true }
    }
}

/// An envelope of the batch, and whose it is.
struct Opened {
    envelope: Envelope,
    queue: QueueName,
    owner: Owner,
}

impl Opened {
    /// The message for whoever settles it.
    fn unprocessed(self) -> Unprocessed {
        let (tenant, connection) = (self.owner.tenant(), self.owner.connection().map(str::to_owned));
        Unprocessed { envelope: self.envelope, queue: self.queue, tenant, connection }
    }
}

impl Processor {
    /// A processor that has seen nothing yet.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let journal = Arc::new(Journal::new(&ports, &settings));
        let settler = Settler::new(ports.clone(), &settings, Arc::clone(&journal));
        Self { ports, settings, journal, settler, noted: Remembered::new(NOTED) }
    }

    /// Processes a batch; the handles of the messages that the queue must deliver again.
    pub async fn process(&self, messages: Vec<Message>, now: Timestamp) -> Vec<String> {
        self.process_until(messages, now, &|| false).await
    }

    /// Processes a batch as long as the run has time: what is not done when it `is_over` comes again, and goes on from what
    /// is committed. What the queue gave up on, after too many crashes, is kept in the dead letters.
    pub async fn process_until(
        &self,
        messages: Vec<Message>,
        now: Timestamp,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Vec<String> {
        let mut failed = Vec::new();
        let mut handles: HashMap<String, Vec<String>> = HashMap::new();
        let mut deliveries = Vec::new();
        for message in messages {
            let Source::Queue(queue) = message.source else {
                if let Err(fault) = self.bury_given_up(&message, now).await {
                    error!(%fault, "a message stays on the dead-letter queue");
                    failed.push(message.handle);
                }
                continue;
            };
            let envelope = match self.decode(&message, now).await {
                Ok(Some(envelope)) => envelope,
                Ok(None) => continue,
                Err(fault) => {
                    error!(%fault, "a message stays on its queue");
                    failed.push(message.handle);
                    continue;
                }
            };
            // A queue may deliver a message twice into one batch: the second shares the first one's fate.
            let same = handles.entry(envelope.kept_as()).or_default();
            same.push(message.handle);
            if same.len() == 1 {
                deliveries.push((envelope, queue));
            }
        }
        for (id, result) in self.process_envelopes(deliveries, now, is_over).await {
            if let Err(fault) = result {
                error!(envelope = id, %fault, "a message stays on its queue");
                failed.extend(handles.remove(&id).unwrap_or_default());
            }
        }
        failed
    }

    /// The envelope of a message; `None` if it is none that this code can process, and was set aside.
    async fn decode(&self, message: &Message, now: Timestamp) -> Result<Option<Envelope>, Fault> {
        match Envelope::decode(&message.body) {
            Ok(envelope) => Ok(Some(envelope)),
            Err(fault) => match self.envelope_of_event(&message.body, now).await? {
                Some(envelope) => Ok(Some(envelope)),
                None => self.settler.set_aside(message, fault, now).await.map(|()| None),
            },
        }
    }

    /// Keeps a message that the queue gave up on in the dead letters.
    async fn bury_given_up(&self, message: &Message, now: Timestamp) -> Result<(), Fault> {
        // What cannot be read is set aside: newer code may have been rolled back while it waited.
        let Some(envelope) = self.decode(message, now).await? else { return Ok(()) };
        if let EnvelopeKind::Job(job) = &envelope.kind
            && runner(&job.job).is_none()
        {
            // It waits for code that knows it.
            return self.settler.pass_on(envelope.encode()?, envelope.group(), QueueName::Jobs).await;
        }
        let owner = self.owner_of(&envelope).await?;
        let reason = "the queue delivered it too often without an end";
        let message = Opened { envelope, queue: QueueName::Notices, owner }.unprocessed();
        self.settler.bury(message, ErrorClass::QueueGaveUp, reason, now).await
    }

    /// Brings each envelope to an end: done, put off, or kept. `Err` only where that was not possible either.
    async fn process_envelopes(
        &self,
        envelopes: Vec<(Envelope, QueueName)>,
        now: Timestamp,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Vec<(String, Result<(), Fault>)> {
        let owners = self.owners(&envelopes).await;
        let mut faults: Vec<Option<Fault>> = Vec::with_capacity(envelopes.len());
        let mut opened = Vec::with_capacity(envelopes.len());
        for ((envelope, queue), owner) in envelopes.into_iter().zip(owners) {
            faults.push(owner.as_ref().err().cloned());
            // Whose it is, is not known: what becomes of it is filed with the system.
            let owner = owner.unwrap_or_else(|_| Owner::Tenant(Tenant::system()));
            opened.push(Opened { envelope, queue, owner });
        }
        // All bodies at once: where the blob store is slow, one after the other could take longer than a run may.
        let bodies = join_all(opened.iter().zip(&faults).map(|(one, fault)| async move {
            let delivery = one.envelope.delivery().filter(|_| fault.is_none())?;
            let body = bodies::read(delivery, &*self.ports.blobs).await;
            Some(body.map(|body| verified::reopen(delivery, body, one.envelope.received_at)))
        }));
        let bodies = bodies.await;
        let mut late: BTreeSet<usize> = BTreeSet::new();
        let mut by_tenant: BTreeMap<Tenant, Vec<Work>> = BTreeMap::new();
        let mut kept: Vec<Option<Fault>> = vec![None; opened.len()];
        for (index, (one, body)) in opened.iter_mut().zip(bodies).enumerate() {
            if faults[index].is_some() {
                continue;
            }
            if is_over() {
                late.insert(index);
                continue;
            }
            let done = match publish::publish_again(&self.ports, &one.envelope).await {
                Ok(done) => done,
                Err(fault) => {
                    faults[index] = Some(unpublished(fault));
                    continue;
                }
            };
            match self.read(index, one, body).await {
                Ok(Read { works, unprocessed, whole }) => {
                    kept[index] = unprocessed;
                    if let Some(routed) = owner::routed(&works).filter(|_| whole) {
                        one.owner = routed;
                    }
                    for (tenant, work) in works.into_iter().filter(|(_, work)| !done.contains(&work.id)) {
                        by_tenant.entry(tenant).or_default().push(work);
                    }
                }
                Err(fault) => faults[index] = Some(fault),
            }
        }
        for (tenant, chunk) in in_turn(&mut by_tenant) {
            if is_over() {
                late.extend(chunk.iter().map(|work| work.envelope));
                continue;
            }
            for Unfinished { envelope: index, fault, at } in self.commit_chunk(tenant, chunk, now).await {
                faults[index] = Some(worse(faults[index].take(), fault));
                let place = at.map(|Journaled { lane, position }| Place { tenant: tenant.clone(), lane, position });
                let committed = &mut opened[index].envelope.committed;
                committed.extend(place.filter(|place| !committed.contains(place)));
            }
        }
        self.note_verified(&opened, &faults, now).await;
        let mut results = Vec::with_capacity(opened.len());
        for (index, ((one, fault), unprocessed)) in opened.into_iter().zip(faults).zip(kept).enumerate() {
            let id = one.envelope.kept_as();
            // What has to come again is kept when it does: everything else of it is committed by then.
            let result = match fault.or(unprocessed) {
                // The run ended before this envelope's turn, so it is redelivered unchanged.
                _ if late.contains(&index) => Err(Fault::retryable("the run was over before its turn")),
                None => Ok(()),
                Some(fault) => self.settler.after_fault(one.unprocessed(), fault, now).await,
            };
            results.push((id, result));
        }
        results
    }

    /// What an envelope tells, and whose that is; beside it, why it is kept as well. Jobs are the syncer's.
    async fn read(&self, index: usize, one: &Opened, body: Option<Result<Verified, Fault>>) -> Result<Read, Fault> {
        match (&one.envelope.kind, body) {
            (EnvelopeKind::Job(_), _) => {
                let envelope = &one.envelope;
                self.settler.pass_on(envelope.encode()?, envelope.group(), QueueName::Jobs).await?;
                Ok(Read::whole(Vec::new()))
            }
            // What was unreadable is read again: after a replay, by code that may have learned to.
            (EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery), Some(body)) => {
                self.parse(index, one, delivery, &body?).await
            }
            (EnvelopeKind::Handshake(handshake), _) => {
                Ok(Read::whole(vec![resolve::handshake(index, &one.envelope, &one.owner, handshake)?]))
            }
            (EnvelopeKind::Notice(_) | EnvelopeKind::Unreadable(_), None) => Err(Fault::failed("a body was not read")),
        }
    }

    async fn parse(&self, index: usize, one: &Opened, delivery: &Delivery, verified: &Verified) -> Result<Read, Fault> {
        let webhooks =
            hooktide_providers::webhooks_by_id(&delivery.provider).ok_or_else(|| match delivery.provider.as_str() {
                "" => Fault::permanent(ErrorClass::Unreadable, "it came from no provider"),
                // Newer code that knew it may have been rolled back.
                id => Fault::retryable(format!("no provider is called {id:?} here")),
            })?;
        let notices = match &delivery.oversized {
            Some(oversized) => instead::notices(oversized, webhooks)?,
            None => catch_unwind(AssertUnwindSafe(|| {
                webhooks.readable(verified)?;
                webhooks.parse(verified)
            }))
            .unwrap_or_else(|_| Err(Fault::failed("the provider's parser panicked")))?,
        };
        let origin = Origin::of(&one.envelope, webhooks.profile().window);
        let Parts { notices, unprocessed, whole } = set_apart(notices, &one.owner, one.envelope.only.as_deref())?;
        let works = self.resolve(index, one, Arc::new(origin), notices).await?;
        Ok(Read { works, unprocessed, whole })
    }

    /// Writes down, now and then, that a secret still verifies deliveries.
    async fn note_verified(&self, opened: &[Opened], faults: &[Option<Fault>], now: Timestamp) {
        let mut writes = Vec::new();
        for (one, fault) in opened.iter().zip(faults) {
            let Some(delivery) = one.envelope.delivery() else { continue };
            let Some(key_id) = delivery.key_id.as_ref().filter(|_| fault.is_none()) else { continue };
            let seen = (delivery.endpoint.clone(), key_id.clone());
            if !self.noted.take_turn(seen, NOTE_VERIFIED, now) {
                continue;
            }
            let key = last_verified_key(&delivery.provider, &delivery.endpoint, key_id);
            let keep = Upkeep::until(now + self.settings.keep_dead_letters);
            writes.extend(records::put(&key, &LastVerified { at: one.envelope.received_at }, keep).ok());
        }
        // It is a convenience: a failure costs nothing but a line that is a little old.
        for result in self.ports.table.write_many(writes).await {
            if let Err(fault) = result {
                warn!(?fault, "a verification was not noted");
            }
        }
    }
}

/// That changes were committed and not published; it is tried until it succeeds.
fn unpublished(fault: Fault) -> Fault {
    match fault {
        Fault::Retryable { .. } => fault,
        Fault::Failed { .. } | Fault::Permanent { .. } => {
            Fault::retryable(format!("changes are committed and not published: {fault}"))
        }
    }
}

/// The fault that decides, of two of one envelope.
fn worse(one: Option<Fault>, other: Fault) -> Fault {
    fn rank(fault: &Fault) -> u8 {
        match fault {
            Fault::Retryable { .. } => 0,
            Fault::Failed { .. } => 1,
            Fault::Permanent { .. } => 2,
        }
    }
    match one {
        Some(one) if rank(&one) >= rank(&other) => one,
        Some(_) | None => other,
    }
}
