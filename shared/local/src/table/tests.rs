use std::collections::HashMap;
use std::sync::Mutex;

use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::metering::{self, Metered};
use hooktide_store::ports::{AttributeValue, Condition, DUE_AT, DUE_PARTITION, EXPIRES_AT, Range};
use jiff::Timestamp;

use super::*;

/// A clock that stands where it was set.
struct Standing(Mutex<Timestamp>);

impl Standing {
    fn at(second: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_second(second).unwrap())))
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

fn key(sort: &str) -> Key {
    Partition::of(&Tenant::system(), Area::Jobs).key(sort)
}

fn item(sort: &str, attributes: &[(&str, AttributeValue)]) -> Item {
    let mut item = statement::key_item(&key(sort));
    item.extend(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    item
}

fn put(item: Item) -> Write {
    Write::Put { item, condition: None }
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn every_kind_of_value() -> Vec<(&'static str, AttributeValue)> {
    let list = AttributeValue::L(vec![number(-7), AttributeValue::S(String::new()), AttributeValue::Null(true)]);
    vec![
        ("text", AttributeValue::S("größe \u{0}\u{10ffff}".into())),
        ("number", AttributeValue::N("12345678901234567890.123".into())),
        ("bytes", AttributeValue::B(vec![0, 255, 128])),
        ("truth", AttributeValue::Bool(true)),
        ("texts", AttributeValue::Ss(vec!["a".into(), "b".into()])),
        ("numbers", AttributeValue::Ns(vec!["1".into(), "22".into()])),
        ("blobs", AttributeValue::Bs(vec![vec![1], vec![2, 3]])),
        ("map", AttributeValue::M(HashMap::from([("list".to_owned(), list.clone())]))),
        ("list", list),
    ]
}

#[test]
fn values_convert_both_ways() {
    let item = item("a", &every_kind_of_value());
    assert_eq!(convert::item_out(convert::item_in(item.clone())), item);
}

#[test]
fn items_are_as_large_as_the_store_takes_them_to_be() {
    let mut item = item("a", &every_kind_of_value());
    // The documents call their rule for numbers an approximation; the store's differs where digits follow the point.
    item.remove("number");
    let theirs = dynoxide::types::item_size(&convert::item_in(item.clone()));
    assert_eq!(metering::item_size(&item), theirs as u64);
}

#[tokio::test]
async fn items_expire_by_the_given_clock_and_when_swept() {
    let clock = Standing::at(1000);
    let table = DynoxideTable::in_memory(clock.clone()).unwrap();
    for at in [999, 1000, 2000] {
        table.write(put(item(&at.to_string(), &[(EXPIRES_AT, number(at))]))).await.unwrap();
    }
    assert!(table.get(&key("999")).await.unwrap().is_some(), "the store deletes late");
    assert_eq!(table.sweep_expired().await, Ok(1));
    assert!(table.get(&key("999")).await.unwrap().is_none());
    *clock.0.lock().unwrap() = Timestamp::from_second(3000).unwrap();
    assert_eq!(table.sweep_expired().await, Ok(2));
}

#[tokio::test]
async fn an_expired_item_leaves_the_index_too() {
    let table = DynoxideTable::in_memory(Standing::at(1000)).unwrap();
    let due = [(DUE_PARTITION, AttributeValue::S("D".into())), (DUE_AT, number(1)), (EXPIRES_AT, number(1))];
    table.write(put(item("a", &due))).await.unwrap();
    assert_eq!(table.due("D", 1, 9).await.unwrap().len(), 1);
    assert_eq!(table.sweep_expired().await, Ok(1));
    assert_eq!(table.due("D", 1, 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_file_is_swept_by_the_real_clock() {
    let folder = tempfile::tempdir().unwrap();
    let table = DynoxideTable::open(&folder.path().join("table.db")).unwrap();
    table.write(put(item("past", &[(EXPIRES_AT, number(1000))]))).await.unwrap();
    table.write(put(item("future", &[(EXPIRES_AT, number(i64::from(u32::MAX)))]))).await.unwrap();
    assert_eq!(table.sweep_expired().await, Ok(1));
}

#[test]
fn a_folder_that_is_absent_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    assert!(DynoxideTable::open(&folder.path().join("absent").join("table.db")).is_err());
}

#[test]
fn a_file_that_is_no_store_is_a_fault_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    std::fs::write(&path, "a letter, longer than the hundred bytes of a database header. ".repeat(4)).unwrap();
    assert!(DynoxideTable::open(&path).is_err());
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("a letter"));
}

#[test]
fn commits_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let _table = DynoxideTable::open(&path).unwrap();
    // The setting is each connection's own; what is looked at here is that this build of SQLite defaults to FULL (2).
    let beside = rusqlite::Connection::open(&path).unwrap();
    let setting = |name: &str| beside.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, String>(0));
    assert_eq!(setting("journal_mode").unwrap(), "wal");
    let synchronous: i64 = beside.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    assert_eq!(synchronous, 2);
}

#[tokio::test]
async fn a_call_given_up_halfway_is_still_made() {
    let folder = tempfile::tempdir().unwrap();
    let table = DynoxideTable::open(&folder.path().join("table.db")).unwrap();
    let mut write = table.write(put(item("a", &[])));
    assert!(poll_once(&mut write).is_none());
    drop(write);
    for _ in 0..1000 {
        if table.get(&key("a")).await.unwrap().is_some() {
            return;
        }
    }
    panic!("the write was not made");
}

/// Polls once.
fn poll_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn independent_writes_to_one_item_are_made_in_order() {
    let table = DynoxideTable::in_memory(Standing::at(0)).unwrap();
    let writes = vec![
        put(item("a", &[("n", number(1))])),
        put(item("b", &[])),
        Write::Delete { key: key("a"), condition: Some(Condition::Equals("n", number(1))) },
        Write::Update {
            key: key("a"),
            set: vec![],
            add: vec![("n", 2)],
            remove: vec![],
            condition: Some(Condition::Absent),
        },
        put(Item::default()),
        put(Item::default()),
    ];
    let results = table.write_many(writes).await;
    assert!(results[..4].iter().all(Result::is_ok));
    assert!(results[4..].iter().all(|result| matches!(result, Err(WriteFault::Fault(Fault::Failed { .. })))));
    assert_eq!(table.get(&key("a")).await, Ok(Some(item("a", &[("n", number(2))]))));
}

#[test]
fn in_memory_every_call_is_ready_at_once_and_needs_no_runtime() {
    let table = DynoxideTable::in_memory(Standing::at(0)).unwrap();
    assert!(poll_once(&mut table.write(put(item("a", &[])))).is_some_and(|done| done.is_ok()));
    assert!(poll_once(&mut table.get(&key("a"))).is_some_and(|found| found.is_ok_and(|item| item.is_some())));
    assert!(poll_once(&mut table.transact(vec![put(item("b", &[]))])).is_some_and(|done| done.is_ok()));
}

#[tokio::test]
async fn a_meter_around_it_counts_what_calls_cost() {
    let table = Metered::new(DynoxideTable::in_memory(Standing::at(0)).unwrap());
    let bulk = |length: usize| ("bulk", AttributeValue::S("x".repeat(length)));
    let count = |sort: &str, condition| Write::Update {
        key: key(sort),
        set: vec![],
        add: vec![("n", 1)],
        remove: vec![],
        condition,
    };

    table.write(put(item("a", &[bulk(5000)]))).await.unwrap();
    table.write(count("a", None)).await.unwrap();
    table.write(count("b", Some(Condition::Present))).await.unwrap_err();
    let write = table.counts().write;
    assert_eq!((write.calls, write.requests, write.items), (3, 3, 3));
    assert_eq!((write.write_units, write.index_write_units), (5 + 5 + 1, 0));

    let due = [(DUE_PARTITION, AttributeValue::S("D".into())), (DUE_AT, number(1))];
    table.transact(vec![count("a", None), put(item("c", &due))]).await.unwrap();
    table.transact(vec![count("a", Some(Condition::Absent)), put(item("d", &due))]).await.unwrap_err();
    let transact = table.counts().transact;
    assert_eq!((transact.calls, transact.requests, transact.items), (2, 2, 4));
    assert_eq!((transact.write_units, transact.index_write_units), (2 * (5 + 1) + 2 * (5 + 1), 1));

    table.write_many(vec![put(item("e", &[])), Write::Delete { key: key("a"), condition: None }]).await;
    let write_many = table.counts().write_many;
    assert_eq!((write_many.calls, write_many.requests, write_many.write_units), (1, 2, 1 + 5));

    table.reset();
    table.get(&key("absent")).await.unwrap();
    table.get_many(&[key("c"), key("absent")]).await.unwrap();
    let partition = Partition::of(&Tenant::system(), Area::Jobs);
    table.query(&Query { partition, range: Range::All, descending: false, limit: 9 }).await.unwrap();
    table.due("D", 1, 9).await.unwrap();
    let counts = table.counts();
    let units = [counts.get, counts.get_many, counts.query, counts.due].map(|usage| usage.read_units);
    assert_eq!(units, [1.0, 2.0, 1.0, 0.5]);
    assert_eq!(counts.total().requests, 4);
    assert_eq!(table.inner().get(&key("absent")).await, Ok(None));
    assert_eq!(table.counts(), counts);
}
