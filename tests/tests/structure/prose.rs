//! Comments are plain English, as a native engineer writes it.

use crate::sources::{PRODUCT, sources};

/// Words that no comment begins with: a relative clause has its noun before it.
const OPENINGS: [&str; 6] = ["That", "Whose", "Of", "It", "It's", "What of"];

/// Phrases with a plainer word.
const PHRASES: [(&str, &str); 9] = [
    ("not to be had", "unavailable"),
    ("told of", "reported"),
    ("seldom", "rarely"),
    ("nobody's", "without an owner"),
    ("a thing", "an entity"),
    ("the thing", "the entity"),
    ("things", "entities"),
    ("what is none", "say what it is"),
    ("comes to stand", "is"),
];

#[test]
fn comments_are_plain_english() {
    let mut found = Vec::new();
    for (name, text) in PRODUCT.iter().chain(&["tests", "bench"]).flat_map(|folder| sources(folder)) {
        for (number, comment, begins) in comments(&text) {
            let wrong = wrong_in(comment, begins);
            found.extend(wrong.map(|wrong| format!("{name}:{number}: {wrong}: {comment}")));
        }
    }
    found.retain(|line| !line.starts_with("tests/tests/structure/prose.rs"));
    assert!(found.is_empty(), "{} comments:\n{}", found.len(), found.join("\n"));
}

/// The lines of comments: their number, their text, and whether a comment begins with them.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut before = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let comment = line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']).trim());
        let begins = comment.is_some() && !before;
        before = comment.is_some_and(|comment| !comment.is_empty());
        comment.map(|comment| (index + 1, comment, begins))
    })
}

/// What is wrong with a line of a comment.
fn wrong_in(comment: &str, begins: bool) -> Option<String> {
    let opening = OPENINGS.iter().find(|opening| {
        let rest = comment.strip_prefix(**opening);
        begins && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '.', ',']))
    });
    if let Some(opening) = opening {
        return Some(format!("begins with {opening}"));
    }
    let has = |phrase: &str| {
        comment.match_indices(phrase).any(|(at, _)| {
            let word = |text: Option<char>| text.is_some_and(char::is_alphanumeric);
            !word(comment[..at].chars().next_back()) && !word(comment[at + phrase.len()..].chars().next())
        })
    };
    PHRASES.iter().find(|(phrase, _)| has(phrase)).map(|(phrase, plain)| format!("{phrase:?}, say {plain:?}"))
}

#[test]
fn odd_comments_are_found() {
    for (comment, odd) in [
        ("That the server serves.", true),
        ("It.", true),
        ("Of a product.", true),
        ("Italics.", false),
        ("The server is ready.", false),
        ("The address is not to be had.", true),
        ("Nothing is retold of it.", false),
        ("An entity for each of the things.", true),
    ] {
        assert_eq!(wrong_in(comment, true).is_some(), odd, "{comment}");
    }
    assert_eq!(wrong_in("It goes on.", false), None, "a comment may go on so");
}
