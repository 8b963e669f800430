//! The tree repeats itself rarely: runs of lines that have the same shape, whatever their names and values.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{PRODUCT, sources};

/// How many lines make a run.
const RUN: usize = 6;
/// A run that is in more places than this is the language's own shape.
const COMMON: usize = 8;
/// How many pairs of files may share a run: as many as there were when they were last counted, and never more.
const PAIRS: usize = 105;

#[test]
fn the_tree_repeats_itself_rarely() {
    let files: Vec<(String, String)> =
        PRODUCT.iter().chain(&["tests", "bench"]).flat_map(|folder| sources(folder)).collect();
    let pairs = pairs(&files);
    assert!(
        pairs.len() <= PAIRS,
        "{} pairs of places share {RUN} lines:\n{}",
        pairs.len(),
        pairs.into_iter().collect::<Vec<_>>().join("\n")
    );
}

/// The pairs of files that share a run, each with its first place.
fn pairs(files: &[(String, String)]) -> BTreeSet<String> {
    let mut places: BTreeMap<Vec<&str>, Vec<(usize, usize)>> = BTreeMap::new();
    let shapes: Vec<Vec<(usize, String)>> = files.iter().map(|(_, text)| shapes(text)).collect();
    for (file, lines) in shapes.iter().enumerate() {
        for run in lines.windows(RUN) {
            let shape: Vec<&str> = run.iter().map(|(_, shape)| shape.as_str()).collect();
            places.entry(shape).or_default().push((file, run[0].0));
        }
    }
    let mut pairs: BTreeMap<(usize, usize), (usize, usize)> = BTreeMap::new();
    for shared in places.values().filter(|places| (2..=COMMON).contains(&places.len())) {
        for (index, one) in shared.iter().enumerate() {
            for other in &shared[index + 1..] {
                // Runs that overlap are one run whose lines are alike.
                if one.0 != other.0 || other.1 >= one.1 + RUN {
                    pairs.entry((one.0, other.0)).or_insert((one.1, other.1));
                }
            }
        }
    }
    let shown = |(one, other): (&(usize, usize), &(usize, usize))| {
        format!("{}:{} ~ {}:{}", files[one.0].0, other.0, files[one.1].0, other.1)
    };
    pairs.iter().map(shown).collect()
}

/// The numbers of the lines that say something, with their shapes. Declarations of types, fields, variants and modules do not:
/// they repeat no logic.
fn shapes(text: &str) -> Vec<(usize, String)> {
    let begins_type = |rest: &str| rest.starts_with(|first: char| first == '&' || first.is_ascii_uppercase());
    let is_word = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_field = |line: &str| {
        let field = line.strip_suffix(',').and_then(|line| line.split_once(": "));
        field
            .is_some_and(|(name, kind)| is_word(name) && begins_type(kind) && !kind.contains(['(', '{', '"', ':', '.']))
    };
    let is_variant = |line: &str| line.strip_suffix(',').is_some_and(|name| is_word(name) && begins_type(name));
    let declares = |line: &str| {
        line.starts_with('#')
            || line.starts_with("pub") && line.ends_with(',')
            || line == "fields! {"
            || line.contains("struct ") && line.ends_with('{')
            || line.contains("mod ") && line.ends_with(';') && !line.contains('=')
            || is_field(line)
            || is_variant(line)
    };
    let says = |line: &str| {
        !line.starts_with("//")
            && !line.starts_with("use ")
            && !declares(line)
            && line.chars().any(char::is_alphanumeric)
    };
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| says(line)).map(|(number, line)| (number, shape(line))).collect()
}

/// A line with its names as `i`, its numbers as `0` and its texts as `""`; words of the language stay.
fn shape(line: &str) -> String {
    const WORDS: [&str; 24] = [
        "as", "async", "await", "break", "const", "else", "enum", "false", "fn", "for", "if", "impl", "in", "let",
        "loop", "match", "mod", "mut", "pub", "return", "self", "struct", "true", "while",
    ];
    let (mut shape, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            _ if first.is_alphanumeric() || first == '_' => {
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (token, more) = rest.split_at(end);
        rest = more;
        shape.push_str(match first {
            ' ' => continue,
            '"' => "\"\"",
            _ if first.is_ascii_digit() => "0",
            _ if first.is_alphanumeric() && !WORDS.contains(&token) => "i",
            _ => token,
        });
    }
    shape
}

#[test]
fn a_run_with_other_names_is_found() {
    let text = |names: [&str; 2]| {
        let [one, other] = names;
        format!(
            "fn {one}() {{\nlet a = {other}(1);\nlet b = a.c(\"x\");\nif b {{ return 2; }}\nb.{one}(a);\nlet d = b[3];\nd + 1\n}}"
        )
    };
    let file = |name: &str, names| (name.to_owned(), text(names));
    let files = [file("one.rs", ["first", "second"]), file("two.rs", ["third", "fourth"])];
    assert_eq!(pairs(&files).into_iter().collect::<Vec<_>>(), ["one.rs:1 ~ two.rs:1"]);
    let other = ("three.rs".to_owned(), "fn x() {}".to_owned());
    assert_eq!(pairs(&[file("one.rs", ["first", "second"]), other]).len(), 0);
}
