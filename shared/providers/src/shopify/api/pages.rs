//! Pages of lists, and where they go on.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess};

use crate::Refusal;
use crate::lenient::{Fields, Lenient, Object, fields, read};

/// The longest token of a page, in bytes.
const LONGEST_TOKEN: usize = 2 * 1024;

/// A page of a list.
pub(super) struct List<T> {
    info: Lenient<Object<PageInfo>>,
    nodes: Lenient<Vec<Lenient<Object<T>>>>,
}

/// The rows of a page: each may be odd.
pub(super) type Rows<T> = Vec<Lenient<Object<T>>>;

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { info: Lenient::Missing, nodes: Lenient::Missing }
    }
}

impl<'de, T: Deserialize<'de>> Fields<'de> for List<T> {
    fn set<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "pageInfo" => self.info = map.next_value()?,
            "nodes" => self.nodes = map.next_value()?,
            _ => _ = map.next_value::<IgnoredAny>()?,
        }
        Ok(())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<T> List<T> {
    /// The rows, whatever they are.
    pub(super) fn nodes(self) -> Lenient<Rows<T>> {
        self.nodes
    }

    /// The rows that can be read.
    pub(super) fn readable(&self) -> impl Iterator<Item = &T> {
        let rows = self.nodes.as_ref().into_iter().flatten();
        rows.filter_map(|row| row.as_ref().map(|Object(row)| row))
    }

    /// Whether the list has more than this page shows, or does not say it.
    pub(super) fn has_more(&self) -> bool {
        self.info.as_ref().is_none_or(|Object(info)| info.has_next.as_ref().is_none_or(|more| *more))
    }

    /// The token of the next page, if there is one; `before` led to this page.
    pub(super) fn next(&self, before: Option<&str>) -> Result<Option<String>, Refusal> {
        let Object(info) = self.info.as_ref().ok_or(Refusal::Unreadable("a list without `pageInfo`"))?;
        if !*info.has_next.as_ref().ok_or(Refusal::Unreadable("a list without `hasNextPage`"))? {
            return Ok(None);
        }
        let token = info.end.as_ref().filter(|token| (1..=LONGEST_TOKEN).contains(&token.len()));
        let token = token.ok_or(Refusal::Unreadable("a page without the token of the next"))?;
        if before == Some(token.as_str()) {
            return Err(Refusal::Unreadable("the same page again"));
        }
        Ok(Some(token.clone()))
    }
}

/// The rows of a page that has to be there, and the token of the next, if there is one; `before` led to this page.
pub(super) fn rows<T>(
    list: Lenient<Object<List<T>>>,
    before: Option<&str>,
) -> Result<(Rows<T>, Option<String>), Refusal> {
    let Object(list) = list.read().ok_or(Refusal::Unreadable("the answer lacks a list"))?;
    let next = list.next(before)?;
    let rows = list.nodes.read().ok_or(Refusal::Unreadable("a list without `nodes`"))?;
    Ok((rows, next))
}

fields! {
    struct PageInfo {
        has_next: Lenient<bool> = "hasNextPage",
        end: Lenient<String> = "endCursor",
    }
}
