//! Pages of lists: a token belongs to the order of its list, and no list goes on for ever.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::graphql::{Refused, wrong};

/// How many rows a list shows, over all of its pages.
const MOST_ROWS: u64 = 25_000;

/// The rows of a page, and where the list goes on.
pub(super) fn page<T>(
    rows: BTreeMap<(i64, u64), T>,
    sort: &str,
    first: u64,
    after: Option<&str>,
) -> Result<(Vec<T>, Value), Refused> {
    let invalid = || wrong("Invalid cursor for current pagination sort.".to_owned());
    let (mut before, mut last) = (0, None);
    if let Some(after) = after {
        let token = BASE64URL_NOPAD.decode(after.as_bytes()).ok();
        let token: Value = token.and_then(|token| serde_json::from_slice(&token).ok()).ok_or_else(invalid)?;
        if token["sort"] != sort {
            return Err(invalid());
        }
        before = token["rows"].as_u64().ok_or_else(invalid)?;
        last = Some((token["value"].as_i64().ok_or_else(invalid)?, token["id"].as_u64().ok_or_else(invalid)?));
    }
    if before + first > MOST_ROWS {
        return Err(wrong(format!("a list shows {MOST_ROWS} rows at the most")));
    }
    let mut left = rows.into_iter().skip_while(|(key, _)| last.is_some_and(|last| *key <= last)).peekable();
    let (mut shown, mut end) = (Vec::new(), None);
    while let Some((key, row)) = left.next_if(|_| u64::try_from(shown.len()).is_ok_and(|rows| rows < first)) {
        end = Some(key);
        shown.push(row);
    }
    let end = end.map(|(value, id)| {
        let rows = before + u64::try_from(shown.len()).unwrap_or_default();
        let token = json!({ "sort": sort, "value": value, "id": id, "rows": rows });
        BASE64URL_NOPAD.encode(token.to_string().as_bytes())
    });
    Ok((shown, json!({ "hasNextPage": left.peek().is_some(), "endCursor": end })))
}
