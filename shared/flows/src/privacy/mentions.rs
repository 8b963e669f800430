//! Whether a kept body names somebody.

use serde_json::Value;

/// Whether a body has one of these values: as a value of its own in JSON, as a word in anything else.
pub(super) fn mentions(body: &[u8], marks: &[String]) -> bool {
    let same = |text: &str| marks.iter().any(|mark| mark.eq_ignore_ascii_case(text));
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => any_scalar(&value, &same),
        Err(_) => {
            let text = String::from_utf8_lossy(body).to_ascii_lowercase();
            marks.iter().any(|mark| has_word(&text, &mark.to_ascii_lowercase()))
        }
    }
}

/// Whether a text has this as no part of another id or address.
fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |character: char| character.is_alphanumeric() || "-+_@".contains(character);
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        // A full stop ends a sentence, or is in the middle of an address.
        let after = after.strip_prefix('.').unwrap_or(after);
        !before.ends_with(|character| goes_on(character) || character == '.') && !after.starts_with(goes_on)
    })
}

fn any_scalar(value: &Value, same: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => same(text),
        Value::Number(number) => same(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| any_scalar(item, same)),
        Value::Object(fields) => fields.values().any(|field| any_scalar(field, same)),
        Value::Null | Value::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_mentions_somebody_by_a_whole_value_wherever_it_nests() {
        let marks = ["7001".to_owned(), "Ann@Example.com".to_owned()];
        for (body, expected) in [
            (r#"{"a":[{"id":7001}]}"#, true),
            (r#"{"a":{"email":"ann@example.com"}}"#, true),
            (r#"{"id":70011,"email":"joann@example.com","7001":null}"#, false),
            ("email=ann@example.com", true),
            ("<id>7001</id>", true),
            ("joann@example.com, 70011", false),
            ("big-ann@example.com, ann@example.com.au, 7001-2", false),
            ("write to ann@example.com.", true),
            ("nobody", false),
        ] {
            assert_eq!(mentions(body.as_bytes(), &marks), expected, "{body}");
        }
    }
}
