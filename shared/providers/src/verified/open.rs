//! The only makers of a [`Verified`].

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::Verified;
use crate::reading::has_control;
use crate::{Arrival, Proved, Provider, Webhooks};
use hooktide_model::envelope::Delivery;
use hooktide_model::fault::AuthFault;

/// The longest value of a header that is kept, in bytes.
const LONGEST_HEADER: usize = 1024;

/// Checks a request's signature; a request that fits none is not parsed.
pub fn open(webhooks: &dyn Webhooks, arrival: &Arrival<'_>) -> Result<Verified, AuthFault> {
    let Proved { key, unproved } = webhooks.verify(arrival)?;
    let headers = kept(webhooks, arrival.headers());
    Ok(Verified {
        headers,
        body: arrival.body().clone(),
        key_id: Some(key),
        dropped: unproved,
        received_at: arrival.now,
    })
}

/// Takes a request as if its provider had proved to have sent it: for test tools, which others guard.
pub fn trust(provider: &dyn Provider, headers: &HeaderMap, body: Bytes, now: Timestamp) -> Verified {
    Verified { headers: kept(provider, headers), body, key_id: None, dropped: Vec::new(), received_at: now }
}

/// Reads what was verified before it was queued, at the time `received_at`, with its body.
pub fn reopen(delivery: &Delivery, body: Bytes, received_at: Timestamp) -> Verified {
    let (headers, key_id, dropped) = (delivery.headers.clone(), delivery.key_id.clone(), delivery.dropped.clone());
    Verified { headers, body, key_id, dropped, received_at }
}

/// The headers that the provider says it reads.
fn kept(provider: &dyn Provider, headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in provider.profile().headers {
        let value = headers.get(*name).filter(|value| value.len() <= LONGEST_HEADER);
        // Values may go beyond ASCII: a store's address may be written in its own script. One with control characters is left
        // out, because JSON takes up to six bytes for each, and an unsigned header must not inflate the envelope.
        let value = value.and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        if let Some(value) = value.filter(|value| !has_control(value)) {
            kept.insert((*name).to_owned(), value.to_owned());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::by_id;

    #[test]
    fn a_header_is_kept_as_text_without_control_characters() {
        let woocommerce = by_id("woocommerce").unwrap();
        let source = "x-wc-webhook-source";
        let long = [b'x'; LONGEST_HEADER + 1];
        for (value, expected) in [
            (&b"https://shop.example/"[..], Some("https://shop.example/")),
            ("https://läden.example/ü/".as_bytes(), Some("https://läden.example/ü/")),
            (b"", Some("")),
            (&long[1..], std::str::from_utf8(&long[1..]).ok()),
            (&long, None),
            (b"https://l\xe4den.example/", None),
            (b"https://shop.example/\t", None),
            ("https://shop.example/\u{85}".as_bytes(), None),
        ] {
            let headers = HeaderMap::from_iter([(source.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())]);
            let trusted = trust(woocommerce, &headers, Bytes::new(), Timestamp::UNIX_EPOCH);
            assert_eq!(trusted.header(source), expected, "{:.80}", String::from_utf8_lossy(value));
        }
    }
}
