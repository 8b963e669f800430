use hooktide_store::ports::{Page, Query, Range, Table};

use super::{bulk, key, partition, put, sorts, write_all};

async fn fill(table: &dyn Table, check: &str, all: &[&str]) {
    write_all(table, all.iter().map(|sort| put(&key(check, sort), &[])).collect()).await;
}

fn query(check: &str, range: Range, descending: bool, limit: usize) -> Query {
    Query { partition: partition(check), range, descending, limit }
}

/// Asserts what a range holds, both ways.
async fn assert_holds(table: &dyn Table, check: &str, range: Range, expected: &[&str]) {
    let mut expected = expected.to_vec();
    for descending in [false, true] {
        let page = table.query(&query(check, range.clone(), descending, 100)).await.unwrap();
        assert_eq!(sorts(&page.items), expected, "{range:?}, descending: {descending}");
        assert!(!page.more, "{range:?}");
        expected.reverse();
    }
}

fn between(from: &str, to: &str) -> Range {
    Range::Between(from.to_owned(), to.to_owned())
}

fn prefix(prefix: &str) -> Range {
    Range::Prefix(prefix.to_owned())
}

pub(super) async fn a_range_holds_its_keys_in_order(table: &dyn Table) {
    fill(table, "range", &["b#2", "a", "b#10", "c", "b", "b#1"]).await;
    assert_holds(table, "range", Range::All, &["a", "b", "b#1", "b#10", "b#2", "c"]).await;
    assert_holds(table, "range", prefix("b#"), &["b#1", "b#10", "b#2"]).await;
    assert_holds(table, "range", prefix("b#1"), &["b#1", "b#10"]).await;
    assert_holds(table, "range", prefix(""), &["a", "b", "b#1", "b#10", "b#2", "c"]).await;
    assert_holds(table, "range", between("b", "b#10"), &["b", "b#1", "b#10"]).await;
    assert_holds(table, "range", between("b#1", "b#1"), &["b#1"]).await;
    assert_holds(table, "range", between("b\u{0}", "bz"), &["b#1", "b#10", "b#2"]).await;
    assert_holds(table, "range", between("", "b"), &["a", "b"]).await;
    assert_holds(table, "range", between("b#2", "\u{10ffff}"), &["b#2", "c"]).await;
}

pub(super) async fn keys_are_ordered_by_their_bytes(table: &dyn Table) {
    let sorted = ["\u{1}", "0", "10", "9", "A", "_", "a", "a\u{0}", "a\u{1}", "aa", "é", "\u{ffff}", "𝄞", "\u{10ffff}"];
    let mut mixed = sorted;
    mixed.reverse();
    fill(table, "bytes", &mixed).await;
    assert_holds(table, "bytes", Range::All, &sorted).await;
    assert_holds(table, "bytes", prefix("a"), &["a", "a\u{0}", "a\u{1}", "aa"]).await;
    assert_holds(table, "bytes", prefix("\u{10ffff}"), &["\u{10ffff}"]).await;
    assert_holds(table, "bytes", between("a\u{1}", "\u{10ffff}"), &sorted[8..]).await;
}

pub(super) async fn a_prefix_is_taken_literally(table: &dyn Table) {
    fill(table, "literal", &["a%b", "a*b", "a?b", "a[b", "a\\b", "a_b", "axb", "A%b"]).await;
    for sort in ["a%", "a*", "a?", "a[", "a\\", "a_", "A"] {
        let expected = if sort == "A" { "A%b".to_owned() } else { format!("{sort}b") };
        assert_holds(table, "literal", prefix(sort), &[&expected]).await;
    }
}

pub(super) async fn an_empty_range_has_no_items(table: &dyn Table) {
    assert_eq!(table.query(&query("empty", Range::All, false, 9)).await.unwrap(), Page::default());
    fill(table, "nothing", &["a", "c"]).await;
    for range in [prefix("b"), between("b", "bz"), between("c", "a"), between("", "")] {
        assert_holds(table, "nothing", range, &[]).await;
    }
    let none = table.query(&query("nothing", Range::All, false, 0)).await.unwrap();
    assert_eq!(none, Page { items: vec![], more: true });
}

pub(super) async fn a_limit_is_kept_and_more_tells_of_the_rest(table: &dyn Table) {
    let all = ["a", "b", "c", "d", "e"];
    fill(table, "limit", &all).await;
    for descending in [false, true] {
        let page = table.query(&query("limit", between("b", "d"), descending, 2)).await.unwrap();
        assert_eq!(sorts(&page.items), if descending { ["d", "c"] } else { ["b", "c"] });
        assert!(page.more);
    }
    let page = table.query(&query("limit", Range::All, false, 6)).await.unwrap();
    assert_eq!((sorts(&page.items), page.more), (all.to_vec(), false));
}

/// More than the 1 MB that DynamoDB looks at for one page, walked as records walk them.
pub(super) async fn pages_hold_every_item_once(table: &dyn Table) {
    let all: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
    for sort in &all {
        write_all(table, vec![put(&key("pages", sort), &[("bulk", bulk(100 * 1024))])]).await;
    }
    for limit in [3, 7, 25, 100] {
        let (mut range, mut walked) = (Range::All, Vec::new());
        loop {
            let page = table.query(&query("pages", range, false, limit)).await.unwrap();
            assert!(page.items.len() <= limit);
            walked.extend(sorts(&page.items).into_iter().map(str::to_owned));
            if !page.more {
                break;
            }
            let last = walked.last().expect("a page that has more has items");
            range = between(&format!("{last}\u{0}"), "\u{10ffff}");
        }
        assert_eq!(walked, all, "by {limit}");
    }
    let page = table.query(&query("pages", between("05", "20"), true, 4)).await.unwrap();
    assert_eq!((sorts(&page.items), page.more), (vec!["20", "19", "18", "17"], true));
}

pub(super) async fn partitions_do_not_mix(table: &dyn Table) {
    fill(table, "near", &["a"]).await;
    fill(table, "nearer", &["b"]).await;
    fill(table, "NEAR", &["c"]).await;
    assert_holds(table, "near", Range::All, &["a"]).await;
    assert_holds(table, "nearer", Range::All, &["b"]).await;
    assert_holds(table, "nea", Range::All, &[]).await;
}
