//! Ties: updates whose version was already reported, and the state that must be current afterwards.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::FutureExt;
use hooktide_model::names::{Kind, Outcome};
use hooktide_store::records::document::{self, Wanted};
use hooktide_store::records::entity::{EntityId, MOST};
use hooktide_store::records::journal::Entry;
use serde_json::Value;

use super::invariants::entity;
use super::world::{Delivery, Ledger, Tells, World};

/// The beginning of the reason of an entry about a repeat.
const NEVER_KNOWN: &str = "deleted, and was never known";
const REPEAT: &str = "the same delivery was processed before";
/// The number of different counts that an update may have.
const STOCKS: usize = 1_000_000;

/// The next update of an entity: with this version, or with the newest version sent and another count.
pub fn update(world: &World, shop: usize, number: u64, version: i64) -> Tells {
    let scheduler = &world.scheduler;
    let mut ledger = world.ledger();
    let newest = ledger.newest.entry((shop, number)).or_insert(version);
    let is_tie = *newest != version && scheduler.happens("fault: a tie", scheduler.rates().tie);
    let version = if is_tie { *newest } else { version };
    *newest = version.max(*newest);
    Tells::Update(number, version, scheduler.choose(STOCKS) as u64)
}

/// Whether a delivery reports the newest version of its entity that was sent.
pub fn is_newest(ledger: &Ledger, delivery: &Delivery) -> bool {
    match delivery.tells {
        Tells::Update(number, version, _) => ledger.newest.get(&(delivery.shop, number)) == Some(&version),
        _ => false,
    }
}

/// A product's body with so many of its first variant in stock.
pub fn with_stock(product: &[u8], stock: u64) -> Bytes {
    let mut product: Value = serde_json::from_slice(product).expect("a product");
    product["variants"][0]["inventory_quantity"] = stock.into();
    product.to_string().into()
}

/// The state that one delivery reports, and when it was first accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    version: i64,
    as_of: i64,
    stock: Option<u64>,
}

/// The outcomes of one delivery, over all its receipts.
#[derive(Default)]
struct Receipts {
    all: BTreeSet<i64>,
    /// The receipts that were not recognised as repeats.
    new: BTreeSet<i64>,
}

/// The greatest processed version of an entity is current and, among deliveries with that version, the one that was
/// accepted last, by its first receipt.
pub fn the_last_told_stands(
    world: &World,
    shop: usize,
    ledger: &Ledger,
    journal: &[(u8, u64, Entry)],
    broken: &mut Vec<String>,
) {
    let mut deliveries: BTreeMap<&String, Receipts> = BTreeMap::new();
    for (_, _, entry) in journal {
        let Some(id) = entry.delivery.as_ref().filter(|_| became_known(entry)) else { continue };
        let accepted = ledger.accepted.get(&entry.trace).map_or(entry.received_at, |accepted| accepted.at);
        let receipts = deliveries.entry(id).or_default();
        receipts.all.insert(accepted.as_millisecond());
        if !entry.reason.as_deref().is_some_and(|reason| reason.starts_with(REPEAT)) {
            receipts.new.insert(accepted.as_millisecond());
        }
    }
    let mut things: BTreeMap<u64, Vec<(Told, bool)>> = BTreeMap::new();
    for (id, receipts) in deliveries {
        let (Some(first), Some((of, tells))) = (receipts.all.first(), ledger.sent.get(id)) else { continue };
        let (number, version, stock) = match tells {
            Tells::Update(number, version, stock) if *of == shop => (*number, *version, Some(*stock)),
            Tells::Delete(number) if *of == shop => (*number, i64::MAX, None),
            _ => continue,
        };
        let repeat_came_first = receipts.new.first() != Some(first);
        things.entry(number).or_default().push((Told { version, as_of: *first, stock }, repeat_came_first));
    }
    for (number, told) in things {
        let Some(last) = told.iter().map(|(told, _)| *told).max() else { continue };
        let level: Vec<_> = told.iter().filter(|(told, _)| told.version == last.version).collect();
        let at_once = level.iter().filter(|(told, _)| told.as_of == last.as_of).count();
        if at_once > 1 {
            continue;
        }
        // Both are bounds of `fold`, in which the source is asked.
        if level.len() > MOST || level.iter().any(|(_, repeat_came_first)| *repeat_came_first) {
            world.scheduler.note("bound: a tie that only the source can settle", "");
            continue;
        }
        let stands = standing(world, shop, number);
        if stands != Some((last.version, last.stock)) {
            let tenant = &world.shops[shop].tenant;
            broken.push(format!(
                "the last told stands: thing {number} of {tenant} is {stands:?}, last told was {last:?} of {}",
                level.len()
            ));
        }
    }
}

/// Whether an entry says that its delivery was compared with the known state.
fn became_known(entry: &Entry) -> bool {
    let guards = || entry.reason.as_deref().is_some_and(|reason| reason.starts_with(NEVER_KNOWN));
    matches!(entry.outcome, Outcome::Processed | Outcome::Duplicate | Outcome::Stale) || guards()
}

/// The version of an entity and the quantity of its first variant, unless it is deleted.
fn standing(world: &World, shop: usize, number: u64) -> Option<(i64, Option<u64>)> {
    let of = &world.shops[shop];
    let sample = world.deliver(shop, Tells::Delete(number));
    let body: Value = serde_json::from_slice(sample.request.body()).expect("a sample");
    let id = body["id"].to_string();
    let stands = entity(world, shop, &id)?;
    if stands.deleted {
        return Some((stands.version.0, None));
    }
    let entity = EntityId { kind: Kind::Product, connection: of.connection.clone(), id };
    let wanted = [Wanted { entity, hash: stands.document_hash(), inline: stands.document.is_some() }];
    let load = document::load(&*world.table, &*world.ports.blobs, &of.tenant, &wanted);
    let document = load.now_or_never().expect("ready").expect("a document reads").pop().flatten()?;
    let document: Value = serde_json::from_str(document.get()).expect("a document");
    Some((stands.version.0, document["variants"][0]["stock"].as_u64()))
}
