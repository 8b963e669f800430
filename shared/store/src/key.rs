//! Primary keys. Every key starts with its tenant, except those of endpoints, routes and tokens, which are looked up
//! before the tenant is known. Keys are built nowhere else.

use crate::ports::{AttributeValue, Item, PARTITION, SORT};
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;

/// How many partitions the entities of a connection are spread over.
pub const ENTITY_SHARDS: u8 = 16;

/// A partition key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(String);

/// The content of a partition of a tenant.
#[derive(Debug, Clone, Copy)]
pub enum Area<'a> {
    /// The entities of one connection and their documents, in one of [`ENTITY_SHARDS`].
    Entities(&'a str, u8),
    /// A lane of the journal.
    Journal(u8),
    /// The counter of one collection tag.
    Tag(&'a str),
    /// One delivery, by the hash of its identity.
    Delivery(&'a str),
    /// Job marks.
    Jobs,
    /// Dead letters.
    DeadLetters,
    /// Deliveries to one endpoint for accounts that nobody has connected.
    Held(&'a str),
    /// Requests about personal data.
    Privacy,
    /// Connections.
    Connections,
    /// The endpoints that the tenant owns, by reference.
    Endpoints,
    /// The tokens of the tenant, by reference.
    Tokens,
    /// Replays of dead letters.
    Replays,
    /// Messages that wait longer than a queue can hold them back.
    Deferred,
    /// Resources of connections.
    Resources,
    /// The access tokens of connections.
    Authorizations,
    /// The calls that connections may make.
    Budgets,
    /// Subscriptions at providers.
    Subscriptions,
    /// Switches for many connections at once.
    Switches,
    /// What was chosen for calendars.
    Calendars,
    /// Times that are taken in a calendar because they are in another one.
    Blocks,
    /// The names of these at their providers.
    BlockNames,
    /// The companies that have payments.
    Companies,
    /// The transactions of a company of a connection.
    Transactions(&'a str, &'a str),
    /// The transactions that have one id.
    TransactionIds(&'a str),
    /// The totals of a company of a connection.
    Totals(&'a str, &'a str),
    /// The days of a company of a connection that are rolled up.
    Rolled(&'a str, &'a str),
    /// The counters of late changes of a company's days.
    Late(&'a str, &'a str),
    /// Recounts of totals.
    Recounts,
    /// Answers that were made.
    Answers,
    /// Merchant accounts.
    Accounts,
    /// The tenants that have connections, in the system's partition.
    Tenants,
    /// The item that tells whether the root keys are those that the table was written under.
    Canary,
}

impl Partition {
    /// A partition of a tenant.
    pub fn of(tenant: &Tenant, area: Area<'_>) -> Self {
        let rest = match area {
            Area::Entities(connection, shard) => format!("N#{connection}#{shard:02}"),
            Area::Journal(lane) => format!("J#{lane:02}"),
            Area::Tag(tag) => format!("G#{tag}"),
            Area::Delivery(hash) => format!("V#{hash}"),
            Area::Jobs => "B".to_owned(),
            Area::DeadLetters => "L".to_owned(),
            Area::Held(endpoint) => format!("H#{endpoint}"),
            Area::Privacy => "X".to_owned(),
            Area::Connections => "C".to_owned(),
            Area::Endpoints => "P".to_owned(),
            Area::Tokens => "K".to_owned(),
            Area::Replays => "Y".to_owned(),
            Area::Deferred => "W".to_owned(),
            Area::Resources => "resources".to_owned(),
            Area::Authorizations => "authorizations".to_owned(),
            Area::Budgets => "budgets".to_owned(),
            Area::Subscriptions => "subscriptions".to_owned(),
            Area::Switches => "switches".to_owned(),
            Area::Calendars => "calendars".to_owned(),
            Area::Blocks => "blocks".to_owned(),
            Area::BlockNames => "block-names".to_owned(),
            Area::Companies => "companies".to_owned(),
            Area::Transactions(connection, company) => format!("transactions#{connection}#{company}"),
            Area::TransactionIds(id) => format!("transaction-ids#{id}"),
            Area::Totals(connection, company) => format!("totals#{connection}#{company}"),
            Area::Rolled(connection, company) => format!("rolled#{connection}#{company}"),
            Area::Late(connection, company) => format!("late#{connection}#{company}"),
            Area::Recounts => "recounts".to_owned(),
            Area::Answers => "answers".to_owned(),
            Area::Accounts => "accounts".to_owned(),
            Area::Tenants => "tenants".to_owned(),
            Area::Canary => "Z".to_owned(),
        };
        Self(format!("T#{tenant}#{rest}"))
    }

    /// The endpoint that a webhook address names.
    pub fn endpoint(provider: &str, endpoint: &str) -> Self {
        Self(format!("E#{provider}#{endpoint}"))
    }

    /// The routes of an endpoint, by account.
    pub fn routes(provider: &str, endpoint: &str) -> Self {
        Self(format!("R#{provider}#{endpoint}"))
    }

    /// The account that an entity of a shared endpoint belongs to.
    pub fn belonging(provider: &str, endpoint: &str, kind: Kind, id: &str) -> Self {
        Self(format!("R#{provider}#{endpoint}#{kind}#{id}"))
    }

    /// An API token.
    pub fn token(id: &str) -> Self {
        Self(format!("K#{id}"))
    }

    /// The key of the item that sorts under `sort`.
    pub fn key(self, sort: impl Into<String>) -> Key {
        Key { partition: self.0, sort: sort.into() }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    partition: String,
    sort: String,
}

impl Key {
    /// Reads the key from an item's attributes.
    pub(crate) fn of(item: &Item) -> Option<Self> {
        match (item.get(PARTITION), item.get(SORT)) {
            (Some(AttributeValue::S(partition)), Some(AttributeValue::S(sort))) => {
                Some(Self { partition: partition.clone(), sort: sort.clone() })
            }
            _ => None,
        }
    }

    /// The provider and the id of the endpoint whose partition it is in, if there is one.
    pub fn endpoint(&self) -> Option<(&str, &str)> {
        self.partition.strip_prefix("E#")?.split_once('#')
    }

    /// The partition key.
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The sort key.
    pub fn sort(&self) -> &str {
        &self.sort
    }
}

/// How many partitions of the `due` index the jobs of one kind are spread over.
pub const DUE_SHARDS: u8 = 16;

/// A partition of the sparse `due` index.
pub fn due_partition(kind: Due<'_>, shard: u8) -> String {
    let kind = match kind {
        Due::Job(job) => job.as_str(),
        Due::Deferred => "deferred",
    };
    format!("D#{kind}#{:02}", shard % DUE_SHARDS)
}

/// The kind of item that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due<'a> {
    /// A job of this kind.
    Job(&'a JobKind),
    /// A deferred message.
    Deferred,
}
