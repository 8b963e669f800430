//! Shopify's Admin API, which is asked in GraphQL.

mod errors;
mod oauth;
mod operations;
mod pages;
mod source;
mod subscriptions;

use bytes::Bytes;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use serde_json::Value;

use super::{ACCESS_TOKEN, Shopify, TOKEN_HEADER, VERSION, normalise_account};
use crate::protocols::graphql::{self, Operation};
use crate::protocols::oauth2::OAuth;
use crate::{Answer, Api, Ask, Base, Refusal};
use hooktide_model::secret::Secrets;

/// How the hosts of shops end.
const SHOPS: &str = ".myshopify.com";

impl Api for Shopify {
    fn base(&self) -> Base {
        Base::OfConnection(|account, _| Some(format!("https://{}/admin/api/{VERSION}", host(account)?)))
    }

    fn authorise(&self, mut request: Request<Bytes>, secrets: &Secrets, now: Timestamp) -> Option<Request<Bytes>> {
        let token = secrets.live(ACCESS_TOKEN, now).next()?;
        let mut value = HeaderValue::from_bytes(token.secret.expose()).ok()?;
        value.set_sensitive(true);
        request.headers_mut().insert(TOKEN_HEADER, value);
        Some(request)
    }

    fn sort(&self, answer: &Answer) -> Result<(), Refusal> {
        errors::sort(answer)
    }

    fn oauth(&self) -> Option<&'static OAuth> {
        Some(&oauth::OAUTH)
    }
}

/// The question that asks for an operation.
fn question(api: &str, operation: &Operation, variables: &Value) -> Ask {
    graphql::question(&format!("{api}/graphql.json"), operation, variables)
}

/// The number at the end of a global id of that type: `gid://shopify/Product/7`.
fn number_of(gid: &str, of: &str) -> Option<u64> {
    let (sort, number) = gid.strip_prefix("gid://shopify/")?.split_once('/')?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| sort == of && digits)
}

/// The host of a shop, if its account is one. All shops have one of Shopify's own: any other would be sent the app's secret.
fn host(account: Option<&str>) -> Option<String> {
    account.map(normalise_account).filter(|shop| shop.strip_suffix(SHOPS).is_some_and(is_label))
}

/// Whether a text is one label of a host's name.
fn is_label(text: &str) -> bool {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits && (1..=63).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::settings::connection::ConnectionSettings;

    #[test]
    fn the_account_is_the_host_of_the_api() {
        let Base::OfConnection(base) = Shopify.base() else { panic!("it is the same for everybody") };
        let of = |account| base(Some(account), &ConnectionSettings::default());
        let expected = "https://tea.myshopify.com/admin/api/2026-10";
        for account in ["tea.myshopify.com", " Tea.MyShopify.com "] {
            assert_eq!(of(account).as_deref(), Some(expected), "{account}");
        }
        let strange = "tea .myshopify.com myshopify.com -a.myshopify.com a.b.myshopify.com a@b.myshopify.com \
                       tea.myshopify.com/ tea.myshopify.com:80 tea.myshopify.com.evil.example evilmyshopify.com \
                       evil.example.com 10.0.0.1";
        for account in strange.split(' ').chain([""]) {
            assert_eq!(of(account), None, "{account}");
        }
        assert_eq!(base(None, &ConnectionSettings::default()), None);
    }

    #[test]
    fn a_global_id_has_a_type_and_a_number() {
        assert_eq!(number_of("gid://shopify/Product/7", "Product"), Some(7));
        for gid in
            ["gid://shopify/Product/", "gid://shopify/Product/+7", "gid://shopify/Page/7", "7", "gid://x/Product/7"]
        {
            assert_eq!(number_of(gid, "Product"), None, "{gid}");
        }
    }
}
