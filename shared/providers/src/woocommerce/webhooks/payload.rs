//! A store's bodies, read into our terms.

use std::collections::BTreeMap;

use crate::json::unreadable;
use crate::lenient::{Lenient, Object};
use crate::verified::Verified;
use crate::woocommerce::product::WooProduct;
use crate::woocommerce::{PRODUCTS, RESTORED};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> Vec<What> {
    vec![What::ignored("topic does not fit body")]
}

/// The answer of the store's own API in place of the product, for whoever runs the store; the product itself is asked for.
fn refusal(refused: WooProduct) -> Vec<What> {
    let code = refused.code.read().unwrap_or_default();
    let status = refused.data.read().and_then(|Object(data)| data.status.read());
    let reason = match (code.as_str(), status) {
        ("rest_no_route", _) => {
            "the store sent an error in place of the product: it has not the version of the API that the webhook asks for; set the \
             webhook's API version to the newest that the store offers"
        }
        (_, Some(401 | 403)) => {
            "the store sent a refusal in place of the product: the user whom the webhook belongs to may not read products; \
             save the webhook as an administrator or a shop manager"
        }
        (_, Some(404)) => {
            "the store sent an error in place of the product: it was gone when the store looked; nothing is to be done"
        }
        _ => {
            "the store sent an error in place of the product; if it comes again, save the webhook anew as an administrator, \
             and look for a plugin that changes what webhooks send"
        }
    };
    vec![What::hint(PRODUCTS), What::ignored(reason)]
}

/// The product of a topic that sends it whole.
pub(super) fn product(verified: &Verified, topic: &str) -> Result<Vec<What>, Fault> {
    let Object(product) = verified.json::<Object<WooProduct>>()?;
    if product.is_refusal() {
        return Ok(refusal(product));
    }
    if !product.is_one() {
        return Ok(misfit());
    }
    // A draft that was never saved has no date.
    let undated = matches!(product.date_modified_gmt, Lenient::Null);
    if undated || product.is_variation() || product.is_cut() {
        return Ok(vec![product.asks_for().map_or(What::hint(PRODUCTS), |id| What::hint_at(PRODUCTS, id))]);
    }
    let id = product.asks_for();
    let read = product.read()?;
    let restored = topic == RESTORED && read.entity.state != State::Deleted;
    let hint = id.filter(|_| read.lacks_variations).map(|id| What::hint_at(PRODUCTS, id));
    let entity = EntityNotice { restored, ..read.entity };
    Ok([What::Entity(entity)].into_iter().chain(hint).collect())
}

/// `product.deleted`: the id, and nothing else. It says no time, so when it came has to do, and the product is asked for.
pub(super) fn deleted_product(verified: &Verified) -> Result<Vec<What>, Fault> {
    let keys: BTreeMap<String, Lenient<u64>> = verified.json()?;
    let mut keys = keys.into_iter();
    let (Some((key, id)), None) = (keys.next(), keys.next()) else { return Ok(misfit()) };
    if key != "id" {
        return Ok(misfit());
    }
    let id = id.read().filter(|id| *id > 0).ok_or_else(|| unreadable("`id` is not a number above zero"))?;
    let entity = EntityNotice {
        dated: Dated::ByReceipt,
        source: Some(PRODUCTS),
        ..EntityNotice::new(Kind::Product, id.to_string(), Version::from_time(verified.received_at()), State::Deleted)
    };
    Ok(vec![What::Entity(entity), What::hint_at(PRODUCTS, id)])
}
