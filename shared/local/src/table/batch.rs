//! Independent writes in as few commits as possible.
//!
//! On a disk a commit costs an fsync and what is in it almost nothing, so writes to different items are tried as one
//! transaction. If conditions fail, those writes are refused and the others tried again without them. Each write is
//! still judged and made at one moment, so nobody can tell this from writes made one by one. What a transaction refuses
//! as a whole is done one by one.

use std::collections::HashSet;

use dynoxide::Database;
use dynoxide::actions::transact_write_items::TransactWriteItem;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{AttributeValue, Cancellation, PARTITION, SORT, TransactFault, Write, WriteFault};
use hooktide_store::statement::{self, Action, WriteStatement};

use super::request;

type Results = Vec<Result<(), WriteFault>>;

/// Makes the writes; one result for each, in order.
pub(super) fn write_each(database: &Database, writes: Vec<Write>) -> Results {
    let mut results = Vec::with_capacity(writes.len());
    let mut group = Vec::new();
    let mut items = HashSet::new();
    for write in writes {
        let statement = WriteStatement::alone(write);
        // A second write to an item must see what the first one did.
        let again = statement.as_ref().is_ok_and(|statement| !items.insert(target(statement)));
        if again || group.len() == statement::MOST_WRITES {
            results.append(&mut write_group(database, std::mem::take(&mut group)));
            items.clear();
            items.extend(statement.as_ref().ok().map(target));
        }
        group.push(statement);
    }
    results.append(&mut write_group(database, group));
    results
}

/// The key's texts; a put without them is refused later, and its equals with it.
fn target(statement: &WriteStatement) -> [Option<String>; 2] {
    let (Action::Put(item) | Action::Update { key: item, .. } | Action::Delete(item) | Action::Check(item)) =
        &statement.action;
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    [text(PARTITION), text(SORT)]
}

/// Makes writes to different items.
fn write_group(database: &Database, group: Vec<Result<WriteStatement, Fault>>) -> Results {
    let mut results: Results = vec![Ok(()); group.len()];
    let mut waiting: Vec<(usize, WriteStatement)> = Vec::new();
    for (place, statement) in group.into_iter().enumerate() {
        match statement {
            Ok(statement) => waiting.push((place, statement)),
            Err(fault) => results[place] = Err(WriteFault::Fault(fault)),
        }
    }
    while waiting.len() > 1 {
        let together: Vec<TransactWriteItem> =
            waiting.iter().map(|(_, statement)| request::in_transaction(statement.clone())).collect();
        match request::transact(database, together) {
            Ok(()) => return results,
            Err(TransactFault::Cancelled(reasons)) => {
                let before = waiting.len();
                let mut reasons = reasons.into_iter();
                waiting.retain(|(place, _)| match reasons.next() {
                    Some(Cancellation::Condition(item)) => {
                        results[*place] = Err(WriteFault::Condition(item));
                        false
                    }
                    Some(Cancellation::None | Cancellation::Conflict) | None => true,
                });
                if waiting.len() == before {
                    break;
                }
            }
            // Whether it happened is unknown: a second try would meet its own traces.
            Err(TransactFault::Fault(fault @ Fault::Retryable { .. })) => {
                for (place, _) in waiting {
                    results[place] = Err(WriteFault::Fault(fault.clone()));
                }
                return results;
            }
            Err(TransactFault::Fault(_)) => break,
        }
    }
    for (place, statement) in waiting {
        results[place] = request::write(database, statement).map(|_| ());
    }
    results
}
