//! Normalised payments and accounts, the same for every provider.

use serde::{Deserialize, Serialize};

/// A payment, refund, payout or settlement, as dashboards see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// The provider's id.
    pub id: String,
    /// What it is, in the provider's words: `PAYMENT`, `SETTLEMENT`.
    pub kind: String,
    /// The provider's status, such as `COMPLETED`.
    pub status: String,
    /// In minor units of the currency: cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// How it was paid, in the provider's words: `CARD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_type: Option<String>,
    /// The merchant's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The provider's id of the merchant account that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}

/// A merchant account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    /// The provider's status.
    pub status: String,
    /// The merchant's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}
