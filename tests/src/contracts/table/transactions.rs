use futures::future::join_all;
use hooktide_store::ports::{Cancellation, Condition, DUE_AT, DUE_PARTITION, Item, Key, Table, TransactFault, Write};

use super::{assert_failed, bulk, count, delete, item, key, number, put, put_if, text, write_all};

/// A reason for a cancellation: what is there instead.
fn condition(there: Option<Item>) -> Cancellation {
    Cancellation::Condition(there.map(Box::new))
}

async fn assert_absent(table: &dyn Table, keys: &[Key]) {
    assert_eq!(table.get_many(keys).await.unwrap(), vec![None; keys.len()]);
}

pub(super) async fn all_is_written_or_nothing(table: &dyn Table) {
    let [a, b, c] = ["a", "b", "c"].map(|sort| key("all", sort));
    let guard = put_if(Condition::Absent, &b, &[]);
    table.transact(vec![put(&a, &[]), guard.clone()]).await.unwrap();
    assert_eq!(table.get_many(&[a.clone(), b.clone()]).await.unwrap(), [Some(item(&a, &[])), Some(item(&b, &[]))]);
    let cancelled =
        TransactFault::Cancelled(vec![Cancellation::None, condition(Some(item(&b, &[]))), Cancellation::None]);
    assert_eq!(table.transact(vec![put(&c, &[]), guard, delete(&a)]).await, Err(cancelled));
    assert_eq!(table.get_many(&[a.clone(), c]).await.unwrap(), [Some(item(&a, &[])), None]);
    assert_eq!(table.transact(vec![]).await, Ok(()));
}

pub(super) async fn each_write_has_its_reason_in_order(table: &dyn Table) {
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|sort| key("reasons", sort));
    let there = item(&c, &[("n", number(3))]);
    write_all(table, vec![put(&c, &[("n", number(3))])]).await;
    let update = Write::Update {
        key: c.clone(),
        set: vec![("s", text("t"))],
        add: vec![],
        remove: vec![],
        condition: Some(Condition::Less("n", number(3))),
    };
    let writes = vec![
        put_if(Condition::Present, &a, &[]),
        put_if(Condition::Absent, &b, &[]),
        update,
        Write::Delete { key: d.clone(), condition: Some(Condition::Present) },
        Write::Check { key: e.clone(), condition: Condition::Absent },
    ];
    let expected =
        vec![condition(None), Cancellation::None, condition(Some(there.clone())), condition(None), Cancellation::None];
    assert_eq!(table.transact(writes).await, Err(TransactFault::Cancelled(expected)));
    assert_absent(table, &[a, b, d, e]).await;
    assert_eq!(table.get(&c).await.unwrap(), Some(there));
}

pub(super) async fn a_check_guards_without_writing(table: &dyn Table) {
    let [a, b] = ["a", "b"].map(|sort| key("check", sort));
    let check = |condition| Write::Check { key: a.clone(), condition };
    table.transact(vec![check(Condition::Absent), count(&b, 1)]).await.unwrap();
    assert_absent(table, std::slice::from_ref(&a)).await;
    let cancelled = TransactFault::Cancelled(vec![condition(None), Cancellation::None]);
    assert_eq!(table.transact(vec![check(Condition::Present), count(&b, 1)]).await, Err(cancelled));
    assert_eq!(table.get(&b).await.unwrap(), Some(item(&b, &[("n", number(1))])));
}

pub(super) async fn updates_and_deletes_take_part(table: &dyn Table) {
    let [a, b, c] = ["a", "b", "c"].map(|sort| key("part", sort));
    write_all(table, vec![put(&a, &[("n", number(1)), ("old", text("o"))]), put(&b, &[])]).await;
    let update = Write::Update {
        key: a.clone(),
        set: vec![("s", text("new"))],
        add: vec![("n", 4)],
        remove: vec!["old"],
        condition: Some(Condition::Equals("n", number(1))),
    };
    table.transact(vec![update, delete(&b), count(&c, 2)]).await.unwrap();
    let now = table.get_many(&[a.clone(), b, c.clone()]).await.unwrap();
    assert_eq!(
        now,
        [Some(item(&a, &[("n", number(5)), ("s", text("new"))])), None, Some(item(&c, &[("n", number(2))]))]
    );
}

pub(super) async fn two_writes_to_one_item_are_a_failure(table: &dyn Table) {
    let [a, b] = ["a", "b"].map(|sort| key("same", sort));
    assert_failed(table.transact(vec![put(&a, &[]), count(&b, 1), count(&a, 1)]).await);
    let check = Write::Check { key: a.clone(), condition: Condition::Absent };
    assert_failed(table.transact(vec![check, put(&a, &[])]).await);
    assert_absent(table, &[a, b]).await;
}

pub(super) async fn a_hundred_writes_are_the_most(table: &dyn Table) {
    let keys: Vec<Key> = (0..101).map(|n| key("hundred", &format!("{n}"))).collect();
    assert_failed(table.transact(keys.iter().map(|key| put(key, &[])).collect()).await);
    assert_absent(table, &keys).await;
    table.transact(keys[..100].iter().map(|key| put(key, &[])).collect()).await.unwrap();
    assert!(table.get_many(&keys[..100]).await.unwrap().iter().all(Option::is_some));
}

pub(super) async fn four_megabytes_are_the_most(table: &dyn Table) {
    let keys: Vec<Key> = (0..11).map(|n| key("megabytes", &format!("{n}"))).collect();
    assert_failed(table.transact(keys.iter().map(|key| put(key, &[("bulk", bulk(390 * 1024))])).collect()).await);
    assert_absent(table, &keys).await;
}

pub(super) async fn an_unwritable_item_fails_the_whole(table: &dyn Table) {
    let [a, b] = ["a", "b"].map(|sort| key("unwritable-part", sort));
    let update = |set, remove| Write::Update { key: b.clone(), set, add: vec![], remove, condition: None };
    for unwritable in [
        put(&b, &[("bulk", bulk(400 * 1024))]),
        put(&b, &[(DUE_PARTITION, text("contract")), (DUE_AT, text("noon"))]),
        put(&key("unwritable-part", ""), &[]),
        update(vec![], vec![]),
        update(vec![("sk", text("c"))], vec![]),
        update(vec![(DUE_AT, text("noon"))], vec![]),
        update(vec![("n", number(1))], vec!["n"]),
    ] {
        assert_failed(table.transact(vec![put(&a, &[]), unwritable]).await);
    }
    assert_absent(table, &[a, b]).await;
}

/// The journal's append: the next position is free for one of many.
pub(super) async fn concurrent_appends_have_one_winner(table: &dyn Table) {
    let head = key("append", "head");
    let own: Vec<Key> = (0..10).map(|by| key("append", &format!("{by}"))).collect();
    let append = |(by, own): (usize, &Key)| {
        table.transact(vec![put_if(Condition::Absent, &head, &[("by", number(by as i64))]), put(own, &[])])
    };
    let results = join_all(own.iter().enumerate().map(append)).await;
    let won: Vec<usize> = (0..results.len()).filter(|by| results[*by].is_ok()).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(table.get(&head).await.unwrap(), Some(item(&head, &[("by", number(won[0] as i64))])));
    for (by, result) in results.iter().enumerate().filter(|(by, _)| *by != won[0]) {
        let Err(TransactFault::Cancelled(reasons)) = result else { panic!("{result:?}") };
        assert_ne!(reasons[0], Cancellation::None);
        assert_absent(table, &own[by..=by]).await;
    }
}
