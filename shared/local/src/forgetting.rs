//! A table whose writes make the receiver forget: what changes of an endpoint in this process counts at once in it, whoever
//! changes it.

use std::sync::Arc;

use async_trait::async_trait;
use hooktide_flows::receive::Receiver;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use hooktide_store::records::endpoint;

/// A table, and the receiver that caches its endpoints.
pub(crate) struct ForgettingTable {
    inner: Arc<dyn Table>,
    receiver: Arc<Receiver>,
}

impl ForgettingTable {
    /// The table for everybody but the receiver, which has the `inner` one.
    pub(crate) fn new(inner: Arc<dyn Table>, receiver: Arc<Receiver>) -> Self {
        Self { inner, receiver }
    }

    /// Forgets endpoints, whatever came of their writes: one that failed may have happened.
    fn forget(&self, endpoints: &[(String, String)]) {
        for (provider, id) in endpoints {
            self.receiver.forget(provider, id);
        }
    }
}

/// The endpoints that writes change.
fn endpoints(writes: &[Write]) -> Vec<(String, String)> {
    let changed = |write: &Write| match write {
        Write::Check { .. } => None,
        Write::Put { .. } | Write::Update { .. } | Write::Delete { .. } => {
            let key = write.key()?;
            endpoint::at(&key).map(|(provider, id)| (provider.to_owned(), id.to_owned()))
        }
    };
    writes.iter().filter_map(changed).collect()
}

#[async_trait]
impl Table for ForgettingTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.inner.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.inner.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.inner.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        let endpoints = endpoints(std::slice::from_ref(&write));
        let result = self.inner.write(write).await;
        self.forget(&endpoints);
        result
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let endpoints = endpoints(&writes);
        let results = self.inner.write_many(writes).await;
        self.forget(&endpoints);
        results
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let endpoints = endpoints(&writes);
        let result = self.inner.transact(writes).await;
        self.forget(&endpoints);
        result
    }
}
