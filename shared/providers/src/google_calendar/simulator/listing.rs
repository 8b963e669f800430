//! Lists: their pages, and the tokens that lead to the next page and to later changes.

use data_encoding::BASE64URL;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::query::Query;
use super::refused::Refused;

/// How long the token of a page is good for, in seconds.
const LIFE: i64 = 60 * 60;
/// The page that is empty although others follow, counted from 0.
const EMPTY: u32 = 1;

/// How far the account has changed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tide {
    /// The number of the last change.
    pub(super) changes: u64,
    /// How often all tokens for changes were forgotten.
    pub(super) forgotten: u64,
}

/// The token of a page.
#[derive(Serialize, Deserialize)]
struct PageToken {
    of: String,
    mark: String,
    since: Option<u64>,
    until: u64,
    after: String,
    page: u32,
    at: i64,
}

/// The token for changes.
#[derive(Serialize, Deserialize)]
struct SyncToken {
    of: String,
    since: u64,
    forgotten: u64,
}

/// A page of a list.
pub(super) struct Listing {
    /// The list.
    of: String,
    mark: String,
    size: usize,
    /// The change since which later ones are listed; everything is without.
    pub(super) since: Option<u64>,
    tide: Tide,
    until: u64,
    after: Option<String>,
    page: u32,
    at: i64,
}

impl Listing {
    /// The page that a query asks for.
    pub(super) fn of(
        query: &Query,
        of: &str,
        (default, most): (usize, usize),
        tide: Tide,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let first = Self {
            of: of.to_owned(),
            mark: query.mark(),
            size: query.number("maxResults", most)?.unwrap_or(default),
            since: query.text("syncToken").map(|token| since(token, of, tide)).transpose()?,
            tide,
            until: tide.changes,
            after: None,
            page: 0,
            at: now.as_second(),
        };
        let Some(token) = query.text("pageToken") else { return Ok(first) };
        let refused = || Refused::parameter("pageToken", "Invalid page token value.");
        let token: PageToken = decoded(token).ok_or_else(refused)?;
        let fits = token.of == first.of && token.mark == first.mark && token.since == first.since;
        if !fits || first.at - token.at > LIFE {
            return Err(refused());
        }
        let PageToken { until, after, page, .. } = token;
        Ok(Self { until, after: Some(after), page, ..first })
    }

    /// The page, of rows that are told apart and sorted by their keys, with the token that leads on.
    pub(super) fn page(&self, mut rows: Vec<(String, Value)>) -> Value {
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let after = self.after.as_deref().unwrap_or_default();
        let rest: Vec<(String, Value)> = rows.into_iter().filter(|(key, _)| key.as_str() > after).collect();
        let size = if self.page == EMPTY { 0 } else { self.size };
        if rest.len() <= size {
            let token = SyncToken { of: self.of.clone(), since: self.until, forgotten: self.tide.forgotten };
            let items: Vec<Value> = rest.into_iter().map(|(_, row)| row).collect();
            return json!({ "nextSyncToken": encoded(&token), "items": items });
        }
        let last = size.checked_sub(1).and_then(|last| rest.get(last)).map_or(after, |(key, _)| key);
        let token = PageToken {
            of: self.of.clone(),
            mark: self.mark.clone(),
            since: self.since,
            until: self.until,
            after: last.to_owned(),
            page: self.page + 1,
            at: self.at,
        };
        let token = encoded(&token);
        let items: Vec<Value> = rest.into_iter().take(size).map(|(_, row)| row).collect();
        json!({ "nextPageToken": token, "items": items })
    }
}

/// The change that a token for changes begins after. One of another list is no longer valid, as are forgotten ones.
fn since(token: &str, of: &str, tide: Tide) -> Result<u64, Refused> {
    let token: SyncToken =
        decoded(token).ok_or_else(|| Refused::parameter("syncToken", "Invalid sync token value."))?;
    match token.of == of && token.forgotten == tide.forgotten {
        true => Ok(token.since),
        false => {
            let message = "Sync token is no longer valid, a full sync is required.";
            Err(Refused::new(410, "fullSyncRequired", message).at("syncToken"))
        }
    }
}

fn encoded<T: Serialize>(token: &T) -> String {
    BASE64URL.encode(json!(token).to_string().as_bytes())
}

fn decoded<T: DeserializeOwned>(token: &str) -> Option<T> {
    serde_json::from_slice(&BASE64URL.decode(token.as_bytes()).ok()?).ok()
}
