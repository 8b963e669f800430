//! The normalised product, the same for every provider.

use serde::{Deserialize, Serialize};

/// A product as front ends and caches see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The provider's id.
    pub id: String,
    /// Its name; none where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The provider's status, such as `active`, `draft` or `archived`; none where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
    /// What can be bought, in the provider's order.
    pub variants: Vec<Variant>,
    /// Its images, in the provider's order.
    pub images: Vec<Image>,
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The provider's id.
    pub id: String,
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// Barcode (GTIN, EAN, UPC or ISBN).
    pub barcode: Option<String>,
    /// A decimal number, as the provider writes it.
    pub price: Option<String>,
    /// ISO 4217, where the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How many there are in all locations, where the provider counts them.
    pub stock: Option<i64>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The provider's id.
    pub id: String,
    /// Where the provider serves it.
    pub url: String,
}

/// How many of a variant there are at a place. The entity's id is of all that tells one count from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    /// The provider's id of the variant.
    pub variant: String,
    /// The provider's id of the location; none where it counts all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The provider's word for the state of what is counted, such as `IN_STOCK`, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A decimal number, as the provider writes it; none where it is not counted.
    pub quantity: Option<String>,
    /// When the provider counted; RFC 3339, in UTC.
    pub updated_at: String,
}
