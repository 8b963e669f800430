//! Statements as requests of the SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue as Theirs, ConditionCheck, Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{AttributeValue, Item, Key, TransactFault, WriteFault};
use hooktide_store::statement::{self, Action, WriteStatement};

use super::SERVICE;
use crate::fault;

type TheirItem = HashMap<String, Theirs>;

/// Asks for what is there instead when a condition fails.
const OLD_ITEM: Option<ReturnValuesOnConditionCheckFailure> = Some(ReturnValuesOnConditionCheckFailure::AllOld);

/// Named values as the SDK takes them.
pub(super) fn values_in(values: HashMap<String, AttributeValue>) -> TheirItem {
    values.into_iter().map(|(name, value)| (name, value.into())).collect()
}

fn item_in(item: Item) -> TheirItem {
    values_in(item.into_inner())
}

/// A key as the SDK takes it.
pub(super) fn key_in(key: &Key) -> TheirItem {
    item_in(statement::key_item(key))
}

/// An item as the port returns it.
pub(super) fn item_out(item: TheirItem) -> Item {
    Item::from(item.into_iter().map(|(name, value)| (name, value.into())).collect::<HashMap<_, AttributeValue>>())
}

/// Gives a request its table and its condition; `values` are also those of its update.
macro_rules! on_condition {
    ($builder:expr, $table:ident, $condition:ident, $names:ident, $values:ident) => {
        $builder
            .table_name($table)
            .set_condition_expression($condition)
            .set_expression_attribute_names($names)
            .set_expression_attribute_values($values)
            .set_return_values_on_condition_check_failure(OLD_ITEM)
    };
}

/// Why a single write did not happen, by the kind of error that its operation has.
macro_rules! refused_as {
    ($error:ident) => {
        |error| {
            refused(&error, |error| match error {
                $error::ConditionalCheckFailedException(failed) => Some(failed),
                _ => None,
            })
        }
    };
}

/// One write of its own.
pub(super) async fn write(client: &Client, table: &str, statement: WriteStatement) -> Result<Option<Item>, WriteFault> {
    let WriteStatement { action, condition, names, values } = statement;
    let values = values.map(values_in);
    match action {
        Action::Put(item) => {
            let call = on_condition!(client.put_item(), table, condition, names, values);
            let sent = call.set_item(Some(item_in(item))).send().await;
            sent.map(|_| None).map_err(refused_as!(PutItemError))
        }
        Action::Update { key, update } => {
            let call = on_condition!(client.update_item(), table, condition, names, values);
            let call = call.set_key(Some(item_in(key))).update_expression(update);
            let sent = call.return_values(ReturnValue::AllNew).send().await;
            sent.map(|answer| answer.attributes.map(item_out)).map_err(refused_as!(UpdateItemError))
        }
        Action::Delete(key) => {
            let call = on_condition!(client.delete_item(), table, condition, names, values);
            let sent = call.set_key(Some(item_in(key))).send().await;
            sent.map(|_| None).map_err(refused_as!(DeleteItemError))
        }
        Action::Check(_) => Err(WriteFault::Fault(Fault::failed("a check outside a transaction"))),
    }
}

/// Why a single write did not happen.
fn refused<E>(
    error: &SdkError<E, aws_sdk_dynamodb::config::http::HttpResponse>,
    condition: impl Fn(&E) -> Option<&ConditionalCheckFailedException>,
) -> WriteFault
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    let refusal = error.as_service_error();
    match refusal.and_then(condition) {
        Some(failed) => WriteFault::Condition(failed.item().map(|item| Box::new(item_out(item.clone())))),
        None if refusal.and_then(|refusal| refusal.code()) == Some("TransactionConflictException") => {
            WriteFault::Conflict
        }
        None => WriteFault::Fault(fault::sort(SERVICE, error)),
    }
}

/// All writes or none. The SDK gives each call a token of its own, so that only its own repetitions count as one.
pub(super) async fn transact(
    client: &Client,
    table: &str,
    statements: Vec<WriteStatement>,
) -> Result<(), TransactFault> {
    let items = statements.into_iter().map(|statement| in_transaction(table, statement)).collect::<Result<_, _>>();
    let items: Vec<TransactWriteItem> =
        items.map_err(|error| TransactFault::Fault(Fault::failed(format!("{SERVICE}: {error}"))))?;
    let Err(error) = client.transact_write_items().set_transact_items(Some(items)).send().await else { return Ok(()) };
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons().iter().cloned();
            let code = |code: Option<String>| code.unwrap_or_else(|| "None".to_owned());
            Err(statement::cancelled(reasons.map(|reason| (code(reason.code), reason.item.map(item_out)))))
        }
        _ => Err(TransactFault::Fault(fault::sort(SERVICE, &error))),
    }
}

fn in_transaction(
    table: &str,
    statement: WriteStatement,
) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let WriteStatement { action, condition, names, values } = statement;
    let values = values.map(values_in);
    let write = TransactWriteItem::builder();
    let write = match action {
        Action::Put(item) => {
            let put = on_condition!(Put::builder(), table, condition, names, values);
            write.put(put.set_item(Some(item_in(item))).build()?)
        }
        Action::Update { key, update } => {
            let change = on_condition!(Update::builder(), table, condition, names, values);
            write.update(change.set_key(Some(item_in(key))).update_expression(update).build()?)
        }
        Action::Delete(key) => {
            let delete = on_condition!(Delete::builder(), table, condition, names, values);
            write.delete(delete.set_key(Some(item_in(key))).build()?)
        }
        Action::Check(key) => {
            let check = on_condition!(ConditionCheck::builder(), table, condition, names, values);
            write.condition_check(check.set_key(Some(item_in(key))).build()?)
        }
    };
    Ok(write.build())
}
