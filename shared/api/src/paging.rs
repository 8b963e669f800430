//! Pages of lists: where one begins, and how long it is.

use hooktide_flows::steer::{Slice, Sliced};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{Answer, List, Refused};

/// The largest page.
const LARGEST_PAGE: usize = 1_000;

/// The page that is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The `next` of an earlier answer.
    pub(crate) after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    pub(crate) limit: Option<usize>,
}

/// The page that is asked for of what connections have.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectionQuery {
    /// Only of this connection.
    connection: Option<String>,
    /// The `next` of an earlier answer.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
}

impl ConnectionQuery {
    /// The part of the list.
    pub(crate) fn slice(self) -> Answer<Slice> {
        let after = self.after.as_deref().map(place_of).transpose()?;
        Ok(Slice { connection: self.connection, after, limit: limit_of(self.limit)? })
    }
}

/// The page that a part of a list is.
pub(crate) fn list_of<T>(part: Sliced<T>) -> List<T> {
    // In characters that mean nothing in an address.
    let next = part.next.map(|place| data_encoding::BASE64URL_NOPAD.encode(place.as_bytes()));
    List { items: part.items, next }
}

/// The place that an earlier answer gave as `next`.
fn place_of(after: &str) -> Answer<String> {
    let place = data_encoding::BASE64URL_NOPAD.decode(after.as_bytes()).ok();
    let place = place.and_then(|place| String::from_utf8(place).ok());
    place.ok_or_else(|| Refused::invalid("after", "it is the `next` of an earlier answer"))
}

/// Checks a page's size.
pub(crate) fn limit_of(limit: Option<usize>) -> Answer<usize> {
    match limit.unwrap_or(100) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(Refused::invalid("limit", format!("it is 1 to {LARGEST_PAGE}"))),
    }
}
