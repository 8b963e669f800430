//! A table in ordered maps: what the embedded one does, at a fraction of its time, for simulations of months. It passes the
//! contract of tables (`contracts/table`), as the embedded one and DynamoDB do.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{
    AttributeValue, Cancellation, Condition, DUE_AT, DUE_PARTITION, Item, Key, PARTITION, Page, Query, Range, SORT,
    Table, TransactFault, Write, WriteFault,
};
use hooktide_store::statement::{MOST_WRITES, key_item};

/// The largest item, the largest page, and the largest transaction, in bytes.
const LARGEST: (usize, usize, usize) = (400 * 1024, 1024 * 1024, 4 * 1024 * 1024);

/// The table.
#[derive(Debug, Default)]
pub struct PlainTable(Mutex<Items>);

#[derive(Debug, Default)]
struct Items {
    partitions: BTreeMap<String, BTreeMap<String, Item>>,
    /// What has a time at which it is due, by the index's partition and that time.
    due: BTreeMap<(String, i128), BTreeSet<Key>>,
}

/// What a write leaves in place of an item; `None` where it changes nothing.
type After = Option<Option<Item>>;

impl Items {
    fn get(&self, key: &Key) -> Option<&Item> {
        self.partitions.get(key.partition())?.get(key.sort())
    }

    /// What a write would leave, if its condition holds.
    fn after(&self, write: &Write) -> Result<(Key, After), WriteFault> {
        let key = write.key().filter(|key| !key.partition().is_empty() && !key.sort().is_empty());
        let key = key.ok_or_else(|| failed("an item without a key"))?.into_owned();
        let there = self.get(&key);
        let (Write::Put { condition, .. } | Write::Update { condition, .. } | Write::Delete { condition, .. }) = write
        else {
            let Write::Check { condition, .. } = write else { return Err(failed("another kind of write")) };
            return holds(there, condition).then_some((key, None)).ok_or_else(|| refused(there));
        };
        let after = match write {
            Write::Put { item, .. } => Some(item.clone()),
            Write::Update { .. } => Some(updated(&key, there, write)?),
            Write::Delete { .. } | Write::Check { .. } => None,
        };
        after.iter().try_for_each(check)?;
        if !condition.as_ref().is_none_or(|condition| holds(there, condition)) {
            return Err(refused(there));
        }
        Ok((key, Some(after)))
    }

    fn apply(&mut self, (key, after): (Key, After)) {
        let Some(after) = after else { return };
        let partition = self.partitions.entry(key.partition().to_owned()).or_default();
        let before = match after.clone() {
            Some(item) => partition.insert(key.sort().to_owned(), item),
            None => partition.remove(key.sort()),
        };
        if let Some(due) = before.as_ref().and_then(due_of)
            && let Some(keys) = self.due.get_mut(&due)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.due.remove(&due);
            }
        }
        if let Some(due) = after.as_ref().and_then(due_of) {
            self.due.entry(due).or_default().insert(key);
        }
    }
}

impl PlainTable {
    /// The times at which anything is due, in milliseconds.
    pub fn due_times(&self) -> BTreeSet<i64> {
        self.items().due.keys().filter_map(|(_, at)| i64::try_from(*at).ok()).collect()
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Table for PlainTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        Ok(self.items().get(key).cloned())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        if keys.iter().collect::<HashSet<_>>().len() < keys.len() {
            return Err(Fault::failed("a key twice"));
        }
        let items = self.items();
        Ok(keys.iter().map(|key| items.get(key).cloned()).collect())
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        let items = self.items();
        let Some(partition) = items.partitions.get(query.partition.as_str()) else { return Ok(Page::default()) };
        let (from, until) = match &query.range {
            Range::All => (String::new(), None),
            Range::Prefix(prefix) => (prefix.clone(), None),
            Range::Between(from, until) if from <= until => (from.clone(), Some(until.clone())),
            Range::Between(..) => return Ok(Page::default()),
        };
        let until = until.map_or(Bound::Unbounded, Bound::Included);
        let found = partition.range((Bound::Included(from), until));
        let is_wanted = |(sort, _): &(&String, &Item)| match &query.range {
            Range::Prefix(prefix) => sort.starts_with(prefix),
            Range::All | Range::Between(..) => true,
        };
        let mut found: Vec<&Item> = found.take_while(is_wanted).map(|(_, item)| item).collect();
        if query.descending {
            found.reverse();
        }
        let (mut page, mut bytes) = (Page::default(), 0);
        for item in found {
            bytes += size(item);
            if page.items.len() == query.limit || bytes > LARGEST.1 && !page.items.is_empty() {
                page.more = true;
                break;
            }
            page.items.push(item.clone());
        }
        Ok(page)
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        let items = self.items();
        let bound = |at: i128| (partition.to_owned(), at);
        let due = items.due.range(bound(i128::MIN)..=bound(until.into())).flat_map(|(_, keys)| keys);
        Ok(due.take(limit).filter_map(|key| items.get(key).cloned()).collect())
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        if let Write::Check { .. } = write {
            return Err(failed("a check by itself"));
        }
        let mut items = self.items();
        let (key, after) = items.after(&write)?;
        items.apply((key, after.clone()));
        Ok(after.flatten().filter(|_| matches!(write, Write::Update { .. })))
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let mut results = Vec::new();
        for write in writes {
            results.push(self.write(write).await.map(drop));
        }
        results
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let mut items = self.items();
        let keys: HashSet<_> = writes.iter().filter_map(Write::key).collect();
        if writes.len() > MOST_WRITES || keys.len() < writes.len() {
            return Err(TransactFault::Fault(Fault::failed("more writes than fit, or two to one item")));
        }
        let (mut all, mut objections, mut bytes) = (Vec::new(), Vec::new(), 0);
        for write in &writes {
            objections.push(Cancellation::None);
            match items.after(write) {
                Ok(after) => {
                    bytes += after.1.iter().flatten().map(size).sum::<usize>();
                    all.push(after);
                }
                Err(WriteFault::Condition(there)) => {
                    objections.pop();
                    objections.push(Cancellation::Condition(there));
                }
                Err(WriteFault::Fault(fault)) => return Err(TransactFault::Fault(fault)),
                Err(WriteFault::Conflict) => {}
            }
        }
        if all.len() < writes.len() {
            return Err(TransactFault::Cancelled(objections));
        }
        if bytes > LARGEST.2 {
            return Err(TransactFault::Fault(Fault::failed("more bytes than fit")));
        }
        all.into_iter().for_each(|after| items.apply(after));
        Ok(())
    }
}

/// The item after an update.
fn updated(key: &Key, there: Option<&Item>, write: &Write) -> Result<Item, WriteFault> {
    let Write::Update { set, add, remove, .. } = write else { return Err(failed("no update")) };
    let names: Vec<&str> = set
        .iter()
        .map(|(name, _)| *name)
        .chain(add.iter().map(|(name, _)| *name))
        .chain(remove.iter().copied())
        .collect();
    let is_odd = names.is_empty() || names.iter().any(|name| [PARTITION, SORT].contains(name));
    if is_odd || names.iter().collect::<HashSet<_>>().len() < names.len() {
        return Err(failed("an update of nothing, of the key, or of one attribute twice"));
    }
    let mut item = there.cloned().unwrap_or_else(|| key_item(key));
    for (name, value) in set {
        item.insert((*name).to_owned(), value.clone());
    }
    for (name, by) in add {
        let before = item.get(*name).map_or(Some(0), number);
        let sum = before.ok_or_else(|| failed("what is no number is counted up"))? + i128::from(*by);
        item.insert((*name).to_owned(), AttributeValue::N(sum.to_string()));
    }
    for name in remove {
        item.remove(*name);
    }
    Ok(item)
}

/// Whether an item can be stored.
fn check(item: &Item) -> Result<(), WriteFault> {
    let odd_partition = item.get(DUE_PARTITION).is_some_and(|value| match value {
        AttributeValue::S(text) => text.is_empty(),
        _ => true,
    });
    let odd_time = item.get(DUE_AT).is_some_and(|value| number(value).is_none());
    let fits = !odd_partition && !odd_time && size(item) <= LARGEST.0;
    fits.then_some(()).ok_or_else(|| failed("an item that the index does not take, or that is too large"))
}

fn due_of(item: &Item) -> Option<(String, i128)> {
    match (item.get(DUE_PARTITION)?, item.get(DUE_AT)?) {
        (AttributeValue::S(partition), at) => Some((partition.clone(), number(at)?)),
        _ => None,
    }
}

fn holds(item: Option<&Item>, condition: &Condition) -> bool {
    let attribute = |name: &str| item?.get(name);
    match condition {
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::Equals(name, value) => attribute(name).is_some_and(|there| match (number(there), number(value)) {
            (Some(there), Some(value)) => there == value,
            _ => there == value,
        }),
        Condition::Less(name, value) => attribute(name).is_some_and(|there| match (there, value) {
            (AttributeValue::S(there), AttributeValue::S(value)) => there < value,
            (there, value) => number(there).zip(number(value)).is_some_and(|(there, value)| there < value),
        }),
        Condition::All(all) => all.iter().all(|condition| holds(item, condition)),
        Condition::Any(any) => any.iter().any(|condition| holds(item, condition)),
    }
}

/// A whole number.
fn number(value: &AttributeValue) -> Option<i128> {
    match value {
        AttributeValue::N(text) => text.parse().ok(),
        _ => None,
    }
}

/// About how many bytes DynamoDB counts for an item.
fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::L(list) => list.iter().map(|value| size_of(value) + 1).sum::<usize>() + 3,
        AttributeValue::M(map) => map.iter().map(|(name, value)| name.len() + size_of(value) + 1).sum::<usize>() + 3,
        AttributeValue::Ss(all) | AttributeValue::Ns(all) => all.iter().map(String::len).sum(),
        AttributeValue::Bs(all) => all.iter().map(Vec::len).sum(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
    }
}

fn failed(why: &str) -> WriteFault {
    WriteFault::Fault(Fault::failed(why))
}

fn refused(there: Option<&Item>) -> WriteFault {
    WriteFault::Condition(there.cloned().map(Box::new))
}
