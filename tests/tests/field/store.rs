//! What WooCommerce stores send of deletions, with clocks that are wrong, in place of a product, and through plugins.

use serde_json::{Value, json};

use crate::Case;
use crate::requests::Step;
use crate::woocommerce::{product, sent, updated};

/// What a store sends in place of a product.
fn error(code: &str, status: u16) -> Value {
    json!({ "code": code, "message": "Sorry, you cannot view this resource.", "data": { "status": status } })
}

/// The product without some of its fields.
fn without(fields: &[&str]) -> Value {
    let mut product = product("07:59:00", json!({}));
    if let Value::Object(of_product) = &mut product {
        of_product.retain(|name, _| !fields.contains(&name.as_str()));
    }
    product
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, steps: Vec<Step>, right: Vec<(&'static str, Value)>| Case::new("woocommerce", name, steps, right);
    let mug = product("07:59:00", json!({}));
    let gone = json!({ "id": 799 });
    // The deletion is received at 08:00:02, the second step.
    let restored = product("08:00:02", json!({}));
    let early = product("08:00:00", json!({}));
    let stocks = [5, 4, 5, 4].map(|stock| {
        let fields = json!({ "type": "variable", "variations": [801], "meta_data": [{ "stock of 801": stock }] });
        product("07:59:00", fields)
    });
    let asked = |reason: &str| {
        vec![("/ops", json!([])), ("/waiting", json!(1)), ("/letters", json!(0)), ("/reasons/1", json!(reason))]
    };
    let refused = "the store sent a refusal in place of the product: the user whom the webhook belongs to may not read products; \
                   save the webhook as an administrator or a shop manager";
    vec![
        case(
            "a product that goes to the bin is gone",
            vec![updated(1, &mug), sent("product.deleted", 2, &gone)],
            vec![("/ops", json!(["created", "deleted"]))],
        ),
        case(
            "a product that is restored within the second of its deletion is there",
            vec![updated(1, &mug), sent("product.deleted", 2, &gone), sent("product.restored", 3, &restored)],
            vec![("/ops", json!(["created", "deleted", "created"])), ("/last/title", json!("Hollow Mug"))],
        ),
        case(
            "a deletion that the store's queue brings late does not outlive the restore",
            vec![
                updated(1, &mug),
                sent("product.deleted", 2, &gone),
                updated(3, &early),
                sent("product.restored", 4, &early),
            ],
            vec![("/ops", json!(["created", "deleted", "created"])), ("/last/title", json!("Hollow Mug"))],
        ),
        case(
            "the deletion of a page, which the store calls a product's, is no change",
            vec![updated(1, &mug), sent("product.deleted", 2, &json!({ "id": 54 }))],
            vec![("/ops", json!(["created"])), ("/letters", json!(0))],
        ),
        case(
            "a date of modification that is ahead hides no later edit",
            vec![
                updated(
                    1,
                    &product("07:59:00", json!({ "date_modified_gmt": "2027-11-02T07:59:00", "name": "Ahead" })),
                ),
                updated(2, &product("08:00:02", json!({ "name": "Edited" }))),
            ],
            vec![("/last/title", json!("Edited")), ("/letters", json!(0))],
        ),
        case(
            "each change of a variation's stock within one date asks for the product",
            (1..).zip(&stocks).map(|(id, body)| updated(id, body)).collect(),
            vec![("/ops", json!(["created"])), ("/waiting", json!(4)), ("/letters", json!(0))],
        ),
        case(
            "a refusal with 403 in place of a product says what to do, and the product is asked for",
            vec![sent("product.created", 1, &error("woocommerce_rest_cannot_view", 403))],
            asked(refused),
        ),
        case(
            "a refusal with 401 in place of a product says what to do, and the product is asked for",
            vec![updated(1, &error("woocommerce_rest_cannot_view", 401))],
            asked(refused),
        ),
        case(
            "an error with 404 in place of a product says that nothing is to be done, and the product is asked for",
            vec![updated(1, &error("woocommerce_rest_product_invalid_id", 404))],
            asked(
                "the store sent an error in place of the product: it was gone when the store looked; nothing is to be done",
            ),
        ),
        case(
            "a body that a plugin cut to the bone tells no product, and it is asked for",
            vec![updated(1, &without(&["type", "sku", "price", "stock_quantity", "images", "variations"]))],
            vec![("/ops", json!([])), ("/waiting", json!(1)), ("/letters", json!(0))],
        ),
        case(
            "a body without a stock does not say that nothing is counted",
            vec![updated(1, &without(&["stock_quantity"]))],
            vec![("/ops", json!(["created"])), ("/unread", json!(["stock_quantity"])), ("/letters", json!(0))],
        ),
        case(
            "a body without a type is a product all the same",
            vec![updated(1, &without(&["type"]))],
            vec![("/ops", json!(["created"])), ("/unread", json!(["type"])), ("/last/variants/0/stock", json!(11))],
        ),
        case(
            "the changes of each product come in the order of its edits, though others come between",
            [(1, 799, "A1"), (2, 800, "B1"), (3, 799, "A2"), (4, 800, "B2"), (5, 799, "A3")]
                .map(|(id, product_id, name)| {
                    updated(id, &product(&format!("07:59:0{id}"), json!({ "id": product_id, "name": name })))
                })
                .into(),
            vec![
                ("/ops", json!(["created", "created", "updated", "updated", "updated"])),
                ("/last/title", json!("A3")),
            ],
        ),
    ]
}
