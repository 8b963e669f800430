use std::sync::Arc;

use hooktide_local::table::DynoxideTable;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::metering::Metered;
use hooktide_store::ports::{AttributeValue, Clock, DUE_AT, DUE_PARTITION, Item, PARTITION, SORT, Table, Write};
use hooktide_tests::contracts::table::keeps_its_promises;
use hooktide_tests::plain_table::PlainTable;
use jiff::Timestamp;

struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[tokio::test]
async fn the_embedded_table_keeps_its_promises_in_memory() {
    keeps_its_promises(&DynoxideTable::in_memory(Arc::new(Epoch)).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_table_keeps_its_promises_on_a_file() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(&DynoxideTable::open(&folder.path().join("table.db")).unwrap()).await;
}

#[tokio::test]
async fn the_table_of_long_simulations_keeps_them() {
    keeps_its_promises(&PlainTable::default()).await;
}

#[tokio::test]
async fn a_metered_table_keeps_them_as_well() {
    let table = Metered::new(DynoxideTable::in_memory(Arc::new(Epoch)).unwrap());
    keeps_its_promises(&table).await;
    assert!(table.counts().total().write_units > 0);
}

fn entry(n: i64) -> (hooktide_store::ports::Key, Item) {
    let key = Partition::of(&Tenant::system(), Area::Jobs).key(format!("{n}"));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = Item::default();
    item.insert(PARTITION.to_owned(), text(key.partition()));
    item.insert(SORT.to_owned(), text(key.sort()));
    item.insert(DUE_PARTITION.to_owned(), text("reopened"));
    item.insert(DUE_AT.to_owned(), AttributeValue::N(n.to_string()));
    (key, item)
}

#[tokio::test]
async fn a_file_that_is_opened_again_still_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let entries: Vec<_> = (0..50).map(entry).collect();
    for round in entries.chunks(10) {
        let table = DynoxideTable::open(&path).unwrap();
        let put = |(_, item): &(_, Item)| Write::Put { item: item.clone(), condition: None };
        table.transact(round[..5].iter().map(put).collect()).await.unwrap();
        assert!(table.write_many(round[5..].iter().map(put).collect()).await.iter().all(Result::is_ok));
    }
    let table = DynoxideTable::open(&path).unwrap();
    let (keys, items): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
    let found = table.get_many(&keys).await.unwrap();
    assert_eq!(found.into_iter().flatten().collect::<Vec<_>>(), items);
    assert_eq!(table.due("reopened", 49, 100).await.unwrap(), items);
}

#[tokio::test]
async fn a_file_opened_while_it_is_open_shows_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.db");
    let (first, second) = (DynoxideTable::open(&path).unwrap(), DynoxideTable::open(&path).unwrap());
    let (key, item) = entry(1);
    first.write(Write::Put { item: item.clone(), condition: None }).await.unwrap();
    assert_eq!(second.get(&key).await.unwrap(), Some(item));
}
