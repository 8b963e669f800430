//! The key of a store's API: Basic where the way is encrypted, else a signature, since the store ignores Basic there.

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::oauth;
use crate::protocols::bearer;
use crate::woocommerce::{CONSUMER_KEY, CONSUMER_SECRET};
use hooktide_model::secret::Secrets;

/// A key and its secret.
pub(super) struct Pair<'a> {
    /// The key.
    pub(super) key: &'a str,
    /// The secret.
    pub(super) secret: &'a str,
}

/// The request with what proves us; `None` without a key.
pub(super) fn authorise(request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
    let live =
        |name| secrets.live(name, now).next()?.secret.expose_text().map(str::trim).filter(|text| !text.is_empty());
    let pair = Pair { key: live(CONSUMER_KEY)?, secret: live(CONSUMER_SECRET)? };
    match request.uri().scheme_str() {
        Some("http") => oauth::sign(request, &pair, now),
        _ => basic(request, &pair),
    }
}

fn basic(request: Request<Bytes>, pair: &Pair<'_>) -> Option<Request<Bytes>> {
    let text = Zeroizing::new(format!("{}:{}", pair.key, pair.secret));
    bearer::with_proof(request, &Zeroizing::new(format!("Basic {}", BASE64.encode(text.as_bytes()))))
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;

    use super::*;

    fn authorised(url: &str, named: &[(&str, &str)]) -> Option<Request<Bytes>> {
        let request = Request::get(url).body(Bytes::new()).unwrap();
        authorise(request, &Secrets::named(named), Timestamp::constant(1_795_875_882, 0))
    }

    #[test]
    fn an_encrypted_request_has_the_key_in_a_header_that_nothing_shows() {
        let pair = [(CONSUMER_KEY, "ck_1"), (CONSUMER_SECRET, " cs_2\n")];
        let request = authorised("https://shop.example/wp-json/wc/v3/products?page=2", &pair).unwrap();
        let header = &request.headers()[AUTHORIZATION];
        assert!(header.is_sensitive());
        assert_eq!(header.to_str().unwrap(), format!("Basic {}", BASE64.encode(b"ck_1:cs_2")));
        assert_eq!(request.uri().query(), Some("page=2"));
    }

    #[test]
    fn a_request_in_the_clear_has_a_signature_and_no_secret() {
        let pair = [(CONSUMER_KEY, "ck_1"), (CONSUMER_SECRET, "cs_2")];
        let request = authorised("http://shop.example/wp-json/wc/v3/products?page=2", &pair).unwrap();
        let said = format!("{request:?}");
        assert!(request.headers().get(AUTHORIZATION).is_none());
        assert!(said.contains("oauth_signature=") && !said.contains("cs_2"), "{said}");
    }

    #[test]
    fn without_a_whole_key_nothing_is_asked() {
        for named in [&[][..], &[(CONSUMER_KEY, "ck_1")], &[(CONSUMER_KEY, " "), (CONSUMER_SECRET, "cs_2")]] {
            assert!(authorised("https://shop.example/", named).is_none(), "{named:?}");
        }
    }
}
