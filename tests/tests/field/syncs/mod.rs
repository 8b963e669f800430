//! Cases of syncing: what is read of a provider's answers, and what becomes of edits at its simulator.

mod blocks;
mod feeds;
mod google_calendar;
mod pair;
mod recurring;
mod shop;
mod shopify;
mod square;
mod texts;
mod woocommerce;

use serde_json::Value;

use crate::Tried;
use crate::settings::unless;

/// A case by its name, with what is seen and what is right.
type Seen = (&'static str, Value, Value);

pub(crate) async fn tried() -> Vec<Tried> {
    let mut seen: Vec<Seen> = [
        google_calendar::read(),
        blocks::read(),
        feeds::read_texts(),
        recurring::read_texts(),
        texts::read_texts(),
        square::read(),
        shopify::read(),
        woocommerce::read(),
    ]
    .concat();
    seen.extend(
        [
            google_calendar::edited().await,
            blocks::edited().await,
            square::edited().await,
            shopify::edited().await,
            woocommerce::edited().await,
        ]
        .concat(),
    );
    seen.into_iter().map(|(name, is, right)| (name, unless(is, right))).collect()
}
