//! The questions for tokens.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{CLIENT_ID, CLIENT_SECRET, OAuth, REFRESH_TOKEN, newest};
use crate::Ask;
use crate::protocols::percent::encoded;
use hooktide_model::secret::{Secret, Secrets};

/// The form of a question for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A form, as the standard has it.
    Form,
    /// A JSON object with the same names.
    Json,
}

/// What a token is asked for by.
#[derive(Debug, Clone, Copy)]
pub enum Grant<'a> {
    /// A refresh token.
    Refresh(&'a Secret),
    /// The app's own name.
    OwnName,
    /// The code that an owner's consent gave.
    Code {
        /// The code.
        code: &'a Secret,
        /// What its challenge was made of (RFC 7636).
        verifier: &'a Secret,
        /// The address that the code came to.
        back: &'a str,
    },
}

/// The question for tokens; `None` if the secrets lack the app's id or secret.
pub(super) fn ask(oauth: &OAuth, url: &str, secrets: &Secrets, grant: &Grant<'_>, now: Timestamp) -> Option<Ask> {
    let text = |name| newest(secrets, name, now)?.expose_text();
    let mut fields = vec![(CLIENT_ID, text(CLIENT_ID)?), (CLIENT_SECRET, text(CLIENT_SECRET)?)];
    match grant {
        Grant::Refresh(token) => {
            fields.extend([("grant_type", "refresh_token"), (REFRESH_TOKEN, token.expose_text()?)]);
        }
        Grant::OwnName => fields.push(("grant_type", "client_credentials")),
        Grant::Code { code, verifier, back } => {
            fields.extend([("grant_type", "authorization_code"), ("code", code.expose_text()?)]);
            fields.extend([("redirect_uri", *back), ("code_verifier", verifier.expose_text()?)]);
            fields.extend(oauth.consent.with_code);
        }
    }
    let (body, media_type) = match oauth.format {
        Format::Form => (form(&fields), "application/x-www-form-urlencoded"),
        Format::Json => (json(&fields), "application/json"),
    };
    let mut request = Request::new(Bytes::copy_from_slice(body.as_bytes()));
    *request.method_mut() = Method::POST;
    // What is not an address is refused by whoever sends it.
    *request.uri_mut() = url.parse().unwrap_or_default();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Some(Ask::Http(request))
}

fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    Zeroizing::new(pairs.join("&"))
}

fn json(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let fields: Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    Zeroizing::new(Value::Object(fields).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Base;
    use crate::protocols::oauth2::ConsentPage;

    fn asked(format: Format, secrets: &Secrets, grant: &Grant<'_>) -> Option<String> {
        let consent =
            ConsentPage { with_code: &[("expiring", "1")], ..ConsentPage::of(Base::Fixed("https://a.example"), &[]) };
        let oauth = OAuth {
            token: Base::Fixed("https://a.example/token"),
            format,
            in_own_name: true,
            covers: |_| true,
            consent,
        };
        let Ask::Http(request) = oauth.ask("https://a.example/token", secrets, grant, Timestamp::UNIX_EPOCH)?;
        assert_eq!((request.method(), request.uri().path()), (&Method::POST, "/token"));
        Some(String::from_utf8(request.body().to_vec()).unwrap())
    }

    #[test]
    fn every_grant_is_asked_for_in_the_form_of_its_provider() {
        let app = Secrets::named(&[(CLIENT_ID, "id"), (CLIENT_SECRET, "a&b"), (CLIENT_SECRET, "older")]);
        let [refresh, code, verifier] = ["r/1", "c", "v"].map(Secret::new);
        let by_code = Grant::Code { code: &code, verifier: &verifier, back: "https://h.example/back" };
        for (format, grant, expected) in [
            (
                Format::Form,
                Grant::Refresh(&refresh),
                "client_id=id&client_secret=a%26b&grant_type=refresh_token&refresh_token=r%2F1",
            ),
            (
                Format::Json,
                Grant::Refresh(&refresh),
                r#"{"client_id":"id","client_secret":"a&b","grant_type":"refresh_token","refresh_token":"r/1"}"#,
            ),
            (Format::Form, Grant::OwnName, "client_id=id&client_secret=a%26b&grant_type=client_credentials"),
            (
                Format::Form,
                by_code,
                "client_id=id&client_secret=a%26b&grant_type=authorization_code&code=c\
                 &redirect_uri=https%3A%2F%2Fh.example%2Fback&code_verifier=v&expiring=1",
            ),
        ] {
            assert_eq!(asked(format, &app, &grant).as_deref(), Some(expected));
        }
    }

    #[test]
    fn nothing_is_asked_without_the_apps_id_and_secret() {
        for incomplete in
            [&[][..], &[(CLIENT_ID, "id")], &[(CLIENT_SECRET, "s")], &[(CLIENT_ID, ""), (CLIENT_SECRET, "s")]]
        {
            assert_eq!(asked(Format::Form, &Secrets::named(incomplete), &Grant::OwnName), None);
        }
    }
}
