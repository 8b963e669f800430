//! Webhook addresses: `/webhooks/{provider}/{id}`.
//!
//! The id ends in a short MAC, so that made-up ids are answered 404 without reading the store. This saves reads; access
//! control is the provider's signature.

use data_encoding::{BASE32_NOPAD, Encoding, Specification};

use crate::entropy::Entropy;
use crate::sealing::RootKeys;
use crate::signing;

/// Characters of the random part: 80 bits.
const RANDOM: usize = 16;
/// Characters of the MAC: 30 bits.
const MAC: usize = 6;

/// A new id for an endpoint or a connection of `provider`.
pub fn new_id(provider: &str, keys: &RootKeys, entropy: &Entropy) -> String {
    with_mac(provider, &entropy.bytes::<10>(), keys)
}

/// The same id for the same `seed`, for requests that carry an idempotency key.
pub fn id_from(provider: &str, seed: &[u8], keys: &RootKeys) -> String {
    let digest = signing::hmac_sha256(keys.address_key().expose(), &[b"id\0", seed]);
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    with_mac(provider, &random, keys)
}

/// Whether `id` is one that [`new_id`] made for `provider`.
pub fn is_ours(provider: &str, id: &str, keys: &RootKeys) -> bool {
    id.len() == RANDOM + MAC
        && id.is_ascii()
        && signing::equal(mac(provider, &id[..RANDOM], keys).as_bytes(), &id.as_bytes()[RANDOM..])
}

/// The path that is registered with the provider.
pub fn webhook_path(provider: &str, id: &str) -> String {
    format!("/webhooks/{provider}/{id}")
}

fn with_mac(provider: &str, random: &[u8; 10], keys: &RootKeys) -> String {
    let random = lower_case().encode(random);
    format!("{random}{}", mac(provider, &random, keys))
}

fn mac(provider: &str, random: &str, keys: &RootKeys) -> String {
    let mac = signing::hmac_sha256(keys.address_key().expose(), &[provider.as_bytes(), b"\0", random.as_bytes()]);
    let mut text = lower_case().encode(&mac[..5]);
    text.truncate(MAC);
    text
}

fn lower_case() -> Encoding {
    let mut specification: Specification = BASE32_NOPAD.specification();
    specification.symbols = specification.symbols.to_lowercase();
    specification.encoding().unwrap_or(BASE32_NOPAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_ids_and_ids_of_another_provider_are_not_ours() {
        let entropy = Entropy::seeded(1);
        let keys = RootKeys::generate(&entropy);
        let id = new_id("shopify", &keys, &entropy);
        assert!(is_ours("shopify", &id, &keys));
        assert!(!is_ours("square", &id, &keys));
        for made_up in ["", "a", &id[1..], &id.to_uppercase(), "aaaaaaaaaaaaaaaaaaaaaa", "ääääääääääääääääääääää"]
        {
            assert!(!is_ours("shopify", made_up, &keys), "{made_up}");
        }
    }

    #[test]
    fn an_idempotency_key_gives_the_same_id_again() {
        let keys = RootKeys::generate(&Entropy::seeded(1));
        assert_eq!(id_from("shopify", b"t/1", &keys), id_from("shopify", b"t/1", &keys));
        assert_ne!(id_from("shopify", b"t/1", &keys), id_from("shopify", b"t/2", &keys));
        assert!(is_ours("shopify", &id_from("shopify", b"t/1", &keys), &keys));
    }
}
