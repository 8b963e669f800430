//! Folders in which something is missing.

use crate::evidence::Evidence;

/// What is wrong, what makes it so, and the rules that catch it.
type Damaged = (&'static str, fn(&mut Evidence), &'static [&'static str]);

const README: &[&str] = &["has_a_readme_that_says_what_becomes_of_every_topic"];
const ORIGIN: &[&str] = &["says_of_every_fixture_where_it_is_from_and_what_signed_it"];

pub(super) const FOLDERS: &[Damaged] = &[
    ("no README", |folder| folder.readme = None, README),
    ("a README without a topic", |folder| edit(folder, "`products/create`, ", ""), README),
    (
        "a README that names a topic outside its table",
        |folder| edit(folder, "| `shop/redact`", "`shop/redact`"),
        README,
    ),
    ("a README with another meaning", |folder| edit(folder, "| privacy: erase a shop", "| ignored"), README),
    (
        "a README that takes a hint for a count",
        |folder| edit(folder, "| sync of `stock`, at this level |", "| stock |"),
        README,
    ),
    (
        "a README that fetches what is told",
        |folder| edit(folder, "`products/update` | product |", "`products/update` | sync of `products` |"),
        README,
    ),
    (
        "a topic without a fixture",
        |folder| folder.fixtures.retain(|fixture| fixture.name != "shop-redact"),
        &["has_a_fixture_of_every_topic"],
    ),
    (
        "no fixtures",
        |folder| folder.fixtures.clear(),
        &["has_a_fixture_of_every_topic", "keeps_no_snapshot_without_its_fixture"],
    ),
    ("a fixture without a source", |folder| forget(folder, "source"), ORIGIN),
    ("a fixture of an unknown source", |folder| say(folder, "source", "guessed https://example.com"), ORIGIN),
    ("a fixture of no place", |folder| say(folder, "source", "documented"), ORIGIN),
    (
        "a fixture without a secret",
        |folder| forget(folder, "secret"),
        &["says_of_every_fixture_where_it_is_from_and_what_signed_it", "accepts_what_was_recorded"],
    ),
    ("a fixture with an empty secret", |folder| say(folder, "secret", "client_secret="), ORIGIN),
    ("a fixture with a secret that is not needed", |folder| say(folder, "secret", "key=k"), ORIGIN),
    ("a fixture without a signature", |folder| forget(folder, "signature"), ORIGIN),
    (
        "a fixture that names another header its signature",
        |folder| say(folder, "signature", "x-shopify-topic"),
        &["refuses_a_missing_or_empty_signature"],
    ),
    ("a fixture that does not say what it shows", |folder| forget(folder, "covers"), ORIGIN),
    ("a fixture with another body", |folder| folder.fixtures[0].body = "{}".into(), &["accepts_what_was_recorded"]),
    (
        "a handshake that is answered otherwise than recorded",
        |folder| {
            let mut recorded = folder.fixtures[0].clone();
            recorded.comments.insert("status".into(), "200".into());
            folder.handshakes.push(recorded);
        },
        &["answers_each_handshake_as_recorded"],
    ),
    (
        "a snapshot of nothing",
        |folder| folder.snapshots.push("gone".into()),
        &["keeps_no_snapshot_without_its_fixture"],
    ),
];

fn edit(folder: &mut Evidence, from: &str, to: &str) {
    let readme = folder.readme.as_mut().unwrap();
    assert!(readme.contains(from), "the README has no {from:?}");
    *readme = readme.replace(from, to);
}

fn forget(folder: &mut Evidence, key: &str) {
    folder.fixtures[0].comments.remove(key).unwrap();
}

fn say(folder: &mut Evidence, key: &str, value: &str) {
    folder.fixtures[0].comments.insert(key.into(), value.into());
}
