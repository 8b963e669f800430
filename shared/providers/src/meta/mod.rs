//! Meta (Facebook, Instagram, WhatsApp): hexadecimal HMAC-SHA256 over the body. See the README beside this file.

mod topics;
mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Covers, Need, Profile, Scheme, reading};
use hooktide_model::secret::Secret;

const SIGNATURE: &str = "x-hub-signature-256";
const APP_SECRET: &str = "app_secret";
const VERIFY_TOKEN: &str = "verify_token";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "meta",
    needs: &[
        Need::required(APP_SECRET, "the app's secret, which signs its webhooks").checked(check_secret),
        Need::required(
            VERIFY_TOKEN,
            "the text that you made up for the app's webhooks; Meta sends it when the address is set",
        )
        .checked(check_secret),
    ],
    topics: topics::TOPICS,
    // Most objects are tried for 36 hours, WhatsApp's for 7 days.
    window: Duration::from_secs(7 * 24 * 3600),
    identity: "a hash of object, entry, field and value; where the value is always the same, with the time",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    signs_account: true,
    needed: &[
        "object",
        "entry[].id",
        "entry[].changes[].field",
        "entry[].changed_fields[]",
        "entry[].messaging",
        "entry[].standby",
    ],
    items: &["entry", "entry[].changes"],
    sample_account: "104582371493610",
    sample_secrets: &[(APP_SECRET, "hush-meta-app-secret"), (VERIFY_TOKEN, "hush-meta-verify-token")],
    normalise_account: reading::trimmed,
    settings: &["region"],
    ..Profile::PLAIN
};

provider!(Meta: webhooks);

/// Refuses a text with white space around it: it comes from copying, and is never seen again.
fn check_secret(secret: &Secret) -> Result<(), &'static str> {
    let fits = secret.expose_text().is_some_and(|text| !text.is_empty() && text.trim() == text);
    if fits { Ok(()) } else { Err("must be a text without white space around it") }
}
