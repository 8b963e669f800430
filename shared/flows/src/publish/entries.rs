//! Entries of the bus: changes by channel, in parts that are small enough for one entry each.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::feed::ChangeView;
use hooktide_model::fault::Fault;
use hooktide_model::names::Channel;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::BusEntry;

/// The largest text of an entry's changes, in bytes: EventBridge bills by 64 KB.
const LARGEST: usize = 60 * 1024;

/// What an entry tells. Its changes are texts already, so that none is written twice.
#[derive(Serialize)]
struct Detail<'a> {
    tenant: &'a Tenant,
    changes: &'a [Box<RawValue>],
}

/// The entries that tell of a tenant's changes.
pub(super) fn entries(tenant: &Tenant, views: Vec<ChangeView>) -> Result<Vec<BusEntry>, Fault> {
    let mut channels: BTreeMap<Channel, Vec<Box<RawValue>>> = BTreeMap::new();
    for view in views {
        let kind = view.kind;
        for channel in kind.channels().iter().filter(|channel| channel.is_invalidation()) {
            channels.entry(*channel).or_default().push(text(&view.invalidation())?);
        }
        let whole = change(view)?;
        for channel in kind.channels().iter().filter(|channel| !channel.is_invalidation()) {
            channels.entry(*channel).or_default().push(whole.clone());
        }
    }
    let mut entries = Vec::new();
    for (channel, changes) in channels {
        for changes in cut(&changes) {
            let detail = text(&Detail { tenant, changes })?;
            entries.push(BusEntry { tenant: tenant.clone(), channel, detail: String::from(Box::<str>::from(detail)) });
        }
    }
    Ok(entries)
}

/// Shows a change, without its document where that alone is too large.
fn change(view: ChangeView) -> Result<Box<RawValue>, Fault> {
    let whole = text(&view)?;
    if whole.get().len() <= LARGEST { Ok(whole) } else { text(&ChangeView { document: None, ..view }) }
}

fn text(value: &impl Serialize) -> Result<Box<RawValue>, Fault> {
    to_raw_value(value).map_err(|error| Fault::failed(format!("a change cannot be written: {error}")))
}

/// Cuts changes into parts that are small enough for one entry each.
fn cut(mut changes: &[Box<RawValue>]) -> Vec<&[Box<RawValue>]> {
    let mut parts = Vec::new();
    while !changes.is_empty() {
        let sizes = changes.iter().scan(0, |size, change| {
            *size += change.get().len();
            Some(*size)
        });
        let count = sizes.take_while(|size| *size <= LARGEST).count().max(1);
        let (part, rest) = changes.split_at(count);
        parts.push(part);
        changes = rest;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_cut_into_entries_and_none_is_lost() {
        for (sizes, expected) in [
            (vec![20_000; 10], vec![3, 3, 3, 1]),
            (vec![LARGEST - 2, 1, LARGEST + 10, 5], vec![1, 1, 1, 1]),
            (vec![], vec![]),
        ] {
            let changes: Vec<_> = sizes.iter().map(|size| text(&"x".repeat(*size)).unwrap()).collect();
            let parts = cut(&changes);
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), expected, "{sizes:?}");
            let texts = |changes: &[Box<RawValue>]| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(parts.into_iter().flat_map(texts).collect::<Vec<_>>(), texts(&changes));
        }
    }
}
