//! Paysafe: base64 HMAC-SHA256 over the body, keyed with the decoded key; all that a delivery says is signed. See the
//! README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use self::payload::Event;
use super::lenient::Object;
use super::{Becomes, Covers, Label, Need, Profile, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Notice, UNKNOWN_TOPIC, What};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::signing;

const SIGNATURE: &str = "signature";
const SECRET: &str = "hmac_key";

/// All events about the status of a merchant account: they have the same form, and only the name of one is published.
const MERCHANT_ACCOUNT: &str = "ACCT_*";
/// Embedded wallets name no event. These are the paths that Paysafe documents for them.
const WALLET_TRANSACTION: &str = "transactions/events";
const WALLET_ACCOUNT: &str = "accounts/events";
const WALLET_RESTRICTION: &str = "customers/restrictions";
/// What else embedded wallets send.
const WALLET_OTHER: &str = "wallet/other";

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "paysafe",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the webhook's HMAC key as the Business Portal shows it: base64, which is decoded to sign with",
    }],
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
            Topic { name: WALLET_ACCOUNT, becomes: Becomes::Sync(payload::ACCOUNTS) },
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
    headers: &[],
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
    items: &[],
    own_marks: &[],
    sample_account: "1009688230",
    sample_secrets: &[(SECRET, "aHVzaC1wYXlzYWZlLWhtYWMta2V5")],
};

/// The provider.
pub(super) struct Paysafe;

impl Provider for Paysafe {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://api.paysafe.com")
    }

    fn source(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Transaction => Some(payload::TRANSACTIONS),
            Kind::Account => Some(payload::ACCOUNTS),
            _ => None,
        }
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let signature = signing::strict_base64(signing::signature_header(request.headers(), SIGNATURE)?)?;
        let keys = decoded(secrets, now);
        signing::verify_mac(&keys, SECRET, now, &signature, |key| signing::hmac_sha256(key, &[request.body()]))
    }

    fn label(&self, verified: &Verified) -> Label {
        let event = verified.json::<Object<Event<'_>>>().ok().map(|Object(event)| event);
        let topic = event.as_ref().and_then(Event::topic).map(str::to_owned);
        let becomes = topic.as_deref().and_then(|name| PROFILE.becomes(name));
        Label { topic, delivery: None, priority: becomes == Some(Becomes::Kind(Kind::Transaction)) }
    }

    fn check_secret(&self, name: &str, secret: &Secret) -> Result<(), &'static str> {
        if name == SECRET && decode(secret).is_none() {
            return Err("it must be base64 without white space, as the Business Portal shows it");
        }
        Ok(())
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let Object(event): Object<Event<'_>> = verified.json()?;
        let topic = event.topic().unwrap_or_default().to_owned();
        let whole = |what| Notice { account: None, identity: signing::sha256_hex(verified.body()), what };
        let notice = match PROFILE.becomes(&topic) {
            Some(Becomes::Kind(Kind::Account)) => event.merchant_account()?,
            Some(Becomes::Kind(_)) if topic == WALLET_TRANSACTION => event.wallet_transaction()?,
            Some(Becomes::Kind(_)) => event.transaction(&topic)?,
            // All that Paysafe does is about money.
            None => whole(What::perhaps_money(format!("{UNKNOWN_TOPIC}; all that Paysafe does may be about money"))),
            other => whole(reading::told(other)),
        };
        Ok(vec![notice])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        PROFILE.becomes(topic).and_then(|_| sample::body(topic, sample))
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let unfit = || Fault::permanent(ErrorClass::Unreadable, format!("the secret `{SECRET}` is not base64"));
        let key = decode(&unsigned.secret(SECRET)?.secret).ok_or_else(unfit)?;
        let mac = signing::hmac_sha256(key.expose(), &[&unsigned.body]);
        Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}

/// The key that a secret is the text of.
fn decode(secret: &Secret) -> Option<Secret> {
    let key = signing::strict_base64(secret.expose_text()?).ok()?;
    if key.is_empty() { None } else { Some(Secret::new(key)) }
}

/// The live keys. What is not base64 is no key: nothing may ever be compared with what it would make.
fn decoded(secrets: &Secrets, now: Timestamp) -> Secrets {
    let keys = secrets.live(SECRET, now);
    Secrets::new(keys.filter_map(|live| Some(LiveSecret { secret: decode(&live.secret)?, ..live.clone() })).collect())
}
