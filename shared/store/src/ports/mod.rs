//! The ports that a host must plug: one store, queues, a bus, the root keys, blobs and a clock.
//!
//! The types are our own or the ecosystem's, never an SDK's. Everything typed lives above them, once, in
//! [`crate::records`]. Each port's promises are written at its trait and checked by one contract suite that every
//! implementation passes.

mod http;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
pub use object_store::ObjectStore as Blobs;
pub use serde_dynamo::{AttributeValue, Item};

pub use self::http::{Call, Destination, Http, Limits};
pub use crate::key::{Key, Partition};
use hooktide_model::fault::Fault;
use hooktide_model::names::{Channel, Outcome};
use hooktide_model::sealing::RootKeys;
use hooktide_model::tenant::Tenant;

/// The attribute that holds an item's partition key.
pub const PARTITION: &str = "pk";
/// The attribute that holds an item's sort key.
pub const SORT: &str = "sk";
/// The partition key of the sparse `due` index.
pub const DUE_PARTITION: &str = "due_pk";
/// The sort key of the sparse `due` index: Unix time in milliseconds.
pub const DUE_AT: &str = "due_at";
/// When the store may delete an item: Unix time in seconds. Stores delete late, so conditions compare times themselves.
pub const EXPIRES_AT: &str = "expires_at";

/// A condition on the item that a write would touch.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The item does not exist.
    Absent,
    /// The item exists.
    Present,
    /// The attribute exists and equals the value.
    Equals(&'static str, AttributeValue),
    /// The attribute exists and is less than the value.
    Less(&'static str, AttributeValue),
    /// All of these conditions hold.
    All(Vec<Condition>),
    /// One of these conditions holds.
    Any(Vec<Condition>),
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Put the whole item (its key is among its attributes), replacing any other.
    Put {
        /// The item.
        item: Item,
        /// The condition, if there is one.
        condition: Option<Condition>,
    },
    /// Change single attributes, at least one and none of the key's; makes the item if it is absent.
    Update {
        /// The key of the item.
        key: Key,
        /// Attributes to set.
        set: Vec<(&'static str, AttributeValue)>,
        /// Attributes to count up, from zero if absent.
        add: Vec<(&'static str, i64)>,
        /// Attributes to remove.
        remove: Vec<&'static str>,
        /// The condition, if there is one.
        condition: Option<Condition>,
    },
    /// Delete the item; deleting an absent one succeeds.
    Delete {
        /// The key of the item.
        key: Key,
        /// The condition, if there is one.
        condition: Option<Condition>,
    },
    /// Write nothing, but fail the transaction unless the condition holds. Only in [`Table::transact`].
    Check {
        /// The key of the item.
        key: Key,
        /// The condition that must hold.
        condition: Condition,
    },
}

impl Write {
    /// The key of the item that it is about, if it has one.
    pub fn key(&self) -> Option<Cow<'_, Key>> {
        match self {
            Self::Put { item, .. } => Key::of(item).map(Cow::Owned),
            Self::Update { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => Some(Cow::Borrowed(key)),
        }
    }
}

/// Why a single write did not happen.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteFault {
    /// The condition failed; carries the item that is there instead, if there is one.
    Condition(Option<Box<Item>>),
    /// A transaction was using the same item; nothing was written.
    Conflict,
    /// The store failed; whether the write happened is unknown if the fault is retryable.
    Fault(Fault),
}

/// Why a transaction did not happen.
#[derive(Debug, Clone, PartialEq)]
pub enum TransactFault {
    /// Nothing was written; carries the objection to each write, in order.
    Cancelled(Vec<Cancellation>),
    /// The store failed; whether the transaction happened is unknown if the fault is retryable.
    Fault(Fault),
}

/// The objection to one write of a cancelled transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Cancellation {
    /// No objection.
    None,
    /// Its condition failed; carries the item that is there instead, if there is one.
    Condition(Option<Box<Item>>),
    /// Another transaction was using the same item.
    Conflict,
}

/// The items of one partition, in the order of their sort keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The partition.
    pub partition: Partition,
    /// The sort keys wanted.
    pub range: Range,
    /// Whether to read from the last to the first.
    pub descending: bool,
    /// The most items, none for zero; the store may return fewer (see [`Page::more`]).
    pub limit: usize,
}

/// A range of sort keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Range {
    /// All sort keys.
    All,
    /// Those that begin with this text.
    Prefix(String),
    /// Those from the first to the second, both included; none if the first is the later one.
    Between(String, String),
}

impl Range {
    /// The part of it that comes after `last`.
    #[must_use]
    pub fn after(&self, last: &str) -> Self {
        let end = match self {
            Self::All => "\u{10ffff}".to_owned(),
            Self::Prefix(prefix) => format!("{prefix}\u{10ffff}"),
            Self::Between(_, end) => end.clone(),
        };
        Self::Between(format!("{last}\u{1}"), end)
    }
}

/// A page of a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// Whether there may be more in the range after the last of them.
    pub more: bool,
}

/// The one store, with DynamoDB's semantics.
///
/// All reads but [`Table::due`] are strongly consistent. A write that returned is durable. A failed condition returns
/// the item that is there. Items that expired may still be returned. A read or write that can never succeed (an item
/// above 400 KB, a key twice in one call) is [`Fault::Failed`], and nothing of it happens.
#[async_trait]
pub trait Table: Send + Sync {
    /// One item.
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault>;
    /// Many items, in the order of their keys, which must differ from each other.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault>;
    /// A page of one partition.
    async fn query(&self, query: &Query) -> Result<Page, Fault>;
    /// Items of a `due` partition that are due at or before `until` (Unix time in milliseconds), earliest first.
    /// The index lags: whoever acts on an item claims it by a condition on the item itself.
    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault>;
    /// One write; [`Write::Update`] returns the item as it is now.
    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault>;
    /// Independent writes, each with its own result; results are in the order given, writes to one item in any.
    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>>;
    /// All or none of at most 100 writes to different items, 4 MB together.
    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault>;
}

/// The queue that a message travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueName {
    /// Notices.
    Notices,
    /// Notices that must not wait behind the others (payments).
    Priority,
    /// Jobs.
    Jobs,
}

impl QueueName {
    /// All queues.
    pub const ALL: [Self; 3] = [Self::Notices, Self::Priority, Self::Jobs];

    /// The name in settings, logs and the local store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notices => "notices",
            Self::Priority => "priority",
            Self::Jobs => "jobs",
        }
    }

    /// The queue with that name; if there is none, the one for notices, so that every message has a queue.
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|queue| queue.as_str() == name).unwrap_or(Self::Notices)
    }
}

/// The queue that a message was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// One of the queues that can be sent to.
    Queue(QueueName),
    /// The queue of messages that were received too often; nothing leaves it but by a delete.
    Dead,
}

impl Source {
    /// All sources.
    pub const ALL: [Self; 4] =
        [Self::Queue(QueueName::Notices), Self::Queue(QueueName::Priority), Self::Queue(QueueName::Jobs), Self::Dead];

    /// The name in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue(name) => name.as_str(),
            Self::Dead => "dead",
        }
    }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The queue.
    pub queue: QueueName,
    /// The body, at most 1 MiB.
    pub body: String,
    /// How long from now it cannot be received, at most [`MAX_DELAY`].
    pub delay: Duration,
    /// The group that it takes its turn with where the queue is fair: the endpoint for notices, the tenant for jobs.
    pub group: String,
}

/// The longest delay that a queue can hold a message back for.
pub const MAX_DELAY: Duration = Duration::from_secs(900);

/// The queues' sending side. Receiving is the host's.
///
/// `Ok` for a message means that it is durable. Messages are received at least once and in any order.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages; one result for each, in order.
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>>;

    /// How much waits at each source, as far as the queue knows.
    async fn waiting(&self) -> Result<Vec<Waiting>, Fault> {
        Ok(Vec::new())
    }
}

/// How much waits at a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The source.
    pub source: Source,
    /// Messages that could be received now.
    pub ready: u64,
    /// Messages that are held back until they are due.
    pub delayed: u64,
    /// Messages that are being worked on.
    pub in_flight: u64,
    /// When the oldest message that is ready or worked on was sent, if the queue tells.
    pub oldest_at: Option<Timestamp>,
    /// How many messages were handed out within the last minute, if the queue tells.
    pub per_minute: Option<u64>,
}

/// Sends one message.
pub async fn send_one(queue: &dyn Queue, message: Outgoing) -> Result<(), Fault> {
    queue.send(vec![message]).await.pop().unwrap_or_else(|| Err(Fault::failed("the queue gave no result")))
}

/// An entry for the bus: changes of one tenant on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct BusEntry {
    /// The tenant that the changes belong to.
    pub tenant: Tenant,
    /// The channel.
    pub channel: Channel,
    /// The text of `{"tenant": ..., "changes": [...]}`, at most 64 KB.
    pub detail: String,
}

/// Publishes changes, at least once.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes entries; one result for each, in order.
    async fn publish(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>>;
}

/// The root keys of the deployment.
#[async_trait]
pub trait Keys: Send + Sync {
    /// The current keys; implementations cache them.
    async fn root(&self) -> Result<Arc<RootKeys>, Fault>;

    /// The keys, with `id` among them if there is such a key: read anew if the cached ones do not know it, since they
    /// may have been rotated meanwhile. Implementations bound how often.
    async fn root_with(&self, _id: &str) -> Result<Arc<RootKeys>, Fault> {
        self.root().await
    }
}

/// Sorts a fault of the blob store. No such fault is the message's own; a missing blob is reported where it is read.
pub fn blob_fault(error: &object_store::Error) -> Fault {
    Fault::retryable(format!("the blob store: {error}"))
}

/// Counts the outcomes of deliveries for a host's metrics. Neither fails nor waits.
pub trait Meter: Send + Sync {
    /// Counts one more entry of the journal or of the dead letters.
    fn count(&self, provider: &str, outcome: Outcome, trace: &str);
}

/// Counts nothing.
impl Meter for () {
    fn count(&self, _provider: &str, _outcome: Outcome, _trace: &str) {}
}

/// The time in whole milliseconds. Only hosts ask for it; flows get it as an argument.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}
