//! The normalised product, the same for every provider.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// A product as front ends and caches see it.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// The provider's id.
    pub id: String,
    /// The name; absent where it could not be read.
    pub title: Option<String>,
    /// The provider's status, such as `active`, `draft` or `archived`; absent where it could not be read.
    pub status: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
    /// The variants, in the provider's order.
    pub variants: Vec<Variant>,
    /// The images, in the provider's order.
    pub images: Vec<Image>,
}

/// A variant of a product: an article that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The provider's id.
    pub id: String,
    /// The stock keeping unit.
    pub sku: Option<String>,
    /// The barcode (GTIN, EAN, UPC or ISBN).
    pub barcode: Option<String>,
    /// The price: a decimal number, as the provider writes it.
    pub price: Option<String>,
    /// The currency code (ISO 4217), where the provider gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The quantity in all locations, where the provider counts it.
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

/// The quantity of a variant at a location. The entity's id covers everything that tells one count from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    /// The provider's id for the variant.
    pub variant: String,
    /// The provider's id for the location; absent where it counts all locations together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The provider's word for the state of the counted items, such as `IN_STOCK`, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The quantity: a decimal number, as the provider writes it; absent where it is not counted.
    pub quantity: Option<String>,
    /// When the provider counted; RFC 3339, in UTC.
    pub updated_at: String,
}
