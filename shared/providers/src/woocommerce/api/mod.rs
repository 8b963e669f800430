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
            _ => answers::sort(answer),
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
            (403, no_rights, Err(Refusal::Refused)),
            (403, "<h1>Blocked</h1>", Err(Refusal::Unavailable { after })),
            (404, r#"{"code":"rest_no_route"}"#, Err(Refusal::Invalid)),
            (429, "", Err(Refusal::Limited { after })),
            (500, "<p>There has been a critical error</p>", Err(Refusal::Unavailable { after })),
            (501, force, Err(Refusal::Invalid)),
            (503, "maintenance", Err(Refusal::Unavailable { after })),
        ] {
            assert_eq!(WooCommerce.sort(&answer(status, body)), expected, "{status} {body}");
        }
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
