//! The promises of [`Table`], each a check of its own.
//!
//! The checks use partitions of their own, which must be empty, and the `due` partitions that begin with `contract`.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a broken promise ends the test that looks at it")]

mod conditions;
mod due;
mod queries;
mod reads;
mod transactions;
mod writes;

use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{
    AttributeValue, Condition, Item, Key, PARTITION, SORT, Table, TransactFault, Write, WriteFault,
};

/// Panics at the first promise that the table breaks.
pub async fn keeps_its_promises(table: &dyn Table) {
    writes::a_put_replaces_the_whole_item(table).await;
    writes::an_update_sets_adds_and_removes_and_returns_the_item_as_it_is_now(table).await;
    writes::an_update_makes_an_absent_item_and_counts_from_zero(table).await;
    writes::only_an_update_returns_an_item(table).await;
    writes::deleting_what_is_absent_succeeds(table).await;
    writes::what_can_never_be_written_is_a_failure(table).await;
    writes::independent_writes_fail_alone(table).await;
    writes::any_number_of_independent_writes_is_taken(table).await;
    writes::concurrent_puts_of_an_absent_item_have_one_winner(table).await;
    writes::concurrent_counts_are_all_counted(table).await;

    conditions::each_condition_holds_when_it_should(table).await;
    conditions::numbers_compare_by_value_and_texts_by_bytes(table).await;
    conditions::a_failed_condition_changes_nothing(table).await;

    reads::every_kind_of_value_comes_back(table).await;
    reads::a_read_sees_the_last_write(table).await;
    reads::many_items_come_in_the_order_of_their_keys(table).await;
    reads::more_items_come_than_fit_one_response(table).await;
    reads::a_key_asked_for_twice_is_a_failure(table).await;

    queries::a_range_holds_its_keys_in_order(table).await;
    queries::keys_are_ordered_by_their_bytes(table).await;
    queries::a_prefix_is_taken_literally(table).await;
    queries::an_empty_range_has_no_items(table).await;
    queries::a_limit_is_kept_and_more_tells_of_the_rest(table).await;
    queries::pages_hold_every_item_once(table).await;
    queries::partitions_do_not_mix(table).await;

    due::the_earliest_come_first_up_to_and_with_the_bound(table).await;
    due::only_items_with_a_partition_and_a_time_are_due(table).await;
    due::an_item_follows_its_time(table).await;

    transactions::all_is_written_or_nothing(table).await;
    transactions::each_write_has_its_reason_in_order(table).await;
    transactions::a_check_guards_without_writing(table).await;
    transactions::updates_and_deletes_take_part(table).await;
    transactions::two_writes_to_one_item_are_a_failure(table).await;
    transactions::a_hundred_writes_are_the_most(table).await;
    transactions::four_megabytes_are_the_most(table).await;
    transactions::an_unwritable_item_fails_the_whole(table).await;
    transactions::concurrent_appends_have_one_winner(table).await;
}

/// The partition of one check.
fn partition(check: &str) -> Partition {
    let tenant = Tenant::parse("contract").expect("the name is one");
    Partition::of(&tenant, Area::Tag(check))
}

fn key(check: &str, sort: &str) -> Key {
    partition(check).key(sort)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A text of so many bytes.
fn bulk(bytes: usize) -> AttributeValue {
    AttributeValue::S("x".repeat(bytes))
}

fn item(key: &Key, attributes: &[(&str, AttributeValue)]) -> Item {
    let mut item = Item::default();
    item.insert(PARTITION.to_owned(), text(key.partition()));
    item.insert(SORT.to_owned(), text(key.sort()));
    item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    item
}

fn put(key: &Key, attributes: &[(&str, AttributeValue)]) -> Write {
    Write::Put { item: item(key, attributes), condition: None }
}

fn put_if(condition: Condition, key: &Key, attributes: &[(&str, AttributeValue)]) -> Write {
    Write::Put { item: item(key, attributes), condition: Some(condition) }
}

fn count(key: &Key, by: i64) -> Write {
    Write::Update { key: key.clone(), set: vec![], add: vec![("n", by)], remove: vec![], condition: None }
}

fn delete(key: &Key) -> Write {
    Write::Delete { key: key.clone(), condition: None }
}

/// Writes that must succeed.
async fn write_all(table: &dyn Table, writes: Vec<Write>) {
    for result in table.write_many(writes).await {
        result.unwrap();
    }
}

fn sorts(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| match item.get(SORT) {
            Some(AttributeValue::S(sort)) => sort.as_str(),
            other => panic!("an item's sort key is {other:?}"),
        })
        .collect()
}

/// The write was refused for what is there.
fn refused(there: Option<Item>) -> WriteFault {
    WriteFault::Condition(there.map(Box::new))
}

#[track_caller]
fn assert_failed<T: std::fmt::Debug>(result: Result<T, impl Into<AnyFault>>) {
    match result.map_err(Into::into) {
        Err(AnyFault(Some(Fault::Failed { .. }))) => {}
        Err(AnyFault(other)) => panic!("not a failure: {other:?}"),
        Ok(value) => panic!("not refused: {value:?}"),
    }
}

/// The fault of any of the port's results, if it is one.
struct AnyFault(Option<Fault>);

impl From<Fault> for AnyFault {
    fn from(fault: Fault) -> Self {
        Self(Some(fault))
    }
}

impl From<WriteFault> for AnyFault {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::Fault(fault) => Self(Some(fault)),
            WriteFault::Condition(_) | WriteFault::Conflict => Self(None),
        }
    }
}

impl From<TransactFault> for AnyFault {
    fn from(fault: TransactFault) -> Self {
        match fault {
            TransactFault::Fault(fault) => Self(Some(fault)),
            TransactFault::Cancelled(_) => Self(None),
        }
    }
}
