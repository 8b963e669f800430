use hooktide_store::ports::{Cancellation, Condition, Item, Key, Table, TransactFault, Write};

use super::{item, key, number, put, refused, text, write_all};

/// Conditions with whether they hold for the item `{n: 5, s: "b"}` and for no item.
fn truths() -> Vec<(Condition, bool, bool)> {
    use Condition::{Absent, All, Any, Equals, Less, Present};
    vec![
        (Absent, false, true),
        (Present, true, false),
        (Equals("n", number(5)), true, false),
        (Equals("n", number(6)), false, false),
        (Equals("n", text("5")), false, false),
        (Equals("s", text("b")), true, false),
        (Equals("missing", number(5)), false, false),
        (Less("n", number(6)), true, false),
        (Less("n", number(5)), false, false),
        (Less("n", text("6")), false, false),
        (Less("s", text("c")), true, false),
        (Less("missing", number(6)), false, false),
        (All(vec![Present, Equals("n", number(5))]), true, false),
        (All(vec![Present, Equals("n", number(6))]), false, false),
        (All(vec![Absent]), false, true),
        (Any(vec![Absent, Less("n", number(6))]), true, true),
        (Any(vec![Absent, Less("n", number(5))]), false, true),
        (Any(vec![Less("missing", number(9)), Equals("s", text("b"))]), true, false),
        (Any(vec![Equals("n", number(6)), All(vec![Present, Less("s", text("c"))])]), true, false),
        (All(vec![Any(vec![Absent, Present]), Any(vec![Absent, Less("n", number(5))])]), false, true),
        (Any(vec![Equals("n", number(5)), Equals("n", number(5)), Less("n", number(5))]), true, false),
    ]
}

/// Each kind of write on that condition.
fn writes(key: &Key, condition: &Condition) -> [Write; 3] {
    let condition = Some(condition.clone());
    [
        Write::Put { item: item(key, &[("new", number(1))]), condition: condition.clone() },
        Write::Update {
            key: key.clone(),
            set: vec![("new", number(1))],
            add: vec![],
            remove: vec!["s"],
            condition: condition.clone(),
        },
        Write::Delete { key: key.clone(), condition },
    ]
}

pub(super) async fn each_condition_holds_when_it_should(table: &dyn Table) {
    let (full, empty) = (key("truth", "full"), key("truth", "empty"));
    let there = item(&full, &[("n", number(5)), ("s", text("b"))]);
    for (condition, holds, holds_for_none) in truths() {
        for (key, there, holds) in [(&full, Some(&there), holds), (&empty, None, holds_for_none)] {
            reset(table, key, there).await;
            let check = Write::Check { key: key.clone(), condition: condition.clone() };
            let cancelled = || TransactFault::Cancelled(vec![Cancellation::Condition(there.cloned().map(Box::new))]);
            let checked = if holds { Ok(()) } else { Err(cancelled()) };
            assert_eq!(table.transact(vec![check]).await, checked, "{condition:?} checked");
            for write in writes(key, &condition) {
                reset(table, key, there).await;
                let alone = table.write(write.clone()).await.map(|_| ());
                let expected = if holds { Ok(()) } else { Err(refused(there.cloned())) };
                assert_eq!(alone, expected, "{write:?}");
                reset(table, key, there).await;
                assert_eq!(table.transact(vec![write.clone()]).await, checked, "{write:?} in a transaction");
            }
        }
    }
}

async fn reset(table: &dyn Table, key: &Key, there: Option<&Item>) {
    let write = match there {
        Some(item) => Write::Put { item: item.clone(), condition: None },
        None => super::delete(key),
    };
    write_all(table, vec![write]).await;
}

pub(super) async fn numbers_compare_by_value_and_texts_by_bytes(table: &dyn Table) {
    let key = key("compare", "a");
    write_all(table, vec![put(&key, &[("n", number(9)), ("negative", number(-3)), ("s", text("9"))])]).await;
    for (condition, holds) in [
        (Condition::Less("n", number(10)), true),
        (Condition::Less("negative", number(-2)), true),
        (Condition::Less("negative", number(-4)), false),
        (Condition::Less("s", text("10")), false),
        (Condition::Less("s", text("A")), true),
    ] {
        let checked = table.transact(vec![Write::Check { key: key.clone(), condition: condition.clone() }]).await;
        assert_eq!(checked.is_ok(), holds, "{condition:?}");
    }
}

pub(super) async fn a_failed_condition_changes_nothing(table: &dyn Table) {
    let key = key("unchanged", "a");
    let there = item(&key, &[("n", number(5)), ("s", text("b"))]);
    reset(table, &key, Some(&there)).await;
    for write in writes(&key, &Condition::Absent) {
        assert_eq!(table.write(write).await, Err(refused(Some(there.clone()))));
        assert_eq!(table.get(&key).await.unwrap().as_ref(), Some(&there));
    }
}
