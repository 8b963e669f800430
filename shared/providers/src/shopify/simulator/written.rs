//! Products, levels and deletions, as GraphQL and webhooks write them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::page::page;
use super::shop::{Level, Logged, Product, Variant};

/// How many variants a webhook carries.
const MOST_IN_A_WEBHOOK: usize = 100;
/// How many variants a level names.
const MOST_OF_A_LEVEL: usize = 5;
/// The order of a product's variants.
pub(super) const POSITION: &str = "POSITION";

/// The fields of a product that are asked for, with so many of its variants and images.
pub(super) fn node(product: &Product, (variants, images): (u64, u64)) -> Value {
    let images = usize::try_from(images).unwrap_or(usize::MAX);
    // A first page is never beyond the end of a list.
    let (rows, info) = page(by_position(product), POSITION, variants, None).unwrap_or_default();
    let shown: Vec<Value> = rows.into_iter().map(variant_node).collect();
    let pictures = product.images.iter().take(images);
    let pictures: Vec<Value> =
        pictures.map(|(id, url)| json!({ "id": format!("gid://shopify/ProductImage/{id}"), "url": url })).collect();
    json!({
        "id": product.id.to_string(),
        "title": product.title,
        "status": product.status,
        "updated_at": product.updated_at.to_string(),
        "variants": { "pageInfo": info, "nodes": shown },
        "images": { "pageInfo": { "hasNextPage": product.images.len() > images }, "nodes": pictures },
    })
}

/// The variants of a product, by their positions.
pub(super) fn by_position(product: &Product) -> BTreeMap<(i64, u64), &Variant> {
    (1..).zip(&product.variants).map(|(position, variant)| ((position, variant.id), variant)).collect()
}

pub(super) fn variant_node(variant: &Variant) -> Value {
    json!({
        "id": variant.id.to_string(),
        "sku": variant.sku,
        "barcode": variant.barcode,
        "price": variant.price,
        "inventory_quantity": variant.quantity,
    })
}

/// A level, with its item.
pub(super) fn level(level: &Level, item: Value) -> Value {
    let mut node = bare_level(level);
    node["item"] = item;
    node
}

/// An inventory item that is counted or not, with its variants.
pub(super) fn item(id: u64, tracked: bool, variants: Vec<u64>) -> Value {
    let more = variants.len() > MOST_OF_A_LEVEL;
    let named: Vec<Value> =
        variants.into_iter().take(MOST_OF_A_LEVEL).map(|id| json!({ "id": id.to_string() })).collect();
    let variants = json!({ "pageInfo": { "hasNextPage": more }, "nodes": named });
    json!({ "id": id.to_string(), "tracked": tracked, "variants": variants })
}

/// A level, without the item that it is about.
pub(super) fn bare_level(level: &Level) -> Value {
    let at = level.updated_at.to_string();
    json!({
        "isActive": level.active,
        "updatedAt": at,
        "quantities": [{ "name": "available", "quantity": level.available, "updatedAt": at }],
    })
}

/// An entry of the log.
pub(super) fn event(logged: &Logged) -> Value {
    json!({
        "action": logged.action,
        "subjectId": format!("gid://shopify/Product/{}", logged.product),
        "subjectType": "PRODUCT",
        "createdAt": logged.created_at.to_string(),
    })
}

/// What an answer really cost: a point for each object in it, and two for each list.
pub(super) fn cost_of(value: &Value) -> i64 {
    match value {
        Value::Object(fields) => {
            let own = if fields.contains_key("pageInfo") { 2 } else { 1 };
            own + fields.values().map(cost_of).sum::<i64>()
        }
        Value::Array(items) => items.iter().map(cost_of).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A product as webhooks carry it.
pub(super) fn rest(product: &Product) -> Value {
    let id = product.id;
    let at = product.updated_at.to_string();
    let variants = product.variants.iter().take(MOST_IN_A_WEBHOOK).enumerate().map(|(position, variant)| {
        json!({
            "admin_graphql_api_id": format!("gid://shopify/ProductVariant/{}", variant.id),
            "id": variant.id,
            "product_id": id,
            "title": variant.title,
            "position": position + 1,
            "sku": variant.sku,
            "barcode": variant.barcode,
            "price": variant.price,
            "inventory_item_id": variant.item,
            "inventory_quantity": variant.quantity,
            "updated_at": at,
        })
    });
    let gids = product.variants.iter().map(|variant| {
        json!({ "admin_graphql_api_id": format!("gid://shopify/ProductVariant/{}", variant.id), "updated_at": at })
    });
    let images = product.images.iter().enumerate().map(|(position, (image, url))| {
        json!({
            "admin_graphql_api_id": format!("gid://shopify/ProductImage/{image}"),
            "id": image,
            "product_id": id,
            "position": position + 1,
            "src": url,
            "updated_at": at,
        })
    });
    json!({
        "admin_graphql_api_id": format!("gid://shopify/Product/{id}"),
        "id": id,
        "title": product.title,
        "body_html": product.description,
        "vendor": product.vendor,
        "status": product.status.to_lowercase(),
        "tags": product.tags.join(", "),
        "created_at": product.created_at.to_string(),
        "updated_at": at,
        "variants": variants.collect::<Vec<_>>(),
        "variant_gids": gids.collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
    })
}

/// A level as webhooks carry it.
pub(super) fn rest_level((item, location): (u64, u64), level: &Level) -> Value {
    json!({
        "inventory_item_id": item,
        "location_id": location,
        "available": level.available,
        "updated_at": level.updated_at.to_string(),
        "admin_graphql_api_id": format!("gid://shopify/InventoryLevel/{location}?inventory_item_id={item}"),
    })
}
