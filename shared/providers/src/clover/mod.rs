//! Clover: apps get a fixed code, Hosted Checkout an HMAC-SHA256 over the time and the body. See the README beside this
//! file.

mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;
use hooktide_model::secret::Secret;

const AUTH: &str = "x-clover-auth";
const SIGNATURE: &str = "clover-signature";
const AUTH_CODE: &str = "auth_code";
const SIGNING_SECRET: &str = "signing_secret";
/// The resource that is asked for payments.
const PAYMENTS: &str = "payments";
/// The key of payments.
const PAYMENT_KEY: &str = "P";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "clover",
    needs: &[
        Need::optional(
            AUTH_CODE,
            "for apps: the Clover Auth Code, which the developer dashboard shows once the webhook URL is verified",
        )
        .checked(check_code),
        Need::optional(
            SIGNING_SECRET,
            "for Hosted Checkout: the signing secret from the merchant's Hosted Checkout settings",
        ),
    ],
    topics: {
        const fn sync(name: &'static str, resource: &'static str) -> Topic {
            Topic::new(name, Becomes::Sync(resource))
        }
        const fn ignored(name: &'static str, reason: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored(reason))
        }
        const TOPICS: &[Topic] = &[
            sync("I", "catalog"),
            sync("IA", "catalog"),
            sync("IC", "catalog"),
            sync("IG", "catalog"),
            sync("IM", "catalog"),
            sync("IS", "stock"),
            sync("O", "orders"),
            sync(PAYMENT_KEY, PAYMENTS),
            ignored("A", "connections are removed by their owner"),
            ignored("C", "customers are not used"),
            ignored("CA", "cash adjustments are not used"),
            ignored("E", "employees are not used"),
            ignored("M", "properties of merchants are not used"),
            ignored("SH", "service hours are not used"),
            Topic::new("hosted-checkout/PAYMENT", Becomes::Kind(Kind::Transaction)),
        ];
        TOPICS
    },
    // Clover publishes no schedule of retries.
    window: Duration::from_secs(72 * 3600),
    identity: "merchant, object, operation and time; of Hosted Checkout: merchant, type, id and status",
    schemes: {
        const SCHEMES: &[Scheme] =
            &[Scheme::header(AUTH, Covers::NOTHING), Scheme::header(SIGNATURE, Covers::BODY_AND_TIME)];
        SCHEMES
    },
    // The weaker of the schemes counts: the code signs nothing. And each merchant has a signing secret of its own,
    // with which it can name any other.
    signs_account: false,
    // Kept to tell later that it was the signature that was verified; never the code, which is a secret.
    headers: &[SIGNATURE],
    needed: &["merchants.*[].objectId", "type", "id", "status", "merchantId", "Type", "Id", "Status", "MerchantId"],
    items: &["merchants.*"],
    sample_account: "SAMPLEMERCH01",
    sample_secrets: &[(AUTH_CODE, "hush-clover-auth-code"), (SIGNING_SECRET, "hush-clover-signing-secret")],
    shares_secret: true,
    resources: &[(Kind::Transaction, PAYMENTS)],
    settings: &["region"],
    ..Profile::PLAIN
};

provider!(Clover: webhooks, api);

impl Api for Clover {
    fn base(&self) -> Base {
        Base::Fixed("https://api.clover.com")
    }
}

/// Refuses a code that no header can have.
fn check_code(secret: &Secret) -> Result<(), &'static str> {
    let code = secret.expose();
    let sendable = (8..=512).contains(&code.len()) && code.iter().all(u8::is_ascii_graphic);
    if sendable { Ok(()) } else { Err("it must be the code as the developer dashboard shows it, without white space") }
}
