//! Ports that fail, and that end the run which uses them: its future waits for ever, and whoever runs it gives it up.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{AttributeValue, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Flaw;

/// What decides about faults: how many calls of a million fail so.
pub struct Chance {
    random: Mutex<StdRng>,
    rates: Mutex<Rates>,
}

/// How many calls of a million fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// The run ends before the call.
    pub ends_before: u32,
    /// The run ends after the call.
    pub ends_after: u32,
    /// The call fails, and may be repeated.
    pub fails: u32,
}

impl Chance {
    /// Decided by a seed; nothing fails yet.
    pub fn new(seed: u64) -> Self {
        Self { random: Mutex::new(StdRng::seed_from_u64(seed)), rates: Mutex::default() }
    }

    /// From now on, calls fail so often.
    pub fn set(&self, rates: Rates) {
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    /// Whether something happens that happens so often in a million times.
    pub fn happens(&self, of_a_million: u32) -> bool {
        of_a_million > 0 && self.below(1_000_000) < u64::from(of_a_million)
    }

    /// A number below this one.
    pub fn below(&self, end: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..end.max(1))
    }

    async fn around<T>(&self, call: impl Future<Output = T> + Send, failed: impl FnOnce() -> T) -> T {
        let rates = *self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if self.happens(rates.ends_before) {
            std::future::pending::<()>().await;
        }
        if self.happens(rates.fails) {
            return failed();
        }
        let done = call.await;
        if self.happens(rates.ends_after) {
            std::future::pending::<()>().await;
        }
        done
    }
}

/// A table whose calls fail by chance.
pub struct MortalTable {
    /// The table.
    pub inner: Arc<dyn Table>,
    /// What decides.
    pub chance: Arc<Chance>,
    /// A flaw for tests.
    pub flaw: Option<Flaw>,
}

impl MortalTable {
    /// The write of a flawed host in place of this one.
    fn flawed(&self, write: Write) -> Write {
        let Write::Put { mut item, condition } = write else { return write };
        let attributes = item.inner_mut();
        match self.flaw {
            Some(Flaw::PollsAlways) => {
                if let Some(AttributeValue::M(reasons)) = attributes.get_mut("reasons")
                    && let Some(count) = reasons.remove("probe")
                {
                    reasons.insert("poll".to_owned(), count);
                }
            }
            Some(Flaw::CursorWithoutPage) | None => {}
        }
        Write::Put { item, condition }
    }

    async fn all(&self, mut writes: Vec<Write>) -> Result<(), TransactFault> {
        if self.flaw == Some(Flaw::CursorWithoutPage) && self.chance.happens(100_000) {
            let is_cursor =
                |write: &Write| matches!(write, Write::Put { item, .. } if item.inner().contains_key("reading"));
            if let Some(place) = writes.iter().position(is_cursor) {
                writes = vec![writes.swap_remove(place)];
            }
        }
        self.inner.transact(writes).await
    }
}

fn fault() -> Fault {
    Fault::retryable("the store is busy")
}

#[async_trait]
impl Table for MortalTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.chance.around(self.inner.get(key), || Err(fault())).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.chance.around(self.inner.get_many(keys), || Err(fault())).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.chance.around(self.inner.query(query), || Err(fault())).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.chance.around(self.inner.due(partition, until, limit), || Err(fault())).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        let write = self.flawed(write);
        self.chance.around(self.inner.write(write), || Err(WriteFault::Fault(fault()))).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let count = writes.len();
        let failed = || (0..count).map(|_| Err(WriteFault::Fault(fault()))).collect();
        self.chance.around(self.inner.write_many(writes), failed).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let writes = writes.into_iter().map(|write| self.flawed(write)).collect();
        self.chance.around(self.all(writes), || Err(TransactFault::Fault(fault()))).await
    }
}
