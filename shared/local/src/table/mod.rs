//! The table on an embedded DynamoDB: [`dynoxide`], a library over SQLite.
//!
//! Durability: SQLite's own default is kept, `synchronous = FULL` in WAL mode, so a write that returned has reached
//! the disk. dynoxide's `disable_bulk_loading` would lower that to `NORMAL`; nobody may call it here.
//!
//! Threads: dynoxide is synchronous and keeps one connection behind one mutex. On a file a call may wait for the disk,
//! its own or another call's, so it runs on a blocking thread; two calls at most do, the others wait as tasks and not as
//! threads. In memory a call takes microseconds, less than handing it over would, and stays on the caller's thread:
//! a future of this table is then ready at once, and a single-threaded simulation stays deterministic.
//!
//! Independent writes share a commit where they can, since on a disk each commit costs an fsync.

mod batch;
mod convert;
mod damage;
mod fault;
mod request;
mod schema;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use dynoxide::Database;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Clock, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use hooktide_store::statement::{self, QueryStatement, WriteStatement};
use tokio::sync::Semaphore;

pub(crate) use self::damage::damage;

/// How many calls to a file leave the event loop: one at work and one waiting behind it at the mutex.
const AT_ONCE: usize = 2;

/// The name of the table.
const TABLE: &str = "hooktide";

/// The one store, embedded.
#[derive(Clone)]
pub struct DynoxideTable {
    database: Database,
    /// Present if calls must leave the event loop.
    blocking: Option<Arc<Semaphore>>,
}

impl DynoxideTable {
    /// Opens the store in a file, which is made if it is absent; its folder must exist.
    ///
    /// Its calls must run inside a tokio runtime.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        // An absolute path, since SQLite reads meaning into `:memory:`, `file:...` and an empty one.
        let path = std::path::absolute(path)
            .map_err(|error| Fault::failed(format!("{} names no file: {error}", path.display())))?;
        let text = path.to_str().ok_or_else(|| Fault::failed(format!("{} is not UTF-8", path.display())))?;
        let database = Database::new(text).map_err(fault::sort)?;
        schema::ensure(&database).map_err(fault::sort)?;
        Ok(Self { database, blocking: Some(Arc::new(Semaphore::new(AT_ONCE))) })
    }

    /// Makes an empty store in memory, whose items expire by `clock`.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let database = Database::memory_with_clock(Arc::new(schema::Seconds(clock))).map_err(fault::sort)?;
        schema::ensure(&database).map_err(fault::sort)?;
        Ok(Self { database, blocking: None })
    }

    /// Deletes expired items and returns their number.
    ///
    /// Reads the whole table, a page at a time, and lets other calls in between; each deletion is its own commit.
    pub async fn sweep_expired(&self) -> Result<usize, Fault> {
        let database = self.database.clone();
        let sweep = move || database.sweep_ttl().map_err(fault::sort);
        match self.blocking {
            // The sweep takes no place among the calls: it runs long, and gives way at the mutex by itself.
            Some(_) => off_the_event_loop(sweep).await?,
            None => sweep(),
        }
    }

    /// Runs a call on a blocking thread, or in place where that is not needed. A call that has begun runs to its end, even
    /// if nobody waits for it any more.
    async fn run<T: Send + 'static>(&self, call: impl FnOnce(&Database) -> T + Send + 'static) -> Result<T, Fault> {
        let Some(places) = &self.blocking else { return Ok(call(&self.database)) };
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.map_err(|_closed| Fault::failed("the store takes no more calls"))?;
        let database = self.database.clone();
        off_the_event_loop(move || {
            let result = call(&database);
            drop(place);
            result
        })
        .await
    }
}

async fn off_the_event_loop<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    tokio::task::spawn_blocking(call).await.map_err(|error| {
        if error.is_panic() {
            Fault::failed("the embedded store panicked")
        } else {
            Fault::retryable("the runtime shut down before the embedded store was called")
        }
    })
}

impl std::fmt::Debug for DynoxideTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DynoxideTable").field("on_a_file", &self.blocking.is_some()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Table for DynoxideTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let request = request::get(key);
        let response = self.run(|database| database.get_item(request)).await?.map_err(fault::sort)?;
        Ok(response.item.map(convert::item_out))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        statement::all_differ(keys)?;
        let mut found = Vec::new();
        for chunk in keys.chunks(statement::MOST_KEYS) {
            let request = request::get_many(chunk);
            found.extend(self.run(|database| request::every_item(database, request)).await??);
        }
        Ok(statement::in_order(keys, found))
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        let Some(statement) = QueryStatement::range(query) else { return Ok(Page::default()) };
        let limit = query.limit;
        self.run(move |database| request::page(database, statement, limit)).await?
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        let statement = QueryStatement::due(partition, until);
        Ok(self.run(move |database| request::page(database, statement, limit)).await??.items)
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        let statement = WriteStatement::alone(write).map_err(WriteFault::Fault)?;
        self.run(|database| request::write(database, statement)).await.map_err(WriteFault::Fault)?
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let count = writes.len();
        match self.run(|database| batch::write_each(database, writes)).await {
            Ok(results) => results,
            Err(fault) => vec![Err(WriteFault::Fault(fault)); count],
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let statements = WriteStatement::transaction(writes).map_err(TransactFault::Fault)?;
        if statements.is_empty() {
            return Ok(());
        }
        let items = statements.into_iter().map(request::in_transaction).collect();
        self.run(|database| request::transact(database, items)).await.map_err(TransactFault::Fault)?
    }
}

#[cfg(test)]
mod tests;
