//! The table on DynamoDB.
//!
//! What a call says is decided in [`hooktide_store::statement`], which the embedded table shares; here it is only
//! carried over. The SDK repeats what was throttled or lost on the way; a write that succeeded and whose answer was
//! lost may then meet itself and be refused, which callers read as a lost race and look again.

mod request;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures::stream::{self, StreamExt};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use hooktide_store::statement::{self, MOST_KEYS, QueryStatement, WriteStatement};

use self::request::{item_out, values_in};
use crate::fault;
use crate::resend::{TRIES, pause};

/// What faults name.
const SERVICE: &str = "DynamoDB";
/// How many independent writes travel at once.
const AT_ONCE: usize = 16;

/// The one store, on DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    /// The table called `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// A batch of at most [`MOST_KEYS`] keys. DynamoDB may leave keys unprocessed, when it is busy or the answer would
    /// be over 16 MB: those are asked for again, the first of a batch's answers at once, others after a pause.
    async fn get_batch(&self, keys: &[Key]) -> Result<Vec<Item>, Fault> {
        let mut found = Vec::with_capacity(keys.len());
        let mut waiting: Vec<_> = keys.iter().map(request::key_in).collect();
        let mut idle = 0;
        while !waiting.is_empty() {
            let keys = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(waiting));
            let keys = keys.build().map_err(|error| Fault::failed(format!("{SERVICE}: {error}")))?;
            let call = self.client.batch_get_item().request_items(&self.name, keys);
            let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
            let items = answer.responses.and_then(|mut tables| tables.remove(&self.name)).unwrap_or_default();
            idle = if items.is_empty() { idle + 1 } else { 0 };
            found.extend(items.into_iter().map(item_out));
            let unprocessed = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.name));
            waiting = unprocessed.map(|rest| rest.keys).unwrap_or_default();
            if waiting.is_empty() {
                break;
            }
            if idle == TRIES {
                return Err(Fault::retryable(format!("{SERVICE}: {} keys stay unprocessed", waiting.len())));
            }
            if idle > 0 {
                tokio::time::sleep(pause(idle)).await;
            }
        }
        Ok(found)
    }

    /// Up to `limit` items of a query, over as many pages of DynamoDB (of 1 MB) as it takes.
    async fn page(&self, statement: QueryStatement, limit: usize) -> Result<Page, Fault> {
        let mut page = Page { items: Vec::new(), more: true };
        let mut after = None;
        let values = statement.values.map(values_in);
        while page.more && page.items.len() < limit {
            let left = i32::try_from(limit - page.items.len()).unwrap_or(i32::MAX);
            let call = self.client.query().table_name(&self.name).set_index_name(statement.index.map(str::to_owned));
            let call = call.key_condition_expression(&statement.condition);
            let call = call.set_expression_attribute_names(statement.names.clone());
            let call = call.set_expression_attribute_values(values.clone());
            let call = call.scan_index_forward(statement.forward).consistent_read(statement.consistent);
            let call = call.limit(left).set_exclusive_start_key(after.take());
            let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
            page.items.extend(answer.items.unwrap_or_default().into_iter().map(item_out));
            after = answer.last_evaluated_key.filter(|key| !key.is_empty());
            page.more = after.is_some();
        }
        Ok(page)
    }

    async fn write_statement(&self, statement: WriteStatement) -> Result<Option<Item>, WriteFault> {
        request::write(&self.client, &self.name, statement).await
    }
}

#[async_trait]
impl Table for DynamoTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(request::key_in(key)));
        let answer = call.consistent_read(true).send().await.map_err(|error| fault::sort(SERVICE, &error))?;
        Ok(answer.item.map(item_out))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        statement::all_differ(keys)?;
        let mut found = Vec::with_capacity(keys.len());
        for batch in keys.chunks(MOST_KEYS) {
            found.extend(self.get_batch(batch).await?);
        }
        Ok(statement::in_order(keys, found))
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        let Some(statement) = QueryStatement::range(query) else { return Ok(Page::default()) };
        self.page(statement, query.limit).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        Ok(self.page(QueryStatement::due(partition, until), limit).await?.items)
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        self.write_statement(WriteStatement::alone(write).map_err(WriteFault::Fault)?).await
    }

    /// DynamoDB has no batch of conditional writes but the transaction, at twice the price: so they go one by one, some
    /// at a time.
    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        stream::iter(writes)
            .map(|write| async move { self.write(write).await.map(drop) })
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let statements = WriteStatement::transaction(writes).map_err(TransactFault::Fault)?;
        // DynamoDB refuses a transaction of nothing.
        if statements.is_empty() {
            return Ok(());
        }
        request::transact(&self.client, &self.name, statements).await
    }
}
