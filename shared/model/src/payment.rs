//! Normalised payments and accounts, the same for every provider.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// A payment, refund, payout or settlement, as dashboards see it.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The provider's id.
    pub id: String,
    /// The provider's word for what it is, in capitals: `PAYMENT`, `SETTLEMENT`.
    #[serde(rename = "type", alias = "kind")]
    pub kind: String,
    /// The provider's status, in capitals, such as `COMPLETED`.
    pub status: String,
    /// The amount in minor units of the currency, such as cents.
    #[serde(alias = "amount")]
    pub amount_minor: Option<i64>,
    /// The currency code (ISO 4217).
    pub currency: Option<String>,
    /// The provider's word for how it was paid, in capitals: `CARD`.
    pub payment_type: Option<String>,
    /// The merchant's own reference.
    pub reference: Option<String>,
    /// The provider's id for the merchant account that it belongs to.
    #[serde(alias = "account")]
    pub company: Option<String>,
    /// When it began, by the provider's clock; RFC 3339, in UTC. Documents from before it was recorded have the time of
    /// their last change.
    #[serde(default)]
    pub occurred_at: String,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}

/// A merchant account.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl Transaction {
    /// The time at which it counts, in milliseconds since 1970: when it began. A time that cannot be read, or lies before 1970,
    /// is 1970.
    pub fn counts_at(&self) -> i64 {
        let time = if self.occurred_at.is_empty() { &self.updated_at } else { &self.occurred_at };
        time.parse::<jiff::Timestamp>().map_or(0, |time| time.as_millisecond().max(0))
    }
}

/// A word of a provider as dashboards group by it: in capitals.
pub fn word(text: &str) -> String {
    text.trim().to_uppercase()
}

/// Whether a status says that a payment did not come about, or was taken back.
pub fn is_failure(status: &str) -> bool {
    matches!(status, "FAILED" | "ERROR" | "ERRORED" | "DECLINED" | "EXPIRED" | "RETURNED" | "REJECTED")
}

/// The number of digits after the point of a currency's amounts (ISO 4217, list one); none where the standard lists no such
/// currency, or no digits of it.
pub fn exponent(currency: &str) -> Option<u8> {
    let digits = iso_currency::Currency::from_code(currency)?.exponent()?;
    u8::try_from(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_has_as_many_digits_as_the_standard_says() {
        for (currency, digits) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("HUF", 2), ("ISK", 0), ("UGX", 0)] {
            assert_eq!(exponent(currency), Some(digits), "{currency}");
        }
        for unknown in ["", "eur", "EURO", "ZZZ", "BTC"] {
            assert_eq!(exponent(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_document_from_before_its_names_changed_is_read() {
        let former = r#"{"id":"1","kind":"PAYMENT","status":"HELD","amount":5,"currency":"EUR","account":"7","updated_at":"2026-01-01T00:00:01Z"}"#;
        let read: Transaction = serde_json::from_str(former).unwrap();
        assert_eq!((read.kind.as_str(), read.amount_minor, read.company.as_deref()), ("PAYMENT", Some(5), Some("7")));
        assert_eq!(read.counts_at(), 1_767_225_601_000);
    }
}
