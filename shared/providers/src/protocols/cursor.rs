//! Cursors: places in a reading, as compact JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The place that a cursor names. One that is not ours is the beginning.
pub(crate) fn read<T: DeserializeOwned + Default>(cursor: Option<&str>) -> T {
    cursor.and_then(|cursor| serde_json::from_str(cursor).ok()).unwrap_or_default()
}

/// The cursor of a place, whose fields are times, texts and numbers, so that it always serialises. Fields that are as at the
/// beginning are left out.
pub(crate) fn write<T: Serialize + Default>(place: &T) -> String {
    let [mut place, beginning] = [place, &T::default()].map(|place| serde_json::to_value(place).unwrap_or_default());
    if let (Value::Object(fields), Value::Object(beginning)) = (&mut place, beginning) {
        fields.retain(|name, value| beginning.get(name) != Some(value));
    }
    place.to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cursor_that_is_not_ours_is_the_beginning() {
        for (cursor, expected) in [(Some("[7]"), vec![7]), (Some("<html>"), vec![]), (Some(""), vec![]), (None, vec![])]
        {
            assert_eq!(super::read::<Vec<u64>>(cursor), expected, "{cursor:?}");
        }
        assert_eq!(super::write(&vec![7]), "[7]");
    }

    #[test]
    fn a_cursor_has_only_what_differs_from_the_beginning_and_reads_back() {
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default)]
        struct Place {
            page: Option<u8>,
            rows: u8,
            waiting: Vec<u8>,
            ended: bool,
        }
        for (place, expected) in [
            (Place::default(), "{}"),
            (Place { page: Some(0), ..Place::default() }, r#"{"page":0}"#),
            (Place { rows: 1, waiting: vec![0], ..Place::default() }, r#"{"rows":1,"waiting":[0]}"#),
            (Place { ended: true, ..Place::default() }, r#"{"ended":true}"#),
        ] {
            let written = super::write(&place);
            assert_eq!((written.as_str(), super::read::<Place>(Some(&written))), (expected, place));
        }
    }
}
