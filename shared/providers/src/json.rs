//! Bodies as JSON: whether one is, and what is wrong with one of another form.

use serde::Deserialize;
use serde_json::value::RawValue;

use hooktide_model::fault::{ErrorClass, Fault};

/// The depth to which the JSON of a body may nest: as deep as serde_json reads what it does not ignore.
const DEEPEST: usize = 127;
/// The longest path of a field that is named, in bytes.
const LONGEST_PATH: usize = 120;

/// Refuses a body that is not JSON, or nests deeper than [`DEEPEST`].
pub(crate) fn check(text: &[u8]) -> Result<(), Fault> {
    let ignored = serde_json::from_slice::<serde::de::IgnoredAny>(text);
    ignored.map_err(|error| unreadable(format!("the body is not JSON: {error}")))?;
    // What is ignored is not counted by serde_json.
    nests_little(text)
}

/// Refuses a JSON text that nests deeper than [`DEEPEST`].
pub(crate) fn nests_little(json: &[u8]) -> Result<(), Fault> {
    // Most have too few brackets for it, and to count those is quicker than to follow them.
    let brackets = json.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > DEEPEST && depth(json) > DEEPEST {
        return Err(unreadable(format!("the body nests more than {DEEPEST} deep")));
    }
    Ok(())
}

/// The depth to which a JSON text nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The fault of a body that is not of the documented form. The text never quotes it.
pub(crate) fn unreadable(detail: impl Into<String>) -> Fault {
    Fault::permanent(ErrorClass::Unreadable, detail)
}

/// The fault of a text that is not of the form of `T`, by the library's `error`: which field it is, below the field `within`
/// (empty for the body itself). The library's own words would quote the body.
pub(crate) fn misfit<'a, T: Deserialize<'a>>(json: &'a [u8], error: &serde_json::Error, within: &str) -> Fault {
    // Read once more, since only few are of another form.
    let mut again = serde_json::Deserializer::from_slice(json);
    let path = match serde_path_to_error::deserialize::<_, T>(&mut again) {
        Err(misfit) if error.is_data() => misfit.path().to_string(),
        Ok(_) | Err(_) => String::new(),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    let named = path != "." && path.len() <= LONGEST_PATH && path.bytes().all(is_name);
    let path = if named { path } else { String::new() };
    let dot = if within.is_empty() || path.is_empty() || path.starts_with('[') { "" } else { "." };
    let place = match (within, path.as_str()) {
        ("", "") => format!("at line {}, column {}", error.line(), error.column()),
        ("", path) => format!("at `{path}`, line {}, column {}", error.line(), error.column()),
        (within, path) => format!("at `{within}{dot}{path}`"),
    };
    unreadable(format!("not the documented form, {place}"))
}

/// A part of a body as a `T`; the field that holds it is called `within`.
pub(crate) fn part<'a, T: Deserialize<'a>>(part: Option<&'a RawValue>, within: &str) -> Result<T, Fault> {
    let part = part.ok_or_else(|| unreadable(format!("there is no `{within}`")))?.get();
    serde_json::from_str(part).map_err(|error| misfit::<T>(part.as_bytes(), &error, within))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_texts_nest() {
        for (json, expected) in
            [("7", 0), ("[]", 1), (r#"{"a":[{}],"b":[]}"#, 3), (r#"["[[[{"]"#, 1), (r#"["\"[[", "\\", [[]]]"#, 3)]
        {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn what_nests_as_deep_as_is_allowed_can_be_read_in_full() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(nests_little(nested(DEEPEST).as_bytes()).is_ok());
        assert!(nests_little(nested(DEEPEST + 1).as_bytes()).is_err());
        assert!(nests_little(format!("[{}]", vec!["{}"; DEEPEST + 1].join(",")).as_bytes()).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST)).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST + 1)).is_err());
    }

    #[test]
    fn a_misfit_names_the_field_and_quotes_nothing() {
        #[derive(Debug, Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "it is read for its type")]
            items: Vec<Item>,
        }
        #[derive(Debug, Deserialize)]
        struct Item {
            #[expect(dead_code, reason = "it is read for its type")]
            id: u64,
        }
        for (json, within, expected) in [
            (r#"{"items":[{"id":1},{"id":"secret"}]}"#, "", "at `items[1].id`, line 1"),
            (r#"{"items":[{"id":1},{"id":"secret"}]}"#, "data", "at `data.items[1].id`"),
            (r#"{"items":"secret"}"#, "", "at `items`, line 1"),
            (r#"["secret"]"#, "", "at `[0]`, line 1"),
            (r#"{"secret":tru}"#, "", "at line 1, column"),
        ] {
            let error = serde_json::from_str::<Body>(json).unwrap_err();
            let said = misfit::<Body>(json.as_bytes(), &error, within).to_string();
            assert!(said.contains(expected) && !said.contains("secret"), "{json}: {said}");
        }
    }
}
