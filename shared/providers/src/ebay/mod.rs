//! eBay: ECDSA over the body by a key that eBay publishes under the id that the signature names. See the README beside
//! this file.

mod api;
mod key;
mod secrets;
mod topics;
mod webhooks;

use std::time::Duration;

use self::secrets::{CLIENT_ID, CLIENT_SECRET, PUBLIC_KEY, SAMPLE_KEY, VERIFICATION_TOKEN};
use crate::provider::provider;
use crate::{Covers, Need, Profile, Scheme, reading};

const SIGNATURE: &str = "x-ebay-signature";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "ebay",
    needs: &[
        Need::required(
            VERIFICATION_TOKEN,
            "the token that you made up for the endpoint: 32 to 80 letters, digits, `-` and `_`",
        )
        .checked(secrets::check_token),
        Need::optional(CLIENT_ID, "the app's id (App ID), with which the keys of signatures are fetched")
            .checked(secrets::check_text),
        Need::optional(CLIENT_SECRET, "the app's secret (Cert ID), with which the keys of signatures are fetched")
            .checked(secrets::check_text),
        Need::optional(
            PUBLIC_KEY,
            "a key that is not fetched: eBay's answer to getPublicKey, with the key's id beside it as `kid`",
        )
        .checked(secrets::check_public_key),
        Need::optional(
            SAMPLE_KEY,
            "signs samples and demos, verifies nothing: `kid` and, as `key`, a private key's 64 hexadecimal digits",
        )
        .checked(secrets::check_sample_key),
    ],
    topics: topics::TOPICS,
    // eBay tries three times, and does not say over how long.
    window: Duration::from_secs(72 * 3600),
    identity: "`notificationId`, which is signed",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    signs_account: true,
    needed: &[
        "metadata.topic",
        "notification.notificationId",
        "notification.data.userId",
        "notification.data.username",
        "notification.data.eiasToken",
        "notification.data.user.userId",
        "notification.data.user.username",
        "notification.data.seller.userId",
        "notification.data.seller.username",
        "notification.data.itemMarkedShipped.username",
    ],
    own_marks: &["notification.notificationId"],
    sample_account: "sampleseller",
    sample_secrets: &[
        (VERIFICATION_TOKEN, "hush-ebay-verification-token-of-the-samples"),
        (SAMPLE_KEY, webhooks::SAMPLE_PRIVATE_KEY),
        (PUBLIC_KEY, webhooks::SAMPLE_PUBLIC_KEY),
    ],
    normalise_account: reading::trimmed,
    settings: &["region"],
    ..Profile::PLAIN
};

provider!(Ebay: webhooks, api);
