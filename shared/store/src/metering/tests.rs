use std::collections::HashMap;

use super::*;

fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    Item::from(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<HashMap<_, _>>())
}

fn text(length: usize) -> AttributeValue {
    AttributeValue::S("x".repeat(length))
}

fn number(digits: &str) -> AttributeValue {
    AttributeValue::N(digits.to_owned())
}

/// An item of exactly so many bytes.
fn sized(bytes: usize) -> Item {
    item(&[("pk", text(1)), ("sk", text(1)), ("rest", text(bytes - 10))])
}

/// The same in the `due` index, where `due_pk` (6 + 1) and `due_at` (6 + 2) add 15 bytes.
fn due(bytes: usize, at: &str) -> Item {
    let mut item = sized(bytes - 15);
    item.insert(DUE_PARTITION.into(), text(1));
    item.insert(DUE_AT.into(), number(at));
    item
}

#[test]
fn an_item_is_as_large_as_its_names_and_values() {
    assert_eq!(item_size(&item(&[])), 0);
    assert_eq!(item_size(&item(&[("pk", text(10)), ("sk", text(0))])), 2 + 10 + 2);
    assert_eq!(item_size(&item(&[("größe", AttributeValue::S("ö".into()))])), 7 + 2);
    assert_eq!(item_size(&sized(4096)), 4096);
    assert_eq!(item_size(&due(1024, "7")), 1024);
}

#[test]
fn each_kind_of_value_has_its_size() {
    let list = AttributeValue::L(vec![text(5), AttributeValue::Bool(true)]);
    let map = AttributeValue::M(HashMap::from([("ab".to_owned(), number("12")), ("c".to_owned(), list.clone())]));
    for (value, size) in [
        (AttributeValue::B(vec![0; 9]), 9),
        (AttributeValue::Bool(false), 1),
        (AttributeValue::Null(true), 1),
        (AttributeValue::Ss(vec!["ab".into(), "cde".into()]), 5),
        (AttributeValue::Ns(vec!["1".into(), "123".into()]), 2 + 3),
        (AttributeValue::Bs(vec![vec![0; 2], vec![0; 3]]), 5),
        (AttributeValue::L(vec![]), 3),
        (AttributeValue::M(HashMap::new()), 3),
        (list, 3 + (1 + 5) + (1 + 1)),
        (map, 3 + (1 + 2 + 2) + (1 + 1 + 11)),
    ] {
        assert_eq!(value_size(&value), size, "{value:?}");
    }
}

#[test]
fn a_number_is_as_large_as_its_significant_digits() {
    for (digits, size) in [
        ("0", 1),
        ("0.00", 1),
        ("7", 2),
        ("42", 2),
        ("123", 3),
        ("1200", 2),
        ("0.0012", 2),
        ("-42", 3),
        ("1.5e3", 2),
        ("1767225600000", 5),
        ("1767225600001", 8),
    ] {
        assert_eq!(value_size(&number(digits)), size, "{digits}");
    }
}

#[test]
fn reads_are_by_four_and_writes_by_one_kilobyte() {
    assert_eq!([0, 1, 4096, 4097, 8193].map(read_units), [1.0, 1.0, 1.0, 2.0, 3.0]);
    assert_eq!([10, 1024, 1025, 2049].map(|bytes| write_units(&sized(bytes))), [1, 1, 2, 3]);
}

/// The table's and the index's units of a write that leaves `outcome` where `old` was.
fn cost(old: Option<Item>, outcome: Outcome, made: bool) -> (u64, u64) {
    let key = Key::of(&sized(100));
    let before = key.clone().zip(old).into_iter().collect();
    let after = key.clone().zip(Some(sized(3000))).into_iter().collect();
    let cost = Planned { key, outcome }.cost(made, &before, &after);
    (cost.write_units, cost.index_write_units)
}

#[test]
fn a_write_costs_by_the_larger_of_before_and_after() {
    assert_eq!(cost(None, Outcome::Item(sized(2000)), true), (2, 0));
    assert_eq!(cost(Some(sized(5000)), Outcome::Item(sized(100)), true), (5, 0));
    assert_eq!(cost(Some(sized(100)), Outcome::Look, true), (3, 0));
    assert_eq!(cost(Some(sized(1500)), Outcome::Nothing, true), (2, 0));
    assert_eq!(cost(None, Outcome::Nothing, true), (1, 0));
    assert_eq!(cost(Some(sized(1500)), Outcome::Unchanged, true), (2, 0));
}

#[test]
fn a_refused_write_costs_by_what_was_there() {
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Item(sized(9000)), false), (2, 0));
    assert_eq!(cost(None, Outcome::Look, false), (1, 0));
}

#[test]
fn the_index_costs_by_what_changes_in_it() {
    assert_eq!(cost(None, Outcome::Item(due(1500, "7")), true), (2, 2), "enters");
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Nothing, true), (2, 2), "leaves with its item");
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Item(sized(100)), true), (2, 2), "leaves alone");
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Item(due(100, "8")), true), (2, 3), "moves");
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Item(due(2500, "7")), true), (3, 3), "changes in place");
    assert_eq!(cost(Some(due(1500, "7")), Outcome::Item(due(1500, "7")), true), (2, 0), "stays as it is");
    let mut half = sized(100);
    half.insert(DUE_PARTITION.into(), text(1));
    assert_eq!(cost(None, Outcome::Item(half), true), (1, 0), "is not in it without a time");
}

#[test]
fn counts_add_up() {
    let one = Usage { calls: 1, requests: 2, items: 3, read_units: 0.5, write_units: 4, index_write_units: 5 };
    let counts = Counts { get: one, transact: one, ..Counts::default() };
    let two = Usage { calls: 2, requests: 4, items: 6, read_units: 1.0, write_units: 8, index_write_units: 10 };
    assert_eq!(counts.total(), two);
}
