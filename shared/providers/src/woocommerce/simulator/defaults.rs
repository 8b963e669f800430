//! Default fields of a product and of a variation.

use serde_json::{Value, json};

/// The fields that both have.
pub(super) fn of_both() -> Value {
    json!({
        "description": "",
        "sku": "",
        "global_unique_id": "",
        "regular_price": "",
        "sale_price": "",
        "date_on_sale_from": null,
        "date_on_sale_from_gmt": null,
        "date_on_sale_to": null,
        "date_on_sale_to_gmt": null,
        "virtual": false,
        "downloadable": false,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": false,
        "backorders": "no",
        "low_stock_amount": null,
        "weight": "",
        "dimensions": { "length": "", "width": "", "height": "" },
        "shipping_class": "",
        "shipping_class_id": 0,
        "attributes": [],
        "menu_order": 0,
        "meta_data": [],
        "parent_id": 0,
        "stock_status": "instock",
    })
}

/// The fields that only products have.
pub(super) fn of_products() -> Value {
    json!({
        "featured": false,
        "catalog_visibility": "visible",
        "short_description": "",
        "total_sales": 0,
        "external_url": "",
        "button_text": "",
        "sold_individually": false,
        "shipping_required": true,
        "shipping_taxable": true,
        "reviews_allowed": true,
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "purchase_note": "",
        "categories": [{ "id": 15, "name": "Uncategorized", "slug": "uncategorized" }],
        "brands": [],
        "tags": [],
        "images": [],
        "default_attributes": [],
        "grouped_products": [],
        "related_ids": [],
        "post_password": "",
    })
}
