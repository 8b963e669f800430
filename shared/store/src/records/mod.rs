//! Typed records over the one table. Everything typed lives here, once.
//!
//! | record | partition key | sort key | attributes beside `v`, `rev`, `expires_at` |
//! |---|---|---|---|
//! | entity | `T#<tenant>#N#<connection>#<shard>` | `<kind>#<id>` | version, as_of, content, hash, deleted, by_receipt, restored, changed_at, deliveries, last |
//! | document | the same | `document#<kind>#<id>#<hash>` | body or blob |
//! | journal | `T#<tenant>#J#<lane>` | position, 16 digits | entries, compressed |
//! | journal genesis | `T#<tenant>#J#<lane>` | `genesis` | start |
//! | tag | `T#<tenant>#G#<tag>` | lane, 2 digits | n |
//! | delivery | `T#<tenant>#V#<hash of identity>` | `delivery` | envelope, fence, lease_until, done |
//! | job mark | `T#<tenant>#B` | `<kind>#<resource>` | hints, first_hint_at, due_at, running, again; `due` index |
//! | dead letter | `T#<tenant>#L` | envelope id | envelope, class, reason, ... |
//! | held | `T#<tenant>#H#<endpoint>` | `<account>#<envelope id>` | the same |
//! | privacy request | `T#<tenant>#X` | envelope id | the same |
//! | privacy record | `T#<tenant>#X` | `done#<envelope id>` | act, done_at, what was found |
//! | replay | `T#<tenant>#Y` | id | filter, rate, progress |
//! | deferred | `T#<tenant>#W` | message hash | message; `due` index |
//! | connection | `T#<tenant>#C` | id | provider, account, endpoint, sealed credentials |
//! | endpoint | `E#<provider>#<id>` | `endpoint` | tenant, connection, sealed secrets |
//! | last verified | `E#<provider>#<id>` | `verified#<key id>` | at |
//! | handshake | `E#<provider>#<id>` | `handshake` | code, received_at |
//! | owned endpoint | `T#<tenant>#P` | `<provider>#<id>` | (a reference) |
//! | route | `R#<provider>#<endpoint>` | account | tenant, connection |
//! | belonging | `R#<provider>#<endpoint>#<kind>#<id>` | `belonging` | account |
//! | token | `K#<id>` | `token` | tenant, scopes, SHA-256 of the secret |
//! | resource | `T#<tenant>#resources` | `<connection>#<name>[#<part>]` | mode, cursor, reading, last_sync, counts |
//! | authorization | `T#<tenant>#authorizations` | connection id | sealed tokens, expires_at, refused_since |
//! | budget | `T#<tenant>#budgets` | connection id | granted, breaker |
//! | subscription | `T#<tenant>#subscriptions` | `<connection>#<id>` | state, failures, provider_id, expires_at, next_at |
//! | mode switch | `T#<tenant>#switches` | `mode` | polling_percent, since, after |
//! | choice of calendars | `T#<tenant>#calendars` | connection id | user, choices |
//! | block | `T#<tenant>#blocks` | `<connection>#<calendar>#<connection of its event>#<event>#<occurrence>` | start, end, state, provider_id |
//! | name of a block | `T#<tenant>#block-names` | `id#<hash>`, `uid#<hash>` | block |
//! | slot of a block | `T#<tenant>#block-names` | `slot#<calendar>#<kind>#<time>#<block>` | block |
//! | membership of a connection | `T#<tenant>#block-names` | `person#<user>#<connection>` | connection |
//! | parting | `T#<tenant>#block-names` | `parting#<connection>` | users, is_whole, after |
//! | progress of a look | `T#<tenant>#block-names` | `progress#<connection>` | job, shard, calendar, event, block, crowded |
//! | lack of room for blocks | `T#<tenant>#block-names` | `crowded#<connection>` | pairs |
//! | known tenant | `T#system#tenants` | tenant | (a reference) |
//! | canary | `T#system#Z` | `canary` | a sealed text |
//! | company | `T#<tenant>#companies` | `<connection>#<company>` | since |
//! | listed transaction | `T#<tenant>#transactions#<connection>#<company>` | `<milliseconds, 15 digits>#<entity>` | its document |
//! | transaction by id | `T#<tenant>#transaction-ids#<id>` | `<connection>#<entity>` | (a reference) |
//! | total | `T#<tenant>#totals#<connection>#<company>` | `<quarter, 12 digits>#<currency>#<status>#<kind>#<payment type>#<lane>` | n, sum |
//! | rolled day | `T#<tenant>#rolled#<connection>#<company>` | `<day, 12 digits>` | figures, late |
//! | late changes | `T#<tenant>#late#<connection>#<company>` | `<day, 12 digits>#<lane>` | n |
//! | recount | `T#<tenant>#recounts` | `<connection>#<company>` | counted_to, corrected |
//! | listed account | `T#<tenant>#accounts` | `<id>#<connection>` | its document |
//! | shared answer | `T#<tenant>#answers` | hash of the question | versions, etag, made_at, body |
//! | owned token | `T#<tenant>#K` | id | (a reference) |
//!
//! Items carry `v`: this code reads its own version and all before it; a newer one is a retryable fault, so that a rollback
//! waits instead of losing. Items carry `rev`, which every change raises by one: a change is a put on the
//! condition that `rev` is still what was read.

mod as_text;
pub mod authorization;
pub mod block;
pub mod budget;
pub mod calendars;
pub mod canary;
pub mod connection;
pub mod dead_letter;
pub mod deferred;
pub mod delivery;
pub mod document;
pub mod endpoint;
pub mod entity;
pub mod grant;
pub mod guest;
pub mod job;
pub mod journal;
pub mod known_tenant;
pub mod mode_switch;
pub mod payment;
pub mod privacy;
pub mod replay;
pub mod resource;
pub mod shared_answer;
pub mod slot;
pub mod subscription;
pub mod tag;
pub mod token;

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::{
    AttributeValue, Cancellation, Condition, DUE_AT, DUE_PARTITION, EXPIRES_AT, Item, Key, PARTITION, Page, Query,
    Range, SORT, Table, TransactFault, Write, WriteFault,
};
use hooktide_model::fault::Fault;

/// The longest partition key that DynamoDB takes, in bytes.
const LONGEST_PARTITION: usize = 2048;
/// The longest sort key that DynamoDB takes, in bytes.
const LONGEST_SORT: usize = 1024;

/// How many small items are read at once.
const LARGE_PAGE: usize = 1_000;

/// A type that is stored as one item.
pub trait Record: Serialize + DeserializeOwned {
    /// Its name in fault texts.
    const NAME: &'static str;
    /// What makes each version of the one before it, from version 1 on. None is ever removed while an item of its version may
    /// exist.
    const UPGRADES: &'static [fn(&mut Item)] = &[];
    /// The version that is written.
    const VERSION: u32 = Self::UPGRADES.len() as u32 + 1;
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<R> {
    /// How many changes it has seen; the condition of the next one.
    pub rev: u64,
    /// The record.
    pub record: R,
}

/// What the store does with an item besides keeping it.
#[derive(Debug, Clone, Default)]
pub struct Upkeep {
    /// When it may be deleted.
    pub expires_at: Option<Timestamp>,
    /// In which partition of the `due` index it stands, and from when on it is due.
    pub due: Option<(String, Timestamp)>,
}

impl Upkeep {
    /// May be deleted then.
    pub fn until(expires_at: Timestamp) -> Self {
        Self { expires_at: Some(expires_at), due: None }
    }
}

/// Until when to keep what was received then and is written now: by the later of both, since one clock may be behind.
pub fn kept_until(received_at: Timestamp, now: Timestamp, keep: Duration) -> Timestamp {
    received_at.max(now) + keep
}

/// Puts a record that must not be there yet.
pub fn insert<R: Record>(key: &Key, record: &R, upkeep: Upkeep) -> Result<Write, Fault> {
    Ok(Write::Put { item: encode(key, 1, record, upkeep)?, condition: Some(Condition::Absent) })
}

/// Puts a record whatever is there: for what is derived from content and so the same each time.
pub fn put<R: Record>(key: &Key, record: &R, upkeep: Upkeep) -> Result<Write, Fault> {
    Ok(Write::Put { item: encode(key, 1, record, upkeep)?, condition: None })
}

/// Puts a record over the one that was read, if it has not changed since; over nothing if there was none.
pub fn replace<R: Record>(key: &Key, read: Option<u64>, record: &R, upkeep: Upkeep) -> Result<Write, Fault> {
    let Some(rev) = read else { return insert(key, record, upkeep) };
    Ok(Write::Put { item: encode(key, rev + 1, record, upkeep)?, condition: Some(unchanged(rev)) })
}

/// The condition that a record is as it was read.
pub fn unchanged(rev: u64) -> Condition {
    Condition::Equals("rev", number(rev))
}

/// A number attribute.
pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time as the store compares and deletes by: whole seconds.
fn seconds(time: Timestamp) -> AttributeValue {
    number(time.as_second())
}

fn encode<R: Record>(key: &Key, rev: u64, record: &R, upkeep: Upkeep) -> Result<Item, Fault> {
    let mut item: Item = serde_dynamo::to_item(record)
        .map_err(|error| Fault::failed(format!("a {} does not serialise: {error}", R::NAME)))?;
    let attributes = item.inner_mut();
    attributes.insert(PARTITION.into(), AttributeValue::S(key.partition().into()));
    attributes.insert(SORT.into(), AttributeValue::S(key.sort().into()));
    attributes.insert("v".into(), number(R::VERSION));
    attributes.insert("rev".into(), number(rev));
    if let Some(expires_at) = upkeep.expires_at {
        attributes.insert(EXPIRES_AT.into(), seconds(expires_at));
    }
    if let Some((partition, due_at)) = upkeep.due {
        attributes.insert(DUE_PARTITION.into(), AttributeValue::S(partition));
        attributes.insert(DUE_AT.into(), number(due_at.as_millisecond()));
    }
    Ok(item)
}

/// Reads an item as a record, whichever version wrote it.
pub fn decode<R: Record>(mut item: Item) -> Result<Stored<R>, Fault> {
    let version = whole(&item, "v");
    if version > u64::from(R::VERSION) {
        let detail = format!("a {} has version {version}, newer than this program's {}", R::NAME, R::VERSION);
        return Err(Fault::retryable(detail));
    }
    let Some(former) = usize::try_from(version).ok().and_then(|version| version.checked_sub(1)) else {
        return Err(Fault::failed(format!("a {} has no version", R::NAME)));
    };
    R::UPGRADES.iter().skip(former).for_each(|upgrade| upgrade(&mut item));
    let rev = rev_of(&item);
    let record = serde_dynamo::from_item(item)
        .map_err(|error| Fault::failed(format!("a stored {} does not read: {error}", R::NAME)))?;
    Ok(Stored { rev, record })
}

/// How many changes an item has seen.
pub fn rev_of(item: &Item) -> u64 {
    whole(item, "rev")
}

fn whole(item: &Item, name: &str) -> u64 {
    whole_number(item, name).unwrap_or(0)
}

/// A whole number that an item has under a name.
pub fn whole_number<T: FromStr>(item: &Item, name: &str) -> Option<T> {
    match item.inner().get(name) {
        Some(AttributeValue::N(text)) => text.parse().ok(),
        _ => None,
    }
}

/// Whether the store may delete an item.
pub fn has_expired(item: &Item, now: Timestamp) -> bool {
    match item.inner().get(EXPIRES_AT) {
        Some(AttributeValue::N(text)) => text.parse::<i64>().is_ok_and(|expires_at| expires_at <= now.as_second()),
        _ => false,
    }
}

/// The sort key of an item.
pub fn sort_of(item: &Item) -> &str {
    match item.inner().get(SORT) {
        Some(AttributeValue::S(sort)) => sort,
        _ => "",
    }
}

/// Reads one record.
pub async fn get<R: Record>(table: &dyn Table, key: &Key) -> Result<Option<Stored<R>>, Fault> {
    if key.partition().len() > LONGEST_PARTITION || key.sort().is_empty() || key.sort().len() > LONGEST_SORT {
        return Ok(None);
    }
    table.get(key).await?.map(decode).transpose()
}

/// Reads a page of records, each with its sort key.
pub async fn list<R: Record>(table: &dyn Table, query: &Query) -> Result<(Vec<(String, Stored<R>)>, bool), Fault> {
    let Page { items, more } = table.query(query).await?;
    let records = items.into_iter().map(|item| Ok((sort_of(&item).to_owned(), decode(item)?)));
    Ok((records.collect::<Result<_, Fault>>()?, more))
}

/// Reads all records of a partition that sort under `prefix`, page by page, up to `bound`.
pub async fn list_all<R: Record>(
    table: &dyn Table,
    partition: crate::ports::Partition,
    prefix: &str,
    bound: usize,
) -> Result<Vec<(String, Stored<R>)>, Fault> {
    list_range(table, partition, Range::Prefix(prefix.to_owned()), bound).await
}

/// Reads all records of a range of a partition, page by page, up to `bound`.
pub async fn list_range<R: Record>(
    table: &dyn Table,
    partition: crate::ports::Partition,
    range: Range,
    bound: usize,
) -> Result<Vec<(String, Stored<R>)>, Fault> {
    let mut all: Vec<(String, Stored<R>)> = Vec::new();
    loop {
        let range = all.last().map_or_else(|| range.clone(), |(last, _)| range.after(last));
        let query = Query { partition: partition.clone(), range, descending: false, limit: 100.min(bound - all.len()) };
        let (page, more) = list(table, &query).await?;
        let empty = page.is_empty();
        all.extend(page);
        if !more || empty || all.len() >= bound {
            return Ok(all);
        }
    }
}

/// Shows each item of a range of a partition, page by page, until all were shown.
pub async fn each_item(
    table: &dyn Table,
    partition: &crate::ports::Partition,
    mut range: Range,
    mut show: impl FnMut(&Item),
) -> Result<(), Fault> {
    loop {
        let query = Query { partition: partition.clone(), range, descending: false, limit: LARGE_PAGE };
        let page = table.query(&query).await?;
        page.items.iter().for_each(&mut show);
        match page.items.last().filter(|_| page.more) {
            Some(last) => range = query.range.after(sort_of(last)),
            None => return Ok(()),
        }
    }
}

/// The range of sort keys under `prefix` that come after `last`.
pub fn after(prefix: &str, last: &str) -> Range {
    Range::Prefix(prefix.to_owned()).after(last)
}

/// Whether a transaction was cancelled since something was there already, and not only by another one at the same time.
pub fn exists(reasons: &[Cancellation]) -> bool {
    reasons.iter().any(|reason| matches!(reason, Cancellation::Condition(_)))
}

/// The result of a transaction whose cancellation the caller did not expect: somebody else was faster.
pub fn overtaken(fault: TransactFault) -> Fault {
    match fault {
        TransactFault::Cancelled(_) => Fault::retryable("somebody else changed the records at the same time"),
        TransactFault::Fault(fault) => fault,
    }
}

/// The result of a write that need not be made where somebody else was faster.
pub fn unless_raced(written: Result<Option<Item>, WriteFault>) -> Result<(), Fault> {
    match written {
        Ok(_) | Err(WriteFault::Condition(_) | WriteFault::Conflict) => Ok(()),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}

/// The result of a write whose failed condition the caller did not expect: somebody else was faster.
pub fn raced(fault: WriteFault) -> Fault {
    match fault {
        WriteFault::Condition(_) | WriteFault::Conflict => {
            Fault::retryable("somebody else changed the record at the same time")
        }
        WriteFault::Fault(fault) => fault,
    }
}
