//! Bodies that are nearly right: each value of a JSON text is replaced by one that does not belong there.

use std::collections::BTreeSet;

use serde_json::Value;

/// How deep the deepest values nest.
const DEEP: usize = 10_000;
/// One place of this many gets the deepest values, since they are large.
const SELDOM: usize = 8;
/// Stands for a value that is to be replaced.
const HOLE: &str = "\u{1f573} hole";

/// Values in the wrong place, as JSON text; a few are no JSON at all.
const FILLERS: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "1e400",
    "-1e-400",
    "01",
    "NaN",
    "",
    r#""""#,
    r#""x""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""9007199254740993""#,
    r#""2026-02-30T00:00:00Z""#,
    r#""9999-12-31T23:59:59.999999999Z""#,
    r#""-009999-01-01T00:00:00Z""#,
    r#""+999999-01-01T00:00:00-99:99""#,
    "[]",
    "[null]",
    "[[[]]]",
    "{}",
    r#"{"id":null}"#,
];

/// A value that nests deep: arrays in arrays, or objects in objects.
pub(crate) fn deep_values() -> [String; 2] {
    [
        format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        format!("{}null{}", r#"{"id":"#.repeat(DEEP), "}".repeat(DEEP)),
    ]
}

/// The text with each of at most `most` values replaced, left out, or given twice; empty if the text is not JSON.
///
/// One item of an array represents them all; outer values come first.
pub(crate) fn mutants(text: &[u8], most: usize) -> Vec<String> {
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return Vec::new() };
    let mut places = Vec::new();
    collect(&value, String::new(), &mut places);
    let shape = |place: &String| {
        let parts = place.split('/').map(|part| if part.parse::<usize>().is_ok() { "0" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    places.retain({
        let mut seen = BTreeSet::new();
        move |place| seen.insert(shape(place))
    });
    places.sort_by_key(|place| place.matches('/').count());
    let chosen = places.iter().take(most).enumerate();
    chosen.flat_map(|(number, place)| at(&value, place, number % SELDOM == 0)).collect()
}

/// The JSON pointers of all values.
fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                collect(item, format!("{place}/{at}"), places);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                collect(field, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    places.push(place);
}

/// All mutants at one place.
fn at(value: &Value, place: &str, deep: bool) -> Vec<String> {
    let mut holed = value.clone();
    let old = std::mem::replace(holed.pointer_mut(place).unwrap(), HOLE.into()).to_string();
    let text = holed.to_string();
    let (before, after) = text.split_once(&Value::from(HOLE).to_string()).unwrap();
    let mut mutants = FILLERS.iter().map(|filler| format!("{before}{filler}{after}")).collect::<Vec<_>>();
    if deep {
        mutants.extend(deep_values().map(|deep| format!("{before}{deep}{after}")));
        mutants.push(format!("{before}{}", "[".repeat(DEEP)));
    }
    let (parent, key) = place.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(fields)) = holed.pointer_mut(parent) {
        let name = Value::from(key.replace("~1", "/").replace("~0", "~"));
        for second in [old.as_str(), "null", "[]", r#""x""#] {
            mutants.push(format!("{before}{old},{name}:{second}{after}"));
        }
        fields.remove(name.as_str().unwrap());
        mutants.push(holed.to_string());
    }
    mutants
}

#[test]
fn mutants_are_of_every_sort() {
    let mutants = mutants(br#"{"a":{"b":7},"c":[1,2]}"#, usize::MAX);
    for expected in [
        r#"{"a":{"b":null},"c":[1,2]}"#,
        r#"{"a":{},"c":[1,2]}"#,
        r#"{"a":{"b":7,"b":null},"c":[1,2]}"#,
        r#"{"a":{"b":1e400},"c":[1,2]}"#,
        r#"{"a":{"b":7},"c":[{},2]}"#,
        r#"{"c":[1,2]}"#,
        "null",
    ] {
        assert!(mutants.iter().any(|mutant| mutant == expected), "{expected}");
    }
    assert!(mutants.iter().any(|mutant| mutant.contains(&deep_values()[0])));
    assert!(!mutants.iter().any(|mutant| mutant.contains("[1,{}]")), "one item stands for all");
}
