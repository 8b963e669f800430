//! Tokens of subscriptions, which the provider sends back with each delivery.

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use super::encodings::strict_hex;
use super::mac::{equal, hmac_sha256};
use crate::fault::AuthFault;
use crate::secret::{KeyId, LiveSecret, Secrets};

/// The name of the keys that tokens of subscriptions are derived from, among an endpoint's secrets.
pub const SUBSCRIPTION_KEY: &str = "subscription_key";

/// The token of a subscription: which key it is derived from, and a MAC of the subscription's id.
pub fn subscription_token(key: &LiveSecret, subscription: &str) -> String {
    let mac = hmac_sha256(key.secret.expose(), &[subscription.as_bytes()]);
    format!("{}.{}", key.id, HEXLOWER.encode(&mac))
}

/// Finds the key among the live secrets of `name` that the token of a subscription was derived from.
pub fn verify_token(
    secrets: &Secrets,
    name: &str,
    now: Timestamp,
    token: &str,
    subscription: &str,
) -> Result<KeyId, AuthFault> {
    let mut keys = secrets.live(name, now).filter(|live| !live.secret.expose().is_empty()).peekable();
    keys.peek().ok_or(AuthFault::NoSecret)?;
    let (id, mac) = token.split_once('.').ok_or(AuthFault::Malformed)?;
    let mac = strict_hex(mac)?;
    let key = keys.find(|live| live.id.0 == id).ok_or(AuthFault::Mismatch)?;
    let expected = hmac_sha256(key.secret.expose(), &[subscription.as_bytes()]);
    if equal(&expected, &mac) { Ok(key.id.clone()) } else { Err(AuthFault::Mismatch) }
}

/// The token of a subscription whose id the provider chooses, so that it is unknown when the token is given. The token is
/// derived from our own `reference`, which has no dot and which the token carries.
pub fn carried_token(key: &LiveSecret, reference: &str) -> String {
    format!("{reference}.{}", subscription_token(key, reference))
}

/// Finds the key among the live secrets of `name` that a [`carried_token`] was derived from.
pub fn verify_carried_token(secrets: &Secrets, name: &str, now: Timestamp, token: &str) -> Result<KeyId, AuthFault> {
    let (reference, token) = token.split_once('.').unwrap_or_default();
    verify_token(secrets, name, now, token, reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_carried_token_stands_for_its_own_reference_only() {
        let key = LiveSecret {
            name: "client_secret".into(),
            id: KeyId("key".into()),
            secret: Secret::new("key"),
            retires_at: None,
        };
        let keys = Secrets::new(vec![key]);
        let token = carried_token(keys.live("client_secret", NOW).next().unwrap(), "ours");
        let verify = |token: &str| verify_carried_token(&keys, "client_secret", NOW, token);
        assert_eq!(verify(&token), Ok(KeyId("key".into())));
        assert_eq!(verify(&token.replace("ours", "our")), Err(AuthFault::Mismatch));
        for malformed in ["", ".", "ours", "ours.key", &format!("x.{token}"), &token.replace("ours.", "")] {
            assert_eq!(verify(malformed), Err(AuthFault::Malformed), "{malformed}");
        }
        assert_eq!(verify_carried_token(&keys, "another", NOW, ""), Err(AuthFault::NoSecret));
    }
}
