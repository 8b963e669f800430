use std::collections::HashMap;

use hooktide_store::ports::{AttributeValue, Key, Table};

use super::{assert_failed, bulk, count, item, key, number, put, text, write_all};

pub(super) async fn every_kind_of_value_comes_back(table: &dyn Table) {
    let key = key("values", "größe#\u{10ffff}");
    let list = AttributeValue::L(vec![number(-1), text(""), AttributeValue::B(vec![]), AttributeValue::L(vec![])]);
    let map = HashMap::from([("inner".to_owned(), list.clone()), ("ö".to_owned(), AttributeValue::Null(true))]);
    let all = [
        ("text", text("tab\t, quote \", null \u{0}, 𝄞")),
        ("empty", text("")),
        ("number", AttributeValue::N("12345678901234567890123456789012345678".into())),
        ("fraction", AttributeValue::N("-0.015".into())),
        ("bytes", AttributeValue::B((0..=255).collect())),
        ("no_bytes", AttributeValue::B(vec![])),
        ("yes", AttributeValue::Bool(true)),
        ("no", AttributeValue::Bool(false)),
        ("null", AttributeValue::Null(true)),
        ("texts", AttributeValue::Ss(vec!["one".into()])),
        ("numbers", AttributeValue::Ns(vec!["1.5".into()])),
        ("blobs", AttributeValue::Bs(vec![vec![0, 255]])),
        ("list", list),
        ("map", AttributeValue::M(map)),
        ("empty_map", AttributeValue::M(HashMap::new())),
    ];
    write_all(table, vec![put(&key, &all)]).await;
    let expected = item(&key, &all);
    assert_eq!(table.get(&key).await.unwrap().as_ref(), Some(&expected));
    assert_eq!(table.get_many(std::slice::from_ref(&key)).await.unwrap(), [Some(expected)]);
}

pub(super) async fn a_read_sees_the_last_write(table: &dyn Table) {
    let key = key("consistent", "a");
    for n in 1..=10 {
        table.write(count(&key, 1)).await.unwrap();
        let now = Some(item(&key, &[("n", number(n))]));
        assert_eq!(table.get(&key).await.unwrap(), now);
        assert_eq!(table.get_many(std::slice::from_ref(&key)).await.unwrap(), [now]);
    }
}

pub(super) async fn many_items_come_in_the_order_of_their_keys(table: &dyn Table) {
    let keys: Vec<Key> = (0..230).map(|n| key(if n % 2 == 0 { "even" } else { "odd" }, &format!("{n}"))).collect();
    let there = |n: &usize| !n.is_multiple_of(3);
    write_all(table, (0..230).filter(there).map(|n| put(&keys[n], &[("n", number(n as i64))])).collect()).await;
    let asked: Vec<usize> = (0..230).rev().collect();
    let found = table.get_many(&asked.iter().map(|n| keys[*n].clone()).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(found.len(), asked.len());
    for (n, found) in asked.iter().zip(found) {
        assert_eq!(found, there(n).then(|| item(&keys[*n], &[("n", number(*n as i64))])));
    }
    assert_eq!(table.get_many(&[]).await.unwrap(), []);
}

/// DynamoDB returns 16 MB at most and leaves the rest to be asked for again.
pub(super) async fn more_items_come_than_fit_one_response(table: &dyn Table) {
    let keys: Vec<Key> = (0..45).map(|n| key("large", &format!("{n:02}"))).collect();
    for key in &keys {
        write_all(table, vec![put(key, &[("bulk", bulk(390 * 1024))])]).await;
    }
    let found = table.get_many(&keys).await.unwrap();
    for (key, found) in keys.iter().zip(found) {
        assert_eq!(found.expect("it was put").get("sk"), Some(&text(key.sort())));
    }
    write_all(table, keys.iter().map(super::delete).collect()).await;
}

pub(super) async fn a_key_asked_for_twice_is_a_failure(table: &dyn Table) {
    let mut keys: Vec<Key> = (0..150).map(|n| key("twice", &format!("{n}"))).collect();
    keys.push(keys[0].clone());
    assert_failed(table.get_many(&keys).await);
    assert_failed(table.get_many(&[keys[0].clone(), keys[0].clone()]).await);
}
