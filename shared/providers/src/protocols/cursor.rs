//! Cursors: places in a reading, as compact JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The place that a cursor names. One that is not ours is the beginning.
pub(crate) fn read<T: DeserializeOwned + Default>(cursor: Option<&str>) -> T {
    cursor.and_then(|cursor| serde_json::from_str(cursor).ok()).unwrap_or_default()
}

/// The cursor of a place, whose fields are times, texts and numbers, so that it always serialises.
pub(crate) fn write<T: Serialize>(place: &T) -> String {
    serde_json::to_string(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cursor_that_is_not_ours_is_the_beginning() {
        for (cursor, expected) in [(Some("[7]"), vec![7]), (Some("<html>"), vec![]), (Some(""), vec![]), (None, vec![])]
        {
            assert_eq!(super::read::<Vec<u64>>(cursor), expected, "{cursor:?}");
        }
        assert_eq!(super::write(&[7]), "[7]");
    }
}
