//! A table that fails on demand, by number or by item.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{
    AttributeValue, Item, Key, PARTITION, Page, Query, SORT, Table, TransactFault, Write, WriteFault,
};

use tokio::sync::watch;

use super::Faults;

/// The partition and the sort key of an item.
pub type Place = (String, String);

/// A table that fails on demand.
pub struct FaultyTable {
    inner: Arc<dyn Table>,
    faults: Arc<Faults>,
    poison: Mutex<Option<(String, Fault)>>,
    refused: Mutex<Option<(String, Fault)>>,
    unguarded: Mutex<Option<String>>,
    closed: watch::Sender<bool>,
    written: Mutex<BTreeMap<Place, Option<Item>>>,
}

impl FaultyTable {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Table>, faults: Arc<Faults>) -> Self {
        let closed = watch::Sender::new(false);
        let [poison, refused] = [Mutex::default(), Mutex::default()];
        Self { inner, faults, poison, refused, unguarded: Mutex::default(), closed, written: Mutex::default() }
    }

    /// From now on, every call that touches an item whose sort key contains `part` fails so.
    pub fn poison(&self, part: &str, fault: Fault) {
        *self.poison.lock().unwrap() = Some((part.to_owned(), fault));
    }

    /// From now on, every transaction that touches such an item is refused so.
    pub fn refuse(&self, part: &str, fault: Fault) {
        *self.refused.lock().unwrap() = Some((part.to_owned(), fault));
    }

    /// From now on, an item of a partition whose key contains `part` is put over whatever is there: its conditions guard
    /// nothing.
    pub fn unguard(&self, part: &str) {
        *self.unguarded.lock().unwrap() = Some(part.to_owned());
    }

    fn guarded(&self, write: Write) -> Write {
        match write {
            Write::Put { item, condition } => {
                let unguarded = self.unguarded.lock().unwrap();
                let is_unguarded = unguarded.as_ref().is_some_and(|part| text(&item, PARTITION).contains(part));
                Write::Put { item, condition: condition.filter(|_| !is_unguarded) }
            }
            write @ (Write::Update { .. } | Write::Delete { .. } | Write::Check { .. }) => write,
        }
    }

    /// No item is poisonous any more.
    pub fn heal(&self) {
        *self.refused.lock().unwrap() = None;
        *self.poison.lock().unwrap() = None;
    }

    /// From now on, transactions wait until they are let through.
    pub fn hold_transactions(&self) {
        self.closed.send_replace(true);
    }

    /// Lets transactions through.
    pub fn let_through(&self) {
        self.closed.send_replace(false);
    }

    /// The places of all items that were ever written or checked, with what was put there last, if it was put whole.
    pub fn written(&self) -> BTreeMap<Place, Option<Item>> {
        self.written.lock().unwrap().clone()
    }

    fn check<'a>(&self, sorts: impl IntoIterator<Item = &'a str>) -> Result<(), Fault> {
        let poison = self.poison.lock().unwrap();
        let Some((part, fault)) = &*poison else { return Ok(()) };
        let poisonous = sorts.into_iter().any(|sort| sort.contains(part));
        if poisonous { Err(fault.clone()) } else { Ok(()) }
    }

    fn note(&self, writes: &[Write]) {
        let mut written = self.written.lock().unwrap();
        for write in writes {
            match write {
                Write::Put { item, .. } => drop(written.insert(place(write), Some(item.clone()))),
                Write::Update { .. } | Write::Delete { .. } | Write::Check { .. } => {
                    written.entry(place(write)).or_default();
                }
            }
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    match item.inner().get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    }
}

fn place(write: &Write) -> Place {
    match write {
        Write::Put { item, .. } => (text(item, PARTITION), text(item, SORT)),
        Write::Update { key, .. } | Write::Delete { key, .. } | Write::Check { key, .. } => {
            (key.partition().to_owned(), key.sort().to_owned())
        }
    }
}

#[async_trait]
impl Table for FaultyTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.check([key.sort()])?;
        self.faults.read(self.inner.get(key), |fault| fault).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.check(keys.iter().map(Key::sort))?;
        self.faults.read(self.inner.get_many(keys), |fault| fault).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.faults.read(self.inner.query(query), |fault| fault).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.faults.read(self.inner.due(partition, until, limit), |fault| fault).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        self.check([place(&write).1.as_str()]).map_err(WriteFault::Fault)?;
        self.note(std::slice::from_ref(&write));
        let write = self.guarded(write);
        self.faults.change(self.inner.write(write), WriteFault::Fault).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let places: Vec<Place> = writes.iter().map(place).collect();
        if let Err(fault) = self.check(places.iter().map(|place| place.1.as_str())) {
            return vec![Err(WriteFault::Fault(fault)); writes.len()];
        }
        self.note(&writes);
        self.faults.change_each(writes, |writes| self.inner.write_many(writes), WriteFault::Fault).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let places: Vec<Place> = writes.iter().map(place).collect();
        self.check(places.iter().map(|place| place.1.as_str())).map_err(TransactFault::Fault)?;
        if let Some((part, fault)) = &*self.refused.lock().unwrap()
            && places.iter().any(|place| place.1.contains(part))
        {
            return Err(TransactFault::Fault(fault.clone()));
        }
        self.note(&writes);
        drop(self.closed.subscribe().wait_for(|closed| !closed).await);
        self.faults.change(self.inner.transact(writes), TransactFault::Fault).await
    }
}
