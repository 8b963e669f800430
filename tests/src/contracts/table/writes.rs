use futures::future::join_all;
use hooktide_store::ports::{Condition, DUE_AT, DUE_PARTITION, Item, PARTITION, SORT, Table, Write, WriteFault};

use super::{assert_failed, bulk, count, delete, item, key, number, put, put_if, refused, text, write_all};

pub(super) async fn a_put_replaces_the_whole_item(table: &dyn Table) {
    let key = key("replace", "a");
    write_all(table, vec![put(&key, &[("old", number(1)), ("both", number(1))])]).await;
    table.write(put(&key, &[("both", number(2)), ("new", number(2))])).await.unwrap();
    assert_eq!(table.get(&key).await.unwrap(), Some(item(&key, &[("both", number(2)), ("new", number(2))])));
}

pub(super) async fn an_update_sets_adds_and_removes_and_returns_the_item_as_it_is_now(table: &dyn Table) {
    let key = key("update", "a");
    let before = [("kept", text("k")), ("set", text("old")), ("n", number(40)), ("gone", text("g"))];
    write_all(table, vec![put(&key, &before)]).await;
    let update = Write::Update {
        key: key.clone(),
        set: vec![("set", text("new")), ("list", text("a word that DynamoDB reserves"))],
        add: vec![("n", 2), ("m", -1)],
        remove: vec!["gone", "never"],
        condition: Some(Condition::Equals("set", text("old"))),
    };
    let now = table.write(update).await.unwrap();
    let list = ("list", text("a word that DynamoDB reserves"));
    let expected = item(&key, &[("kept", text("k")), ("set", text("new")), ("n", number(42)), ("m", number(-1)), list]);
    assert_eq!(now.as_ref(), Some(&expected));
    assert_eq!(table.get(&key).await.unwrap(), Some(expected));
}

pub(super) async fn an_update_makes_an_absent_item_and_counts_from_zero(table: &dyn Table) {
    let key = key("upsert", "a");
    assert_eq!(table.write(count(&key, 3)).await.unwrap(), Some(item(&key, &[("n", number(3))])));
    assert_eq!(table.write(count(&key, -5)).await.unwrap(), Some(item(&key, &[("n", number(-2))])));
    let other = super::key("upsert", "b");
    let remove = |remove| Write::Update { key: other.clone(), set: vec![], add: vec![], remove, condition: None };
    assert_eq!(table.write(remove(vec!["n"])).await.unwrap(), Some(item(&other, &[])));
}

pub(super) async fn only_an_update_returns_an_item(table: &dyn Table) {
    let key = key("return", "a");
    assert_eq!(table.write(put(&key, &[])).await, Ok(None));
    assert_eq!(table.write(put(&key, &[("n", number(1))])).await, Ok(None));
    assert_eq!(table.write(delete(&key)).await, Ok(None));
}

pub(super) async fn deleting_what_is_absent_succeeds(table: &dyn Table) {
    let key = key("delete", "a");
    table.write(delete(&key)).await.unwrap();
    write_all(table, vec![put(&key, &[])]).await;
    table.write(delete(&key)).await.unwrap();
    assert_eq!(table.get(&key).await.unwrap(), None);
    table.write(delete(&key)).await.unwrap();
}

pub(super) async fn what_can_never_be_written_is_a_failure(table: &dyn Table) {
    let key = key("unwritable", "a");
    let without = |name: &str| {
        let mut item = item(&key, &[]);
        item.remove(name);
        Write::Put { item, condition: None }
    };
    assert_failed(table.write(without(PARTITION)).await);
    assert_failed(table.write(without(SORT)).await);
    assert_failed(table.write(put(&super::key("unwritable", ""), &[])).await);
    assert_failed(table.write(put(&key, &[("bulk", bulk(400 * 1024))])).await);
    assert_failed(table.write(put(&key, &[(DUE_PARTITION, text("contract")), (DUE_AT, text("noon"))])).await);
    assert_failed(table.write(put(&key, &[(DUE_PARTITION, text("")), (DUE_AT, number(1))])).await);
    assert_failed(table.write(Write::Check { key: key.clone(), condition: Condition::Absent }).await);
    assert_eq!(table.get(&key).await.unwrap(), None);

    let update = |set, remove| Write::Update { key: key.clone(), set, add: vec![], remove, condition: None };
    assert_failed(table.write(update(vec![], vec![])).await);
    assert_failed(table.write(update(vec![(SORT, text("b"))], vec![])).await);
    assert_failed(table.write(update(vec![], vec![PARTITION])).await);
    assert_failed(table.write(update(vec![("n", number(1))], vec!["n"])).await);
    assert_eq!(table.get(&key).await.unwrap(), None);

    write_all(table, vec![put(&key, &[("n", text("three"))])]).await;
    assert_failed(table.write(count(&key, 1)).await);
}

pub(super) async fn independent_writes_fail_alone(table: &dyn Table) {
    let [a, b, c, d, e, f] = ["a", "b", "c", "d", "e", "f"].map(|sort| key("independent", sort));
    let there = item(&b, &[("n", number(7))]);
    write_all(table, vec![put(&b, &[("n", number(7))]), put(&e, &[])]).await;
    let results = table
        .write_many(vec![
            put_if(Condition::Absent, &a, &[]),
            put_if(Condition::Absent, &b, &[]),
            put_if(Condition::Present, &c, &[]),
            Write::Check { key: d.clone(), condition: Condition::Absent },
            delete(&e),
            put(&f, &[("bulk", bulk(400 * 1024))]),
            count(&d, 1),
        ])
        .await;
    assert_eq!(results.len(), 7);
    assert_eq!(results[..3], [Ok(()), Err(refused(Some(there.clone()))), Err(refused(None))]);
    assert_failed(results[3].clone());
    assert_eq!(results[4], Ok(()));
    assert_failed(results[5].clone());
    assert_eq!(results[6], Ok(()));
    let now = table.get_many(&[a.clone(), b, c, d.clone(), e, f]).await.unwrap();
    assert_eq!(now, [Some(item(&a, &[])), Some(there), None, Some(item(&d, &[("n", number(1))])), None, None]);
}

pub(super) async fn any_number_of_independent_writes_is_taken(table: &dyn Table) {
    let keys: Vec<_> = (0..230).map(|n| key("numerous", &format!("{n:03}"))).collect();
    write_all(table, vec![put(&keys[150], &[])]).await;
    let results = table.write_many(keys.iter().map(|key| put_if(Condition::Absent, key, &[])).collect()).await;
    let failed: Vec<usize> = (0..results.len()).filter(|place| results[*place].is_err()).collect();
    assert_eq!((results.len(), failed), (230, vec![150]));
    assert!(table.get_many(&keys).await.unwrap().iter().all(Option::is_some));
    assert_eq!(table.write_many(vec![]).await, []);
}

pub(super) async fn concurrent_puts_of_an_absent_item_have_one_winner(table: &dyn Table) {
    let key = key("race", "a");
    let put = |by| table.write(put_if(Condition::Absent, &key, &[("by", number(by))]));
    let results = join_all((0..20).map(put)).await;
    let winner: Item = table.get(&key).await.unwrap().expect("somebody has put it");
    let won: Vec<usize> = (0..results.len()).filter(|by| results[*by].is_ok()).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(winner, item(&key, &[("by", number(won[0] as i64))]));
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(result, Err::<Option<Item>, WriteFault>(refused(Some(winner.clone()))));
    }
}

pub(super) async fn concurrent_counts_are_all_counted(table: &dyn Table) {
    let key = key("count", "a");
    let results = join_all((0..20).map(|_| table.write(count(&key, 1)))).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(table.get(&key).await.unwrap(), Some(item(&key, &[("n", number(20))])));
}
