//! What calls of the table cost on DynamoDB, counted at the port.
//!
//! The rules are DynamoDB's own, as documented: [item sizes], [read and write units], [index writes] and
//! [transactions]. Units are per 4 KB of consistent reads (half of that for the index) and per 1 KB of writes, twice
//! that in a transaction; a write costs by the larger of what was there and what is there now, a refused one by what
//! was there, and each costs one unit at least. Where the documents are silent, what was seen of DynamoDB counts:
//! index writes do not cost twice in a transaction, and an index entry that a write leaves as it was costs nothing.
//!
//! [item sizes]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
//! [read and write units]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
//! [index writes]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
//! [transactions]: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-capacity-handling

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ports::{
    AttributeValue, DUE_AT, DUE_PARTITION, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault,
};
use crate::statement::MOST_KEYS;
use hooktide_model::fault::Fault;

mod size;

pub use size::{item_size, value_size};

/// A table that passes every call through and counts what it would cost on DynamoDB.
///
/// To size a write it looks at the items before and after, by calls of the inner table that are not counted. So the
/// units are exact while nobody else writes the same items, and whatever injects failures belongs around it, not
/// inside. Meant for tests and benchmarks.
#[derive(Debug, Default)]
pub struct Metered<T> {
    inner: T,
    counts: Mutex<Counts>,
}

/// What each operation has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// By [`Table::get`].
    pub get: Usage,
    /// By [`Table::get_many`].
    pub get_many: Usage,
    /// By [`Table::query`].
    pub query: Usage,
    /// By [`Table::due`].
    pub due: Usage,
    /// By [`Table::write`].
    pub write: Usage,
    /// By [`Table::write_many`].
    pub write_many: Usage,
    /// By [`Table::transact`].
    pub transact: Usage,
}

impl Counts {
    /// What all operations have cost together.
    pub fn total(&self) -> Usage {
        let mut total = Usage::default();
        let Self { get, get_many, query, due, write, write_many, transact } = *self;
        for usage in [get, get_many, query, due, write, write_many, transact] {
            total += usage;
        }
        total
    }
}

/// What calls have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Calls of the port.
    pub calls: u64,
    /// Requests that DynamoDB would get, without retries and further pages.
    pub requests: u64,
    /// Items returned, written or refused.
    pub items: u64,
    /// Read units.
    pub read_units: f64,
    /// Write units of the table itself.
    pub write_units: u64,
    /// Write units of the `due` index.
    pub index_write_units: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.requests += other.requests;
        self.items += other.items;
        self.read_units += other.read_units;
        self.write_units += other.write_units;
        self.index_write_units += other.index_write_units;
    }
}

impl<T: Table> Metered<T> {
    /// Counts the calls of `inner`, from zero.
    pub fn new(inner: T) -> Self {
        Self { inner, counts: Mutex::default() }
    }

    /// What has been counted.
    pub fn counts(&self) -> Counts {
        *self.lock()
    }

    /// Starts from zero again.
    pub fn reset(&self) {
        *self.lock() = Counts::default();
    }

    /// The table that is counted.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items of `keys` that are there; a failure to look makes them count as absent.
    async fn look(&self, keys: &BTreeSet<Key>) -> BTreeMap<Key, Item> {
        let keys: Vec<Key> = keys.iter().cloned().collect();
        let items = if keys.is_empty() { Vec::new() } else { self.inner.get_many(&keys).await.unwrap_or_default() };
        keys.into_iter().zip(items).filter_map(|(key, item)| Some((key, item?))).collect()
    }
}

/// What a write may leave behind, known before it is made.
enum Outcome {
    /// This item.
    Item(Item),
    /// What is found afterwards.
    Look,
    /// Nothing.
    Nothing,
    /// What was there.
    Unchanged,
}

/// A write as far as its cost goes.
struct Planned {
    key: Option<Key>,
    outcome: Outcome,
}

impl Planned {
    fn of(write: &Write) -> Self {
        match write {
            Write::Put { item, .. } => Self { key: Key::of(item), outcome: Outcome::Item(item.clone()) },
            Write::Update { key, .. } => Self { key: Some(key.clone()), outcome: Outcome::Look },
            Write::Delete { key, .. } => Self { key: Some(key.clone()), outcome: Outcome::Nothing },
            Write::Check { key, .. } => Self { key: Some(key.clone()), outcome: Outcome::Unchanged },
        }
    }

    /// The cost of the write, if it was made or else refused.
    fn cost(&self, made: bool, before: &BTreeMap<Key, Item>, after: &BTreeMap<Key, Item>) -> Usage {
        let old = self.key.as_ref().and_then(|key| before.get(key));
        let new = match &self.outcome {
            _ if !made => old,
            Outcome::Item(item) => Some(item),
            Outcome::Look => self.key.as_ref().and_then(|key| after.get(key)),
            Outcome::Nothing => None,
            Outcome::Unchanged => old,
        };
        let units = |item: Option<&Item>| item.map_or(1, write_units);
        Usage {
            items: 1,
            write_units: units(old).max(units(new)),
            index_write_units: index_write_units(old, new),
            ..Usage::default()
        }
    }
}

fn keys<'a>(planned: impl IntoIterator<Item = &'a Planned>) -> BTreeSet<Key> {
    planned.into_iter().filter_map(|write| write.key.clone()).collect()
}

fn write_units(item: &Item) -> u64 {
    item_size(item).div_ceil(1024).max(1)
}

fn read_units(size: u64) -> f64 {
    size.div_ceil(4096).max(1) as f64
}

/// What the change from `old` to `new` costs the index: an entry that moves is deleted and put again.
fn index_write_units(old: Option<&Item>, new: Option<&Item>) -> u64 {
    fn entry(item: &Item) -> Option<(&AttributeValue, &AttributeValue)> {
        Some((item.get(DUE_PARTITION)?, item.get(DUE_AT)?))
    }
    let indexed = |item: &&Item| entry(item).is_some();
    match (old.filter(indexed), new.filter(indexed)) {
        (None, None) => 0,
        (Some(only), None) | (None, Some(only)) => write_units(only),
        (Some(old), Some(new)) if old == new => 0,
        (Some(old), Some(new)) if entry(old) == entry(new) => write_units(old).max(write_units(new)),
        (Some(old), Some(new)) => write_units(old) + write_units(new),
    }
}

fn read(requests: u64, items: u64, read_units: f64) -> Usage {
    Usage { calls: 1, requests, items, read_units, ..Usage::default() }
}

#[async_trait]
impl<T: Table> Table for Metered<T> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let result = self.inner.get(key).await;
        let units = result.as_ref().map_or(0.0, |item| read_units(item.as_ref().map_or(0, item_size)));
        self.lock().get += read(1, result.iter().flatten().count() as u64, units);
        result
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        let result = self.inner.get_many(keys).await;
        let asked = result.iter().flatten();
        let units = asked.clone().map(|item| read_units(item.as_ref().map_or(0, item_size))).sum();
        let requests = keys.len().div_ceil(MOST_KEYS) as u64;
        self.lock().get_many += read(requests, asked.flatten().count() as u64, units);
        result
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        let result = self.inner.query(query).await;
        let units = result.as_ref().map_or(0.0, |page| read_units(page.items.iter().map(item_size).sum()));
        self.lock().query += read(1, result.as_ref().map_or(0, |page| page.items.len() as u64), units);
        result
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        let result = self.inner.due(partition, until, limit).await;
        let units = result.as_ref().map_or(0.0, |items| read_units(items.iter().map(item_size).sum()) / 2.0);
        self.lock().due += read(1, result.as_ref().map_or(0, |items| items.len() as u64), units);
        result
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        let planned = Planned::of(&write);
        let before = self.look(&keys([&planned])).await;
        let result = self.inner.write(write).await;
        let mut usage = Usage { calls: 1, requests: 1, ..Usage::default() };
        match &result {
            Ok(item) => {
                let after = planned.key.clone().zip(item.clone()).into_iter().collect();
                usage += planned.cost(true, &before, &after);
            }
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => usage += planned.cost(false, &before, &before),
            Err(WriteFault::Fault(_)) => {}
        }
        self.lock().write += usage;
        result
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let planned: Vec<Planned> = writes.iter().map(Planned::of).collect();
        let before = self.look(&keys(&planned)).await;
        let results = self.inner.write_many(writes).await;
        let after = self.look(&looked_up(&planned)).await;
        let mut usage = Usage { calls: 1, requests: planned.len() as u64, ..Usage::default() };
        for (planned, result) in planned.iter().zip(&results) {
            match result {
                Ok(()) => usage += planned.cost(true, &before, &after),
                Err(WriteFault::Condition(_) | WriteFault::Conflict) => usage += planned.cost(false, &before, &after),
                Err(WriteFault::Fault(_)) => {}
            }
        }
        self.lock().write_many += usage;
        results
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let planned: Vec<Planned> = writes.iter().map(Planned::of).collect();
        let before = self.look(&keys(&planned)).await;
        let result = self.inner.transact(writes).await;
        let after = if result.is_ok() { self.look(&looked_up(&planned)).await } else { BTreeMap::new() };
        let mut usage = Usage { calls: 1, requests: 1, ..Usage::default() };
        if !matches!(result, Err(TransactFault::Fault(_))) {
            for planned in &planned {
                let cost = planned.cost(result.is_ok(), &before, &after);
                usage += Usage { write_units: 2 * cost.write_units, ..cost };
            }
        }
        self.lock().transact += usage;
        result
    }
}

/// The keys of the writes whose outcome must be looked at.
fn looked_up(planned: &[Planned]) -> BTreeSet<Key> {
    keys(planned.iter().filter(|write| matches!(write.outcome, Outcome::Look)))
}

#[cfg(test)]
mod tests;
