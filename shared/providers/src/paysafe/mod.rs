//! Paysafe: base64 HMAC-SHA256 over the body, keyed with the decoded key; all that a delivery says is signed. See the
//! README beside this file.

mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;

const SIGNATURE: &str = "signature";
const SECRET: &str = "hmac_key";
/// All events about the status of a merchant account: they have the same form, and only the name of one is published.
const MERCHANT_ACCOUNT: &str = "ACCT_*";
/// Embedded wallets name no event. These are the paths that Paysafe documents for them.
const WALLET_TRANSACTION: &str = "transactions/events";
const WALLET_ACCOUNT: &str = "accounts/events";
const WALLET_RESTRICTION: &str = "customers/restrictions";
/// The topic of everything else that embedded wallets send.
const WALLET_OTHER: &str = "wallet/other";
/// The resources that are asked for what a delivery does not say.
const TRANSACTIONS: &str = "transactions";
const ACCOUNTS: &str = "accounts";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "paysafe",
    needs: &[Need::required(
        SECRET,
        "the webhook's HMAC key as the Business Portal shows it: base64, which is decoded to sign with",
    )
    .checked(webhooks::check_key)],
    topics: {
        const fn payment(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Kind(Kind::Transaction))
        }
        const fn ignored(name: &'static str, reason: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored(reason))
        }
        const TOPICS: &[Topic] = &[
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
            Topic { name: MERCHANT_ACCOUNT, becomes: Becomes::Kind(Kind::Account) },
            payment(WALLET_TRANSACTION),
            Topic { name: WALLET_ACCOUNT, becomes: Becomes::Sync(ACCOUNTS) },
            ignored(WALLET_RESTRICTION, "restrictions of wallet customers are not used"),
            ignored(WALLET_OTHER, "identity checks of wallet customers are not used"),
            ignored("test", "a test of the connection"),
        ];
        TOPICS
    },
    // Embedded wallets retry without end, and the others have no published schedule: as long as is allowed.
    window: Duration::from_secs(7 * 24 * 3600),
    identity: "resource, event and its two times; without a resource: a hash of the body",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    // The body names it.
    signs_account: true,
    needed: &[
        "eventName",
        "EventName",
        "eventType",
        "eventDate",
        "resourceId",
        "payload.id",
        "payload.accountId",
        "payload.amount",
        "payload.currencyCode",
        "payload.status",
        "payload.updatedTime",
        "payload.statusTime",
        "payload.txnTime",
        "payload.accountNumber",
        "payload.acctStatus",
        "id",
        "timestamp",
        "operationType",
        "accountId",
        "type",
        "transaction.id",
        "transaction.type",
        "transaction.amount",
        "transaction.currencyCode",
        "transaction.status",
    ],
    optional: &[
        "resourceId",
        "eventDate",
        "timestamp",
        "payload.accountId",
        "payload.merchantRefNum",
        "payload.paymentType",
        "payload.status",
        "payload.updatedTime",
        "payload.statusTime",
        "payload.txnTime",
        "transaction.accountId",
        "transaction.paymentType",
    ],
    sample_account: "1009688230",
    sample_secrets: &[(SECRET, "aHVzaC1wYXlzYWZlLWhtYWMta2V5")],
    resources: &[(Kind::Transaction, TRANSACTIONS), (Kind::Account, ACCOUNTS)],
    settings: &["region", "companies"],
    ..Profile::PLAIN
};

provider!(Paysafe: webhooks, api);

impl Api for Paysafe {
    fn base(&self) -> Base {
        Base::Fixed("https://api.paysafe.com")
    }
}
