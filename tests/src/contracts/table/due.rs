use std::time::Duration;

use hooktide_store::ports::{AttributeValue, DUE_AT, DUE_PARTITION, Table, Write};

use super::{delete, item, key, number, put, sorts, text, write_all};

fn due(partition: &str, at: i64) -> [(&'static str, AttributeValue); 2] {
    [(DUE_PARTITION, text(partition)), (DUE_AT, number(at))]
}

/// Asserts what is due, as soon as the index has caught up.
async fn assert_due(table: &dyn Table, partition: &str, until: i64, limit: usize, expected: &[&str]) {
    let mut patience = 100;
    loop {
        let items = table.due(partition, until, limit).await.unwrap();
        if sorts(&items) == expected || patience == 0 {
            assert_eq!(sorts(&items), expected, "{partition} until {until}");
            return;
        }
        patience -= 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn the_earliest_come_first_up_to_and_with_the_bound(table: &dyn Table) {
    let at = |sort: &str, at| put(&key("due", sort), &due("contract-order", at));
    write_all(table, vec![at("c", 1_767_225_600_000), at("d", 1_767_225_600_001), at("a", 9), at("b", 10)]).await;
    assert_due(table, "contract-order", 1_767_225_600_000, 9, &["a", "b", "c"]).await;
    assert_due(table, "contract-order", i64::MAX, 9, &["a", "b", "c", "d"]).await;
    assert_due(table, "contract-order", i64::MAX, 2, &["a", "b"]).await;
    assert_due(table, "contract-order", 8, 9, &[]).await;
    assert_due(table, "contract-order", i64::MAX, 0, &[]).await;
    assert_due(table, "contract-orde", i64::MAX, 9, &[]).await;
    let whole = table.due("contract-order", 9, 1).await.unwrap();
    assert_eq!(whole, [item(&key("due", "a"), &due("contract-order", 9))]);
}

pub(super) async fn only_items_with_a_partition_and_a_time_are_due(table: &dyn Table) {
    let [partition, time] = due("contract-sparse", 1);
    write_all(
        table,
        vec![
            put(&key("sparse", "both"), &[partition.clone(), time.clone()]),
            put(&key("sparse", "partition"), &[partition]),
            put(&key("sparse", "time"), &[time]),
            put(&key("sparse", "neither"), &[]),
        ],
    )
    .await;
    assert_due(table, "contract-sparse", i64::MAX, 9, &["both"]).await;
}

pub(super) async fn an_item_follows_its_time(table: &dyn Table) {
    let [a, b, c] = ["a", "b", "c"].map(|sort| key("moves", sort));
    let all = [(&a, 1), (&b, 2), (&c, 3)];
    write_all(table, all.map(|(key, at)| put(key, &due("contract-moves", at))).into()).await;
    assert_due(table, "contract-moves", 3, 9, &["a", "b", "c"]).await;
    let update = |set, remove| Write::Update { key: a.clone(), set, add: vec![], remove, condition: None };
    table.write(update(vec![(DUE_AT, number(9))], vec![])).await.unwrap();
    assert_due(table, "contract-moves", 9, 9, &["b", "c", "a"]).await;
    assert_due(table, "contract-moves", 8, 9, &["b", "c"]).await;
    table.transact(vec![update(vec![], vec![DUE_AT]), delete(&b)]).await.unwrap();
    assert_due(table, "contract-moves", 9, 9, &["c"]).await;
    table.write(put(&c, &[])).await.unwrap();
    assert_due(table, "contract-moves", 9, 9, &[]).await;
}
