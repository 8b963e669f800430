//! The tree repeats itself rarely: runs of lines that have the same shape, whatever their names and values.

use std::collections::{BTreeMap, BTreeSet};

use crate::sources::{PRODUCT, sources};

/// How many lines make a run.
const RUN: usize = 6;
/// A run that is in more places than this is the language's own shape.
const COMMON: usize = 8;
/// How many pairs of files may share a run: as many as there were when they were last counted, and never more.
const PAIRS: usize = 40;

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

/// The numbers of the lines that say something, with their shapes. Declarations and rows of values do not: they repeat no logic.
fn shapes(text: &str) -> Vec<(usize, String)> {
    let says = |line: &str| {
        !line.starts_with("//")
            && !line.starts_with("use ")
            && !declares(line)
            && !is_row(line)
            && !is_alternative(line)
            && line.chars().any(char::is_alphanumeric)
    };
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| says(line)).map(|(number, line)| (number, shape(line))).collect()
}

/// The types that have no capital letter.
const PRIMITIVES: [&str; 10] = ["bool", "char", "f64", "i32", "i64", "u8", "u16", "u32", "u64", "usize"];

/// Whether a line declares a type, a field, a variant, a module, or a name for a text or a number.
fn declares(line: &str) -> bool {
    let begins_type = |rest: &str| rest.starts_with(|first: char| first == '&' || first.is_ascii_uppercase());
    let is_word = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_field = |line: &str| {
        let field = line.strip_suffix(',').and_then(|line| line.split_once(": "));
        field.is_some_and(|(name, kind)| {
            // The fields of `fields!` are declared with their names at the provider.
            let kind = kind.split_once(" = \"").map_or(kind, |(kind, _)| kind);
            let is_type = begins_type(kind) || PRIMITIVES.contains(&kind);
            is_word(name) && is_type && !kind.contains(['(', '{', '"', ':', '.'])
        })
    };
    let is_variant = |line: &str| {
        line.strip_suffix(',').is_some_and(|name| {
            // The variants of `names!` are declared with their names.
            let name = name.split_once(" => \"").map_or(name, |(name, _)| name);
            is_word(name) && begins_type(name)
        })
    };
    let is_constant = |line: &str| {
        let value = line.split_once("const ").and_then(|(_, rest)| rest.split_once(" = "));
        value.is_some_and(|(_, value)| {
            bare(value).chars().all(|letter| letter.is_ascii_digit() || "_;".contains(letter))
        })
    };
    line.starts_with('#')
        || line.starts_with("pub") && line.ends_with(',')
        || ["fields! {", "names! {"].contains(&line)
        || line.strip_suffix(" {").is_some_and(|name| is_word(name) && begins_type(name))
        || line.contains("struct ") && line.ends_with('{')
        || line.contains("mod ") && line.ends_with(';') && !line.contains('=')
        || is_constant(line)
        || is_field(line)
        || is_variant(line)
}

/// A line without its texts.
fn bare(line: &str) -> String {
    line.replace("\\\"", "").split('"').step_by(2).collect()
}

/// Whether a line is a row of a table, a list or a description: texts, numbers, constants and variants, and nothing that is called or
/// computed. Cases of tests and names of other systems stand in such tables, and no name could be given to what they share.
fn is_row(line: &str) -> bool {
    // The arm of a pattern that gives a value for a variant is such a row.
    let bare = bare(line).replace("Some(", "(").replace(" => ", ", ");
    // A field, or a member of JSON, whose name is no value.
    let is_name = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let bare = bare.split_once(": ").filter(|(name, _)| is_name(name)).map_or(bare.as_str(), |(_, value)| value);
    let calls = bare.match_indices('(').any(|(at, _)| bare[..at].ends_with(char::is_alphanumeric));
    let is_value = |word: &str| {
        let last = word.rsplit("::").next().unwrap_or_default();
        ["", "true", "false"].contains(&last)
            || last.starts_with(|first: char| first.is_ascii_digit() || first.is_ascii_uppercase())
    };
    let mut words = bare.split(|letter: char| !letter.is_alphanumeric() && !"_:".contains(letter));
    line.ends_with(',') && !calls && !bare.contains(['=', '{', '|']) && words.all(is_value)
}

/// Whether a line is one alternative of a pattern. There is no `_` over our enumerations, so that patterns list their variants.
fn is_alternative(line: &str) -> bool {
    let variant = line.strip_prefix("| ").map(|rest| rest.trim_end_matches("(..)").trim_end_matches("(_)"));
    variant.is_some_and(|variant| {
        variant.contains("::") && variant.chars().all(|c| c.is_alphanumeric() || "_:".contains(c))
    })
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

#[test]
fn what_repeats_no_logic_does_not_count() {
    for (line, counts) in [
        (r#"("a \"b\"", Some("c"), -1, Kind::Product),"#, false),
        (r#""text","#, false),
        ("&shopify::Shopify,", false),
        (r#"("a", one("1")),"#, true),
        ("(name, true),", true),
        (r#"Self::Product => "products","#, false),
        (r#"Self::Product => product(),"#, true),
        ("product => Some(1),", true),
        (r#"Product => "product","#, false),
        (r#"pub(crate) const NAME: &str = "name";"#, false),
        ("const MOST: usize = 10_000;", false),
        ("const LIFE: Duration = Duration::from_secs(1);", true),
        (r#"id: Lenient<String> = "id","#, false),
        (r#"id: "id".to_owned(),"#, true),
        (r#""id": "text","#, false),
        ("renews: true,", false),
        ("renews: renews(a),", true),
        ("renews: other.renews,", true),
        ("made: usize,", false),
        ("made: before,", true),
        ("| Flaw::Late(_)", false),
        ("| Flaw::Late => true,", true),
    ] {
        assert_eq!(!shapes(line).is_empty(), counts, "{line}");
    }
}
