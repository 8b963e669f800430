//! Bounds of what a request's body may hold: every text, list, map and depth, whatever the field is.
//!
//! Fields have narrower bounds of their own; these are there so that none has no bound.

use hooktide_model::problem::FieldError;
use serde_json::Value;

/// The longest text, in bytes.
const LONGEST_TEXT: usize = 8 * 1024;
/// The longest list, and the most fields of an object.
const MOST_ITEMS: usize = 1_000;
/// How deep lists and objects may lie in each other.
const DEEPEST: usize = 32;
/// How many errors are told.
const MOST_ERRORS: usize = 10;

/// Finds the fields of a body that exceed the bounds; top-level texts named in `whole` may have any length.
pub(crate) fn beyond(body: &Value, whole: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                if !(whole.contains(&name.as_str()) && value.is_string()) {
                    check(name, value, 1, &mut errors);
                }
            }
            count("body", fields.len(), &mut errors);
        }
        other => check("body", other, 0, &mut errors),
    }
    errors.truncate(MOST_ERRORS);
    errors
}

fn check(path: &str, value: &Value, depth: usize, errors: &mut Vec<FieldError>) {
    if errors.len() >= MOST_ERRORS {
        return;
    }
    if depth > DEEPEST {
        return errors.push(error(path, format!("lists and objects lie at most {DEEPEST} deep in each other")));
    }
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            errors.push(error(path, format!("a text has at most {LONGEST_TEXT} bytes")));
        }
        Value::Array(items) if count(path, items.len(), errors) => {
            items.iter().for_each(|item| check(path, item, depth + 1, errors));
        }
        Value::Object(fields) if count(path, fields.len(), errors) => {
            for (name, value) in fields {
                if name.len() > LONGEST_NAME {
                    errors.push(error(path, format!("the name of a field has at most {LONGEST_NAME} bytes")));
                } else {
                    check(&format!("{path}.{name}"), value, depth + 1, errors);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    }
}

/// The longest name of a field, in bytes.
const LONGEST_NAME: usize = 255;

/// Whether there are not too many.
fn count(path: &str, many: usize, errors: &mut Vec<FieldError>) -> bool {
    let fits = many <= MOST_ITEMS;
    if !fits {
        errors.push(error(path, format!("it has at most {MOST_ITEMS} items")));
    }
    fits
}

fn error(path: &str, detail: String) -> FieldError {
    // A path is made of names, which the request chose.
    let field = path.chars().take(LONGEST_NAME).collect();
    FieldError { field, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_list_object_and_depth_is_bounded_and_the_field_is_named() {
        let long = "x".repeat(LONGEST_TEXT + 1);
        let mut deep = json!(1);
        for _ in 0..=DEEPEST {
            deep = json!([deep]);
        }
        let wide: serde_json::Map<String, Value> = (0..=MOST_ITEMS).map(|n| (n.to_string(), Value::Null)).collect();
        for (body, field) in [
            (json!({ "a": long }), "a"),
            (json!({ "a": { "b": [1, { "c": long }] } }), "a.b.c"),
            (json!({ "a": vec![0; MOST_ITEMS + 1] }), "a"),
            (json!({ "a": deep }), "a"),
            (json!({ "a": wide }), "a"),
            (json!({ "a": { "x".repeat(256): 1 } }), "a"),
            (json!([long]), "body"),
            (json!({ "whole": [long] }), "whole"),
        ] {
            let errors = beyond(&body, &["whole"]);
            assert_eq!(errors.first().map(|error| error.field.as_str()), Some(field));
        }
        let fits = json!({ "a": "x".repeat(LONGEST_TEXT), "b": vec![0; MOST_ITEMS], "whole": long });
        assert_eq!(beyond(&fits, &["whole"]), Vec::new());
    }
}
