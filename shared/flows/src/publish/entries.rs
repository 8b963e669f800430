//! Entries of the bus: changes by channel, in parts that are small enough for one entry each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::feed::ChangeView;
use hooktide_model::names::Channel;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::BusEntry;

/// The largest text of an entry's changes, in bytes: EventBridge bills by 64 KB.
const LARGEST: usize = 60 * 1024;

/// The entries that tell of a tenant's changes.
pub(super) fn entries(tenant: &Tenant, views: &[ChangeView]) -> Vec<BusEntry> {
    let mut channels: BTreeMap<Channel, Vec<Value>> = BTreeMap::new();
    for view in views {
        for channel in view.kind.channels() {
            let shown = if channel.is_invalidation() { view.invalidation() } else { change(view) };
            channels.entry(*channel).or_default().push(shown);
        }
    }
    let parts =
        channels.into_iter().flat_map(|(channel, changes)| cut(changes).into_iter().map(move |part| (channel, part)));
    let entry = |(channel, changes): (Channel, Vec<Value>)| BusEntry {
        tenant: tenant.clone(),
        channel,
        detail: json!({ "tenant": tenant, "changes": changes }),
    };
    parts.map(entry).collect()
}

/// Shows a change, without its document where that alone is too large.
fn change(view: &ChangeView) -> Value {
    let whole = json!(view);
    if whole.to_string().len() <= LARGEST { whole } else { json!(ChangeView { document: None, ..view.clone() }) }
}

/// Cuts changes into parts that are small enough for one entry each.
fn cut(changes: Vec<Value>) -> Vec<Vec<Value>> {
    let mut parts: Vec<Vec<Value>> = Vec::new();
    let mut size = usize::MAX;
    for change in changes {
        let length = change.to_string().len();
        if size.saturating_add(length) > LARGEST {
            parts.push(Vec::new());
            size = 0;
        }
        size += length;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_cut_into_entries_and_none_is_lost() {
        let changes: Vec<Value> = (0..10).map(|n| json!({ "n": n, "text": "x".repeat(20_000) })).collect();
        let parts = cut(changes.clone());
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
        assert_eq!(parts.concat(), changes);
    }
}
