//! Attribute values of the port and of dynoxide, which are the same but for their names. Contents move.

use std::collections::HashMap;

use dynoxide::AttributeValue as Theirs;
use hooktide_store::ports::{AttributeValue as Ours, Item};

/// An item as dynoxide takes it.
pub(super) fn item_in(item: Item) -> HashMap<String, Theirs> {
    values_in(item.into_inner())
}

/// An item as the port returns it.
pub(super) fn item_out(item: HashMap<String, Theirs>) -> Item {
    Item::from(item.into_iter().map(|(name, value)| (name, value_out(value))).collect::<HashMap<_, _>>())
}

/// Named values as dynoxide takes them.
pub(super) fn values_in(values: HashMap<String, Ours>) -> HashMap<String, Theirs> {
    values.into_iter().map(|(name, value)| (name, value_in(value))).collect()
}

fn value_in(value: Ours) -> Theirs {
    match value {
        Ours::S(text) => Theirs::S(text),
        Ours::N(number) => Theirs::N(number),
        Ours::B(bytes) => Theirs::B(bytes),
        Ours::Bool(truth) => Theirs::BOOL(truth),
        Ours::Null(null) => Theirs::NULL(null),
        Ours::Ss(texts) => Theirs::SS(texts),
        Ours::Ns(numbers) => Theirs::NS(numbers),
        Ours::Bs(blobs) => Theirs::BS(blobs),
        Ours::L(list) => Theirs::L(list.into_iter().map(value_in).collect()),
        Ours::M(map) => Theirs::M(values_in(map)),
    }
}

fn value_out(value: Theirs) -> Ours {
    match value {
        Theirs::S(text) => Ours::S(text),
        Theirs::N(number) => Ours::N(number),
        Theirs::B(bytes) => Ours::B(bytes),
        Theirs::BOOL(truth) => Ours::Bool(truth),
        Theirs::NULL(null) => Ours::Null(null),
        Theirs::SS(texts) => Ours::Ss(texts),
        Theirs::NS(numbers) => Ours::Ns(numbers),
        Theirs::BS(blobs) => Ours::Bs(blobs),
        Theirs::L(list) => Ours::L(list.into_iter().map(value_out).collect()),
        Theirs::M(map) => Ours::M(map.into_iter().map(|(name, value)| (name, value_out(value))).collect()),
    }
}
