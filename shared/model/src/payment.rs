//! Normalised payments and accounts, the same for every provider.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// A payment, refund, payout or settlement, as dashboards see it.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// The provider's id.
    pub id: String,
    /// The provider's word for what it is: `PAYMENT`, `SETTLEMENT`.
    pub kind: String,
    /// The provider's status, such as `COMPLETED`.
    pub status: String,
    /// The amount in minor units of the currency, such as cents.
    pub amount: Option<i64>,
    /// The currency code (ISO 4217).
    pub currency: Option<String>,
    /// The provider's word for how it was paid: `CARD`.
    pub payment_type: Option<String>,
    /// The merchant's own reference.
    pub reference: Option<String>,
    /// The provider's id for the merchant account that it belongs to.
    pub account: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}

/// A merchant account.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's id.
    pub id: String,
    /// The provider's status.
    pub status: String,
    /// The merchant's own reference.
    pub reference: Option<String>,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}
