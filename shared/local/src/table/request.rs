//! The port's calls as dynoxide's requests.

use std::collections::HashMap;

use dynoxide::actions::batch_get_item::{BatchGetItemRequest, KeysAndAttributes};
use dynoxide::actions::delete_item::DeleteItemRequest;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::put_item::PutItemRequest;
use dynoxide::actions::query::QueryRequest;
use dynoxide::actions::transact_write_items::{
    TransactConditionCheck, TransactDelete, TransactPut, TransactUpdate, TransactWriteItem, TransactWriteItemsRequest,
};
use dynoxide::actions::update_item::UpdateItemRequest;
use dynoxide::{Database, DynoxideError};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Item, Key, Page, TransactFault, WriteFault};
use hooktide_store::statement::{self, Action, QueryStatement, WriteStatement};

use super::convert::{item_in, item_out, values_in};
use super::{TABLE, fault};

pub(super) fn get(key: &Key) -> GetItemRequest {
    GetItemRequest {
        table_name: TABLE.to_owned(),
        key: item_in(statement::key_item(key)),
        consistent_read: Some(true),
        ..GetItemRequest::default()
    }
}

pub(super) fn get_many(keys: &[Key]) -> KeysAndAttributes {
    KeysAndAttributes {
        keys: keys.iter().map(|key| item_in(statement::key_item(key))).collect(),
        consistent_read: Some(true),
        ..KeysAndAttributes::default()
    }
}

/// The items of a batch; asks again for those that did not fit one response.
pub(super) fn every_item(database: &Database, batch: KeysAndAttributes) -> Result<Vec<Item>, Fault> {
    let mut found = Vec::new();
    let mut rest = Some(batch);
    while let Some(batch) = rest.take() {
        let asked = batch.keys.len();
        let request_items = HashMap::from([(TABLE.to_owned(), batch)]);
        let request = BatchGetItemRequest { request_items, ..BatchGetItemRequest::default() };
        let mut response = database.batch_get_item(request).map_err(fault::sort)?;
        found.extend(response.responses.remove(TABLE).unwrap_or_default().into_iter().map(item_out));
        if let Some(unprocessed) = response.unprocessed_keys.remove(TABLE) {
            let batch: KeysAndAttributes = serde_json::from_value(unprocessed)
                .map_err(|error| Fault::failed(format!("the embedded store's unprocessed keys: {error}")))?;
            if batch.keys.len() >= asked {
                return Err(Fault::retryable("the embedded store processed no key of a batch"));
            }
            rest = Some(batch);
        }
    }
    Ok(found)
}

/// A page of at most `limit` items, over as many of dynoxide's own pages (of 1 MB) as it takes.
pub(super) fn page(database: &Database, statement: QueryStatement, limit: usize) -> Result<Page, Fault> {
    let mut page = Page { items: Vec::new(), more: true };
    let mut after = None;
    let values = statement.values.map(values_in);
    while page.more && page.items.len() < limit {
        let request = QueryRequest {
            table_name: TABLE.to_owned(),
            index_name: statement.index.map(str::to_owned),
            key_condition_expression: Some(statement.condition.clone()),
            expression_attribute_names: statement.names.clone(),
            expression_attribute_values: values.clone(),
            scan_index_forward: statement.forward,
            consistent_read: Some(statement.consistent),
            limit: Some(limit - page.items.len()),
            exclusive_start_key: after.take(),
            ..QueryRequest::default()
        };
        let response = database.query(request).map_err(fault::sort)?;
        page.items.extend(response.items.unwrap_or_default().into_iter().map(item_out));
        after = response.last_evaluated_key;
        page.more = after.is_some();
    }
    Ok(page)
}

/// Asks for what is there instead when a condition fails.
fn old_item() -> Option<String> {
    Some("ALL_OLD".to_owned())
}

pub(super) fn write(database: &Database, statement: WriteStatement) -> Result<Option<Item>, WriteFault> {
    let WriteStatement { action, condition, names, values } = statement;
    let values = values.map(values_in);
    let table_name = TABLE.to_owned();
    let done = match action {
        Action::Put(item) => database
            .put_item(PutItemRequest {
                table_name,
                item: item_in(item),
                condition_expression: condition,
                expression_attribute_names: names,
                expression_attribute_values: values,
                return_values_on_condition_check_failure: old_item(),
                ..PutItemRequest::default()
            })
            .map(|_| None),
        Action::Update { key, update } => database
            .update_item(UpdateItemRequest {
                table_name,
                key: item_in(key),
                update_expression: Some(update),
                condition_expression: condition,
                expression_attribute_names: names,
                expression_attribute_values: values,
                return_values: Some("ALL_NEW".to_owned()),
                return_values_on_condition_check_failure: old_item(),
                ..UpdateItemRequest::default()
            })
            .map(|response| response.attributes),
        Action::Delete(key) => database
            .delete_item(DeleteItemRequest {
                table_name,
                key: item_in(key),
                condition_expression: condition,
                expression_attribute_names: names,
                expression_attribute_values: values,
                return_values_on_condition_check_failure: old_item(),
                ..DeleteItemRequest::default()
            })
            .map(|_| None),
        Action::Check(_) => return Err(WriteFault::Fault(Fault::failed("a check outside a transaction"))),
    };
    done.map(|item| item.map(item_out)).map_err(|error| match error {
        DynoxideError::ConditionalCheckFailedException(_, item) => {
            WriteFault::Condition(item.map(|item| Box::new(item_out(item))))
        }
        error => WriteFault::Fault(fault::sort(error)),
    })
}

pub(super) fn in_transaction(statement: WriteStatement) -> TransactWriteItem {
    let WriteStatement { action, condition, names, values } = statement;
    let expression_attribute_names = names;
    let expression_attribute_values = values.map(values_in);
    let table_name = TABLE.to_owned();
    let return_values_on_condition_check_failure = old_item();
    let mut write = TransactWriteItem::default();
    match action {
        Action::Put(item) => {
            write.put = Some(TransactPut {
                table_name,
                item: item_in(item),
                condition_expression: condition,
                expression_attribute_names,
                expression_attribute_values,
                return_values_on_condition_check_failure,
            });
        }
        Action::Update { key, update } => {
            write.update = Some(TransactUpdate {
                table_name,
                key: item_in(key),
                update_expression: update,
                condition_expression: condition,
                expression_attribute_names,
                expression_attribute_values,
                return_values_on_condition_check_failure,
            });
        }
        Action::Delete(key) => {
            write.delete = Some(TransactDelete {
                table_name,
                key: item_in(key),
                condition_expression: condition,
                expression_attribute_names,
                expression_attribute_values,
                return_values_on_condition_check_failure,
            });
        }
        Action::Check(key) => {
            write.condition_check = Some(TransactConditionCheck {
                table_name,
                key: item_in(key),
                condition_expression: condition.unwrap_or_default(),
                expression_attribute_names,
                expression_attribute_values,
                return_values_on_condition_check_failure,
            });
        }
    }
    write
}

/// Without a token: a repeated call must be judged by its conditions, not answered from a memory of the first.
pub(super) fn transact(database: &Database, items: Vec<TransactWriteItem>) -> Result<(), TransactFault> {
    let request = TransactWriteItemsRequest { transact_items: items, ..TransactWriteItemsRequest::default() };
    match database.transact_write_items(request) {
        Ok(_) => Ok(()),
        Err(DynoxideError::TransactionCanceledException(_, reasons)) => {
            Err(statement::cancelled(reasons.into_iter().map(|reason| (reason.code, reason.item.map(item_out)))))
        }
        Err(error) => Err(TransactFault::Fault(fault::sort(error))),
    }
}
