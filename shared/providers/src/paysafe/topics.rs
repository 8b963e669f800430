//! The topics of Paysafe, and the resources that some of them ask for.

use crate::{Becomes, Topic};
use hooktide_model::names::Kind;

/// All events about the status of a merchant account: they have the same form, and only the name of one is published.
pub(super) const MERCHANT_ACCOUNT: &str = "ACCT_*";
/// Embedded wallets name no event. These are the paths that Paysafe documents for them.
pub(super) const WALLET_TRANSACTION: &str = "transactions/events";
pub(super) const WALLET_ACCOUNT: &str = "accounts/events";
pub(super) const WALLET_RESTRICTION: &str = "customers/restrictions";
/// The topic of everything else that embedded wallets send.
pub(super) const WALLET_OTHER: &str = "wallet/other";

/// The resources that are asked for what a delivery does not say.
pub(super) const TRANSACTIONS: &str = "transactions";
pub(super) const ACCOUNTS: &str = "accounts";

const fn payment(name: &'static str) -> Topic {
    Topic::new(name, Becomes::Kind(Kind::Transaction))
}

const fn ignored(name: &'static str, reason: &'static str) -> Topic {
    Topic::new(name, Becomes::Ignored(reason))
}

/// The topics that Paysafe is known to send.
pub(super) const TOPICS: &[Topic] = &[
    payment("PAYMENT_HANDLE_INITIATED"),
    payment("PAYMENT_HANDLE_PROCESSING"),
    payment("PAYMENT_HANDLE_PAYABLE"),
    payment("PAYMENT_HANDLE_COMPLETED"),
    payment("PAYMENT_HANDLE_EXPIRED"),
    payment("PAYMENT_HANDLE_FAILED"),
    payment("PAYMENT_HANDLE_ERRORED"),
    payment("PAYMENT_PROCESSING"),
    payment("PAYMENT_RECEIVED"),
    payment("PAYMENT_PENDING"),
    payment("PAYMENT_HELD"),
    payment("PAYMENT_COMPLETED"),
    payment("PAYMENT_FAILED"),
    payment("PAYMENT_CANCELLED"),
    payment("PAYMENT_EXPIRED"),
    payment("PAYMENT_ERRORED"),
    payment("PAYMENT_RETURN_COMPLETED"),
    payment("PAYMENT_RETURNED_COMPLETED"),
    payment("SETTLEMENT_RECEIVED"),
    payment("SETTLEMENT_PENDING"),
    payment("SETTLEMENT_PROCESSING"),
    payment("SETTLEMENT_COMPLETED"),
    payment("SETTLEMENT_FAILED"),
    payment("SETTLEMENT_CANCELLED"),
    payment("REFUND_PENDING"),
    payment("REFUND_COMPLETED"),
    payment("REFUND_FAILED"),
    payment("REFUND_CANCELLED"),
    payment("REFUND_ERRORED"),
    payment("SA_CREDIT_COMPLETED"),
    payment("SA_CREDIT_FAILED"),
    payment("SA_CREDIT_CANCELLED"),
    payment("SA_CREDIT_ERRORED"),
    payment("AP_PAYMENT_PROCESSING"),
    payment("AP_PAYMENT_COMPLETED"),
    payment("AP_PAYMENT_FAILED"),
    payment("AP_PAYMENT_CANCELLED"),
    payment("AP_PAYMENT_ERRORED"),
    payment("AP_PAYMENT_EXPIRED"),
    payment("AP_SETTLEMENT_PROCESSING"),
    payment("AP_SETTLEMENT_COMPLETED"),
    payment("AP_SETTLEMENT_EXPIRED"),
    payment("AP_SETTLEMENT_FAILED"),
    payment("AP_SETTLEMENT_CANCELLED"),
    payment("AP_SETTLEMENT_ERRORED"),
    payment("AP_REFUND_PROCESSING"),
    payment("AP_REFUND_PENDING"),
    payment("AP_REFUND_COMPLETED"),
    payment("AP_REFUND_ERRORED"),
    payment("AP_REFUND_CANCELLED"),
    payment("AP_REFUND_FAILED"),
    payment("AP_REFUND_EXPIRED"),
    payment("AP_RETURN_COMPLETED"),
    payment("AP_RETURN_REVERSAL_COMPLETED"),
    Topic::new(MERCHANT_ACCOUNT, Becomes::Kind(Kind::Account)),
    payment(WALLET_TRANSACTION),
    Topic::new(WALLET_ACCOUNT, Becomes::Sync(ACCOUNTS)),
    ignored(WALLET_RESTRICTION, "restrictions of wallet customers are not used"),
    ignored(WALLET_OTHER, "identity checks of wallet customers are not used"),
    ignored("test", "a test of the connection"),
];
