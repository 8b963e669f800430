//! OAuth 1.0a without a token, as a store wants it where the way is not encrypted: the parameters are in the query, and the
//! key's secret signs method, address and query.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http::{Request, Uri};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::credentials::Pair;
use crate::protocols::percent::encoded;
use crate::protocols::query::decoded;
use hooktide_model::signing;

/// The request with the parameters of OAuth, and their signature, in its query. A store takes each nonce once.
pub(super) fn sign(mut request: Request<Bytes>, pair: &Pair<'_>, now: Timestamp) -> Option<Request<Bytes>> {
    let uri = request.uri().clone();
    let method = request.method().as_str();
    let time = now.as_nanosecond().to_string();
    let address = uri.to_string();
    let unique = [time.as_bytes(), pair.key.as_bytes(), method.as_bytes(), address.as_bytes(), request.body()];
    let mut parameters: Vec<(String, String)> = vec![
        ("oauth_consumer_key".to_owned(), pair.key.to_owned()),
        ("oauth_nonce".to_owned(), HEXLOWER.encode(&signing::sha256(&unique)[..16])),
        ("oauth_signature_method".to_owned(), "HMAC-SHA256".to_owned()),
        ("oauth_timestamp".to_owned(), now.as_second().to_string()),
    ];
    let added: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    for given in uri.query().unwrap_or_default().split('&').filter(|given| !given.is_empty()) {
        let (name, value) = given.split_once('=').unwrap_or((given, ""));
        parameters.push((decoded(name)?, decoded(value)?));
    }
    let signature = signature(&base_string(method, &uri, parameters)?, pair.secret);
    let query = uri.query().map(str::to_owned).into_iter().chain(added);
    let query = query.chain([format!("oauth_signature={}", encoded(&signature))]).collect::<Vec<_>>().join("&");
    let mut parts = uri.into_parts();
    let path = parts.path_and_query.as_ref().map_or("/", |path| path.path());
    parts.path_and_query = Some(format!("{path}?{query}").parse().ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(request)
}

/// The text that is signed.
fn base_string(method: &str, uri: &Uri, mut parameters: Vec<(String, String)>) -> Option<String> {
    let authority = uri.authority()?.as_str().to_ascii_lowercase();
    let authority = authority.strip_suffix(":80").unwrap_or(&authority);
    let address = format!("http://{authority}{}", uri.path());
    parameters.sort();
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let pairs = pairs.collect::<Vec<_>>().join("&");
    Some(format!("{method}&{}&{}", encoded(&address), encoded(&pairs)))
}

fn signature(text: &str, secret: &str) -> String {
    let key = Zeroizing::new(format!("{secret}&"));
    BASE64.encode(&signing::hmac_sha256(key.as_bytes(), &[text.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_to_sign_has_method_address_and_sorted_parameters() {
        let uri = Uri::from_static("http://Shop.Example:80/tea/wp-json/wc/v3/products?b=2&a=x%20y");
        let given = [("b", "2"), ("a", "x y"), ("oauth_nonce", "n"), ("a,b", "1:2")];
        let parameters = given.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(
            base_string("GET", &uri, parameters).unwrap(),
            "GET&http%3A%2F%2Fshop.example%2Ftea%2Fwp-json%2Fwc%2Fv3%2Fproducts\
             &a%3Dx%2520y%26a%252Cb%3D1%253A2%26b%3D2%26oauth_nonce%3Dn"
        );
    }

    #[test]
    fn the_query_keeps_what_was_asked_and_gets_a_new_nonce_each_time() {
        let pair = Pair { key: "ck_1", secret: "cs_2" };
        let signed = |second| {
            let request = Request::get("http://127.0.0.1:8080/wp-json/wc/v3/products?page=2").body(Bytes::new());
            sign(request.unwrap(), &pair, Timestamp::constant(second, 0)).unwrap().uri().to_string()
        };
        let (one, other) = (signed(1_795_875_882), signed(1_795_875_883));
        assert!(one.starts_with("http://127.0.0.1:8080/wp-json/wc/v3/products?page=2&oauth_consumer_key=ck_1&"));
        let nonce = |url: &str| url.split('&').find(|part| part.starts_with("oauth_nonce=")).map(str::to_owned);
        assert_ne!(nonce(&one), nonce(&other));
        assert_eq!(one, signed(1_795_875_882));
    }
}
