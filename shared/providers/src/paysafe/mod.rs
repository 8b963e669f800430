//! Paysafe: base64 HMAC-SHA256 over the body, keyed with the decoded key; all that a delivery says is signed. See the
//! README beside this file.

mod api;
mod resource;
#[cfg(feature = "simulators")]
mod simulator;
mod topics;
mod webhooks;

use std::time::Duration;

use self::topics::{ACCOUNTS, TRANSACTIONS};
use crate::provider::provider;
use crate::{Covers, Need, Profile, Scheme};
use hooktide_model::names::Kind;

const SIGNATURE: &str = "signature";
const SECRET: &str = "hmac_key";
const USERNAME: &str = "username";
const PASSWORD: &str = "password";
/// A day: the time between two polls.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "paysafe",
    needs: &[Need::required(
        SECRET,
        "the webhook's HMAC key as the Business Portal shows it: base64, which is decoded to sign with",
    )
    .checked(webhooks::check_key)],
    credentials: &[
        Need::optional(USERNAME, "the user of the Payments API: Business Portal, Developer, API keys"),
        Need::optional(PASSWORD, "the password of that user"),
    ],
    topics: topics::TOPICS,
    // Embedded wallets retry without end, and the others have no published schedule: as long as is allowed.
    window: Duration::from_secs(7 * 24 * 3600),
    // Nothing lists what changed, so a poll finds out no more than whether the credentials count.
    polled_every: Some((DAY, DAY)),
    // Paysafe publishes no number.
    calls_per_minute: Some(120),
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
    sample_credentials: &[(USERNAME, "test_hooktide"), (PASSWORD, "B-qa2-0-0000000000000000000000000000000000sample")],
    resources: &[(Kind::Transaction, TRANSACTIONS), (Kind::Account, ACCOUNTS)],
    settings: &["region", "companies"],
    ..Profile::PLAIN
};

provider!(Paysafe: webhooks, api, source, simulator);
