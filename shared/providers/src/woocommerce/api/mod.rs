//! WooCommerce's REST API, as a store serves it under its own address.

mod body;
mod credentials;
mod oauth;
mod source;
mod subscriptions;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use jiff::Timestamp;

use super::WooCommerce;
use crate::protocols::answers;
use crate::{Answer, Api, Ask, Base, Refusal};
use hooktide_model::secret::Secrets;
use hooktide_model::settings::connection::ConnectionSettings;

/// What to do about a store that takes us for a stranger, although it may know the key.
const STRANGER: &str = "where the key is right, the store's host keeps the header Authorization from WordPress: let it pass that on \
                        (for Apache, `CGIPassAuth On` in .htaccess); or a proxy before the store ends TLS without a word: let it \
                        send `X-Forwarded-Proto: https`";
/// What to do about a page that asks for a password in place of the store.
const GATE: &str = "no store answered, but something before it that wants a password of its own, such as that of a test site: let \
                    Hooktide past it";
/// What to do about a key whose user may not.
const ROLE: &str = "make the key for a user who may manage the store";
/// What to do about a site where nothing of a store answers.
const NOWHERE: &str = "nothing of WooCommerce answers below the site's /wp-json: where WordPress has plain permalinks, choose \
                       others (Settings, Permalinks); else see whether the connection's site is right";

impl Api for WooCommerce {
    fn base(&self) -> Base {
        Base::OfConnection(address)
    }

    fn authorise(&self, request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        credentials::authorise(request, secrets, now)
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        match answer.status() {
            // The store says so where a delete needs `force`: our mistake, not a fault of its own.
            StatusCode::NOT_IMPLEMENTED => Err(Refusal::Invalid),
            // The store itself says why. A firewall before it does not, and no new credentials would help.
            StatusCode::FORBIDDEN if body::error_code(answer).is_none() => {
                Err(Refusal::Unavailable { after: answers::after(answer) })
            }
            StatusCode::NOT_FOUND if body::error_code(answer).is_none() => Err(Refusal::Closed(NOWHERE)),
            _ => answers::sort(answer),
        }
    }

    fn advice(&self, answer: &Answer) -> Option<&'static str> {
        let code = body::error_code(answer);
        match (answer.status(), code.as_deref()) {
            (StatusCode::UNAUTHORIZED, None) => Some(GATE),
            (StatusCode::UNAUTHORIZED, Some(code)) if code.starts_with("woocommerce_rest_cannot_") => Some(STRANGER),
            (StatusCode::FORBIDDEN, Some(_)) => Some(ROLE),
            _ => None,
        }
    }
}

/// The address of a store's API: below its site, which may be in a folder.
fn address(account: Option<&str>, settings: &ConnectionSettings) -> Option<String> {
    let site = match (&settings.site, account) {
        (Some(site), _) => site.clone(),
        (None, Some(account)) if !account.is_empty() => format!("https://{account}"),
        (None, _) => return None,
    };
    let site = site.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    Some(format!("{site}/wp-json/wc/v3"))
}

/// A question. A site whose address is none makes one that goes nowhere.
fn question(method: Method, url: &str, body: Option<Bytes>) -> Ask {
    let request = Request::builder().method(method).uri(url).header("accept", "application/json");
    let request = match body.is_some() {
        true => request.header("content-type", "application/json"),
        false => request,
    };
    Ask::Http(request.body(body.unwrap_or_default()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Response;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Answer {
        Response::builder().status(status).header("retry-after", "7").body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn an_answer_is_sorted_by_what_to_do_next() {
        let after = Some(Duration::from_secs(7));
        let no_rights = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry.","data":{"status":403}}"#;
        let force = r#"{"code":"woocommerce_rest_trash_not_supported","message":"No.","data":{"status":501}}"#;
        for (status, body, expected) in [
            (200, "[]", Ok(())),
            (201, "{}", Ok(())),
            (400, r#"{"code":"rest_invalid_param"}"#, Err(Refusal::Invalid)),
            (401, r#"{"code":"woocommerce_rest_cannot_view"}"#, Err(Refusal::Refused)),
            (401, "<h1>Staging</h1>", Err(Refusal::Refused)),
            (403, no_rights, Err(Refusal::Forbidden)),
            (403, "<h1>Blocked</h1>", Err(Refusal::Unavailable { after })),
            (404, r#"{"code":"rest_no_route"}"#, Err(Refusal::Invalid)),
            (404, "<h1>Not Found</h1>", Err(Refusal::Closed(NOWHERE))),
            (429, "", Err(Refusal::Limited { after })),
            (500, "<p>There has been a critical error</p>", Err(Refusal::Unavailable { after })),
            (501, force, Err(Refusal::Invalid)),
            (503, "maintenance", Err(Refusal::Unavailable { after })),
        ] {
            assert_eq!(WooCommerce.sort(&answer(status, body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_refusal_of_the_key_says_what_else_may_be_wrong_and_what_to_do() {
        for (status, body, expected) in [
            (401, r#"{"code":"woocommerce_rest_cannot_view"}"#, Some("CGIPassAuth On")),
            (401, r#"{"code":"woocommerce_rest_cannot_create"}"#, Some("X-Forwarded-Proto: https")),
            (401, r#"{"code":"woocommerce_rest_authentication_error"}"#, None),
            (401, "<h1>Staging</h1>", Some("a password of its own")),
            (403, r#"{"code":"woocommerce_rest_cannot_view"}"#, Some("a user who may manage the store")),
            (500, "<p>There has been a critical error</p>", None),
        ] {
            let advice = WooCommerce.advice(&answer(status, body));
            assert_eq!(advice.is_some(), expected.is_some(), "{status} {body}: {advice:?}");
            assert!(advice.unwrap_or_default().contains(expected.unwrap_or_default()), "{status} {body}: {advice:?}");
        }
        assert!(NOWHERE.contains("permalinks"));
    }

    #[test]
    fn the_api_is_below_the_site() {
        for (site, account, expected) in [
            (None, Some("shop.example"), Some("https://shop.example/wp-json/wc/v3")),
            (None, Some("shop.example/tea"), Some("https://shop.example/tea/wp-json/wc/v3")),
            (Some("http://127.0.0.1:8080/"), Some("shop.example"), Some("http://127.0.0.1:8080/wp-json/wc/v3")),
            (Some("https://shop.example/sub/?lang=en#top"), None, Some("https://shop.example/sub/wp-json/wc/v3")),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let settings = ConnectionSettings { site: site.map(str::to_owned), ..ConnectionSettings::default() };
            assert_eq!(address(account, &settings).as_deref(), expected, "{site:?} {account:?}");
        }
    }
}
