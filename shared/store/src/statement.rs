//! The calls of the [table port](crate::ports::Table) as DynamoDB takes them.
//!
//! Everything about a call that does not depend on who speaks to DynamoDB is decided here, once, for every adapter:
//! the expressions, what DynamoDB would refuse and the port allows (or the other way round), the order of results and
//! what a cancelled transaction means. An adapter only copies a statement into its client's request.

use std::collections::{HashMap, HashSet};

use crate::expression::Expressions;
use crate::ports::{
    AttributeValue, Cancellation, DUE_AT, DUE_PARTITION, Item, Key, PARTITION, Query, Range, SORT, TransactFault, Write,
};
use hooktide_model::fault::Fault;

/// The name of the sparse index by [`DUE_PARTITION`] and [`DUE_AT`].
pub const DUE_INDEX: &str = "due";
/// How many keys a `BatchGetItem` takes.
pub const MOST_KEYS: usize = 100;
/// How many writes a `TransactWriteItems` takes.
pub const MOST_WRITES: usize = 100;

/// A write as DynamoDB takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteStatement {
    /// What it does.
    pub action: Action,
    /// Its `ConditionExpression`; an [`Action::Check`] always has one.
    pub condition: Option<String>,
    /// Its `ExpressionAttributeNames`.
    pub names: Option<HashMap<String, String>>,
    /// Its `ExpressionAttributeValues`.
    pub values: Option<HashMap<String, AttributeValue>>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `PutItem` of this item.
    Put(Item),
    /// `UpdateItem`.
    Update {
        /// The key's attributes.
        key: Item,
        /// The `UpdateExpression`.
        update: String,
    },
    /// `DeleteItem` by the key's attributes.
    Delete(Item),
    /// `ConditionCheck` by the key's attributes.
    Check(Item),
}

impl WriteStatement {
    /// What `write` says to DynamoDB; fails for an update that changes nothing or touches the key.
    pub fn new(write: Write) -> Result<Self, Fault> {
        let mut expressions = Expressions::default();
        let (action, condition) = match write {
            Write::Put { item, condition } => (Action::Put(item), condition),
            Write::Update { key, set, add, remove, condition } => {
                let touched =
                    || set.iter().map(|(name, _)| name).chain(add.iter().map(|(name, _)| name)).chain(&remove);
                if touched().next().is_none() {
                    return Err(Fault::failed("an update changes nothing; a transaction can check instead"));
                }
                if let Some(name) = touched().find(|name| [PARTITION, SORT].contains(*name)) {
                    return Err(Fault::failed(format!("an update touches {name}, which is part of the key")));
                }
                let update = expressions.update(&set, &add, &remove);
                (Action::Update { key: key_item(&key), update }, condition)
            }
            Write::Delete { key, condition } => (Action::Delete(key_item(&key)), condition),
            Write::Check { key, condition } => (Action::Check(key_item(&key)), Some(condition)),
        };
        let condition = condition.map(|condition| expressions.condition(&condition));
        Ok(Self { action, condition, names: expressions.names(), values: expressions.values() })
    }

    /// What `write` says to DynamoDB on its own; fails for a [`Write::Check`] as well, which would do nothing there.
    pub fn alone(write: Write) -> Result<Self, Fault> {
        match Self::new(write)? {
            Self { action: Action::Check(_), .. } => Err(Fault::failed("a check writes nothing outside a transaction")),
            statement => Ok(statement),
        }
    }

    /// What the writes of one transaction say to DynamoDB; fails for more than [`MOST_WRITES`].
    pub fn transaction(writes: Vec<Write>) -> Result<Vec<Self>, Fault> {
        if writes.len() > MOST_WRITES {
            let detail = format!("a transaction of {} writes, {MOST_WRITES} are the most", writes.len());
            return Err(Fault::failed(detail));
        }
        writes.into_iter().map(Self::new).collect()
    }
}

/// A query as DynamoDB takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryStatement {
    /// The index that it reads; the table itself if none.
    pub index: Option<&'static str>,
    /// Its `KeyConditionExpression`.
    pub condition: String,
    /// Its `ExpressionAttributeNames`.
    pub names: Option<HashMap<String, String>>,
    /// Its `ExpressionAttributeValues`.
    pub values: Option<HashMap<String, AttributeValue>>,
    /// Its `ScanIndexForward`.
    pub forward: bool,
    /// Its `ConsistentRead`; an index has none.
    pub consistent: bool,
}

impl QueryStatement {
    /// What `query` says to DynamoDB, which refuses an empty text and a range from a later key to an earlier one;
    /// `None` if no key can be in the range.
    pub fn range(query: &Query) -> Option<Self> {
        let mut expressions = Expressions::default();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let partition = equals(&mut expressions, PARTITION, text(query.partition.as_str()));
        let mut sort = |words: &dyn Fn(&str, &[String]) -> String, bounds: &[&str]| {
            let name = expressions.name(SORT);
            let bounds: Vec<String> = bounds.iter().map(|bound| expressions.value(&text(bound))).collect();
            format!("{partition} AND {}", words(&name, &bounds))
        };
        let condition = match &query.range {
            Range::All => partition,
            Range::Prefix(prefix) if prefix.is_empty() => partition,
            Range::Prefix(prefix) => sort(&|name, bounds| format!("begins_with({name}, {})", bounds[0]), &[prefix]),
            Range::Between(from, to) if to.is_empty() || from > to => return None,
            Range::Between(from, to) if from.is_empty() => {
                sort(&|name, bounds| format!("{name} <= {}", bounds[0]), &[to])
            }
            Range::Between(from, to) => {
                sort(&|name, bounds| format!("{name} BETWEEN {} AND {}", bounds[0], bounds[1]), &[from, to])
            }
        };
        Some(Self {
            index: None,
            condition,
            names: expressions.names(),
            values: expressions.values(),
            forward: !query.descending,
            consistent: true,
        })
    }

    /// The items of a `due` partition that are due at or before `until`, earliest first.
    pub fn due(partition: &str, until: i64) -> Self {
        let mut expressions = Expressions::default();
        let here = equals(&mut expressions, DUE_PARTITION, AttributeValue::S(partition.to_owned()));
        let at = expressions.name(DUE_AT);
        let condition = format!("{here} AND {at} <= {}", expressions.value(&AttributeValue::N(until.to_string())));
        Self {
            index: Some(DUE_INDEX),
            condition,
            names: expressions.names(),
            values: expressions.values(),
            forward: true,
            consistent: false,
        }
    }
}

fn equals(expressions: &mut Expressions, name: &str, value: AttributeValue) -> String {
    format!("{} = {}", expressions.name(name), expressions.value(&value))
}

/// The attributes of a key.
pub fn key_item(key: &Key) -> Item {
    Item::from(HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition().to_owned())),
        (SORT.to_owned(), AttributeValue::S(key.sort().to_owned())),
    ]))
}

/// Fails if a key stands twice among `keys`: DynamoDB refuses that within a batch, and so do we across batches.
pub fn all_differ(keys: &[Key]) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    match keys.iter().find(|key| !seen.insert(*key)) {
        Some(_) => Err(Fault::failed("a key is asked for twice in one batch")),
        None => Ok(()),
    }
}

/// The items in the order of their keys, since DynamoDB answers a batch in any order and leaves out what is absent.
pub fn in_order(keys: &[Key], items: Vec<Item>) -> Vec<Option<Item>> {
    let places: HashMap<&Key, usize> = keys.iter().enumerate().map(|(place, key)| (key, place)).collect();
    let mut ordered = vec![None; keys.len()];
    for item in items {
        if let Some(place) = Key::of(&item).and_then(|key| places.get(&key).copied()) {
            ordered[place] = Some(item);
        }
    }
    ordered
}

/// What a cancelled transaction means, from the code and the old item of each `CancellationReason`, in order.
///
/// Codes that say nothing about the data are faults: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
pub fn cancelled(reasons: impl IntoIterator<Item = (String, Option<Item>)>) -> TransactFault {
    let mut cancellations = Vec::new();
    let mut throttled = None;
    for (code, item) in reasons {
        cancellations.push(match code.as_str() {
            "None" => Cancellation::None,
            "ConditionalCheckFailed" => Cancellation::Condition(item.map(Box::new)),
            "TransactionConflict" => Cancellation::Conflict,
            "ProvisionedThroughputExceeded" | "ThrottlingError" => {
                throttled = Some(format!("the transaction was throttled: {code}"));
                Cancellation::None
            }
            _ => return TransactFault::Fault(Fault::failed(format!("the transaction was refused: {code}"))),
        });
    }
    match throttled {
        Some(detail) => TransactFault::Fault(Fault::retryable(detail)),
        None => TransactFault::Cancelled(cancellations),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Area, Partition};
    use crate::ports::Condition;
    use hooktide_model::tenant::Tenant;

    fn partition() -> Partition {
        Partition::of(&Tenant::system(), Area::Jobs)
    }

    fn range(range: Range) -> Option<QueryStatement> {
        QueryStatement::range(&Query { partition: partition(), range, descending: false, limit: 1 })
    }

    fn condition(wanted: Range) -> Option<String> {
        range(wanted).map(|statement| statement.condition)
    }

    #[test]
    fn an_update_and_its_condition_share_one_set_of_placeholders() {
        let statement = WriteStatement::new(Write::Update {
            key: partition().key("a"),
            set: vec![("state", AttributeValue::S("done".into()))],
            add: vec![("rev", 1)],
            remove: vec!["lease_until"],
            condition: Some(Condition::Equals("rev", AttributeValue::N("3".into()))),
        })
        .unwrap();
        assert_eq!(
            statement.action,
            Action::Update {
                key: key_item(&partition().key("a")),
                update: "SET #state = :0 ADD #rev :1 REMOVE #lease_until".into()
            }
        );
        assert_eq!(statement.condition.as_deref(), Some("#rev = :2"));
        assert_eq!(statement.names.map(|names| names.len()), Some(3));
        assert_eq!(statement.values.map(|values| values.len()), Some(3));
    }

    #[test]
    fn an_unconditional_put_carries_no_expressions() {
        let item = key_item(&partition().key("a"));
        let statement = WriteStatement::alone(Write::Put { item: item.clone(), condition: None }).unwrap();
        assert_eq!(statement, WriteStatement { action: Action::Put(item), condition: None, names: None, values: None });
    }

    #[test]
    fn refuses_what_dynamodb_would_refuse_or_quietly_accept() {
        let update =
            |set, remove| Write::Update { key: partition().key("a"), set, add: vec![], remove, condition: None };
        let nothing = update(vec![], vec![]);
        let moved = update(vec![(SORT, AttributeValue::S("b".into()))], vec![]);
        let unkeyed = update(vec![], vec![PARTITION]);
        for write in [nothing, moved, unkeyed] {
            assert!(matches!(WriteStatement::new(write), Err(Fault::Failed { .. })));
        }
        let check = Write::Check { key: partition().key("a"), condition: Condition::Present };
        assert!(matches!(WriteStatement::alone(check.clone()), Err(Fault::Failed { .. })));
        assert!(WriteStatement::transaction(vec![check.clone(); MOST_WRITES]).is_ok());
        assert!(matches!(WriteStatement::transaction(vec![check; MOST_WRITES + 1]), Err(Fault::Failed { .. })));
    }

    #[test]
    fn ranges_that_dynamodb_refuses_are_said_another_way() {
        assert_eq!(condition(Range::All).as_deref(), Some("#pk = :0"));
        assert_eq!(condition(Range::Prefix(String::new())).as_deref(), Some("#pk = :0"));
        assert_eq!(condition(Range::Prefix("a".into())).as_deref(), Some("#pk = :0 AND begins_with(#sk, :1)"));
        let between = |from: &str, to: &str| condition(Range::Between(from.into(), to.into()));
        assert_eq!(between("a", "b").as_deref(), Some("#pk = :0 AND #sk BETWEEN :1 AND :2"));
        assert_eq!(between("", "b").as_deref(), Some("#pk = :0 AND #sk <= :1"));
        assert_eq!(between("b", "a"), None);
        assert_eq!(between("", ""), None);
    }

    #[test]
    fn only_the_index_is_read_without_consistency() {
        let due = QueryStatement::due("D#job#00", 7);
        assert_eq!(due.condition, "#due_pk = :0 AND #due_at <= :1");
        assert_eq!((due.index, due.consistent, due.forward), (Some("due"), false, true));
        assert!(range(Range::All).is_some_and(|all| all.consistent && all.index.is_none()));
    }

    #[test]
    fn items_come_back_in_the_order_of_their_keys() {
        let keys: Vec<Key> = ["c", "a", "b"].map(|sort| partition().key(sort)).into();
        let items = vec![key_item(&keys[2]), key_item(&keys[0])];
        assert_eq!(in_order(&keys, items), vec![Some(key_item(&keys[0])), None, Some(key_item(&keys[2]))]);
        assert!(all_differ(&keys).is_ok());
        assert!(all_differ(&[keys[0].clone(), keys[0].clone()]).is_err());
    }

    #[test]
    fn a_cancellation_is_a_fault_unless_it_is_about_the_data() {
        let reasons = |codes: &[&str]| cancelled(codes.iter().map(|code| ((*code).to_owned(), None)));
        assert_eq!(
            reasons(&["None", "ConditionalCheckFailed", "TransactionConflict"]),
            TransactFault::Cancelled(vec![Cancellation::None, Cancellation::Condition(None), Cancellation::Conflict])
        );
        let throttled = reasons(&["ConditionalCheckFailed", "ThrottlingError"]);
        assert!(matches!(throttled, TransactFault::Fault(Fault::Retryable { .. })));
        let refused = reasons(&["ThrottlingError", "ValidationError"]);
        assert!(matches!(refused, TransactFault::Fault(Fault::Failed { .. })));
    }
}
