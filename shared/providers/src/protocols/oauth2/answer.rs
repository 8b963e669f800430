//! The answers to questions for tokens.

use std::time::Duration;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::json::nests_little;
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::answers;
use crate::protocols::query::is_plain;
use crate::{Answer, Refusal};
use hooktide_model::secret::Secret;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 4096;
/// The longest code of an error that is repeated, in bytes.
const LONGEST_CODE: usize = 64;
/// The longest life of an access token that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 24 * 3600);

/// The tokens that a provider gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The token that the API is called with.
    pub access: Secret,
    /// When it ends, if the provider says so.
    pub expires_at: Option<Timestamp>,
    /// The token to get others with, if the answer has one.
    pub refresh: Option<Secret>,
    /// The account that they are for, if the answer says it.
    pub account: Option<String>,
    /// What was granted, if the answer says it.
    pub scopes: Option<Vec<String>>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRefusal {
    /// What was asked with does not count any more: the owner has to let us in again. The text is the provider's code.
    Ended(String),
    /// The provider does not know the app, or its secret. The text is the provider's code.
    UnknownApp(String),
    /// The provider gives no tokens for now.
    Passing(Refusal),
}

fields! {
    struct TokenBody {
        access_token: Lenient<String>,
        refresh_token: Lenient<String>,
        expires_in: Lenient<u64>,
        expires_at: Lenient<Timestamp>,
        account: Lenient<String> = "merchant_id",
        scope: Lenient<String>,
        error: Lenient<String>,
        errors: Lenient<Vec<Lenient<Object<OneError>>>>,
    }
}

fields! {
    struct OneError {
        category: Lenient<String>,
        code: Lenient<String>,
    }
}

/// Reads the answer to a question for tokens.
pub(super) fn read(answer: &Answer, now: Timestamp) -> Result<Tokens, TokenRefusal> {
    let passing = |refusal| Err(TokenRefusal::Passing(refusal));
    if let Err(refusal @ (Refusal::Limited { .. } | Refusal::Unavailable { .. })) = answers::sort(answer) {
        return passing(refusal);
    }
    let unreadable = Refusal::Unreadable("the answer to a question for a token has not the form of one");
    let text = answer.body();
    let is_read = text.len() <= LONGEST_ANSWER && nests_little(text).is_ok();
    let body = if is_read { serde_json::from_slice::<Object<TokenBody>>(text).ok() } else { None };
    // Whoever answers with a page is no provider: a proxy, a firewall, or an address that is wrong.
    let Some(Object(body)) = body else { return passing(unreadable) };
    if !answer.status().is_success() {
        return Err(refusal(body, answer));
    }
    let expires_at = expiry(&body, now);
    let token = |text: Option<String>| text.map(Zeroizing::new).filter(|text| fits(text));
    match token(body.access_token.read()) {
        Some(access) => Ok(Tokens {
            access: Secret::new(access.as_bytes()),
            expires_at,
            refresh: token(body.refresh_token.read()).map(|token| Secret::new(token.as_bytes())),
            account: body.account.read(),
            scopes: body.scope.read().map(|scope| scopes(&scope)),
        }),
        None => passing(unreadable),
    }
}

/// The scopes of a text: some providers separate them by spaces, as the standard has it, and some by commas.
fn scopes(text: &str) -> Vec<String> {
    text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// When an access token ends: as the provider says, unless that cannot be.
fn expiry(body: &TokenBody, now: Timestamp) -> Option<Timestamp> {
    let after = body.expires_in.as_ref().map(|seconds| now.saturating_add(Duration::from_secs(*seconds)).ok());
    let at = after.flatten().or_else(|| body.expires_at.as_ref().copied());
    at.filter(|at| *at > now).map(|at| at.min(now + LONGEST_LIFE))
}

/// Whether a text can be a token: a header can have it.
fn fits(token: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What a refusal in JSON means. A code that nobody knows is taken for the end of what was asked with: to ask the same
/// again would not help.
fn refusal(body: TokenBody, answer: &Answer) -> TokenRefusal {
    let first = body.errors.read().into_iter().flatten().find_map(Lenient::read).map(|Object(error)| error);
    let category = first.as_ref().and_then(|error| error.category.as_ref().cloned()).unwrap_or_default();
    let code = body.error.read().or_else(|| first.and_then(|error| error.code.read()));
    let code = code.filter(|code| is_plain(code, LONGEST_CODE)).unwrap_or_else(|| answer.status().as_u16().to_string());
    let after = answers::after(answer);
    match code.as_str() {
        "invalid_client" | "unauthorized_client" | "CLIENT_DISABLED" | "APPLICATION_DISABLED" => {
            TokenRefusal::UnknownApp(code)
        }
        "temporarily_unavailable" | "server_error" => TokenRefusal::Passing(Refusal::Unavailable { after }),
        "slow_down" | "RATE_LIMITED" => TokenRefusal::Passing(Refusal::Limited { after }),
        _ if category == "API_ERROR" => TokenRefusal::Passing(Refusal::Unavailable { after }),
        _ => TokenRefusal::Ended(code),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use http::header::RETRY_AFTER;

    use super::*;

    const NOW: &str = "2026-11-29T12:00:00Z";

    fn answered(status: u16, body: &str) -> Result<Tokens, TokenRefusal> {
        let answer = Response::builder().status(status).header(RETRY_AFTER, "7");
        read(&answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap(), NOW.parse().unwrap())
    }

    #[test]
    fn tokens_are_read_with_the_time_at_which_the_access_token_ends() {
        for (body, refresh, ends) in [
            (r#"{"access_token":"a","expires_in":3599,"token_type":"Bearer"}"#, None, Some("2026-11-29T12:59:59Z")),
            (r#"{"access_token":"a","expires_in":"60","refresh_token":"r"}"#, Some("r"), Some("2026-11-29T12:01:00Z")),
            (
                r#"{"access_token":"a","expires_at":"2026-12-29T12:00:00Z","refresh_token":"r"}"#,
                Some("r"),
                Some("2026-12-29T12:00:00Z"),
            ),
            (r#"{"access_token":"a","expires_in":99999999999}"#, None, Some("2028-01-03T12:00:00Z")),
            (r#"{"access_token":"a","expires_in":18446744073709551615}"#, None, Some("2028-01-03T12:00:00Z")),
            (r#"{"access_token":"a","expires_at":"2026-11-29T10:00:00Z"}"#, None, None),
            (r#"{"access_token":"a","expires_in":0,"refresh_token":"not one"}"#, None, None),
            (r#"{"access_token":"a","expires_in":-1,"refresh_token":null}"#, None, None),
        ] {
            let tokens = answered(200, body).unwrap();
            assert_eq!(tokens.access, Secret::new("a"));
            let expected = (refresh.map(Secret::new), ends.map(|at| at.parse().unwrap()));
            assert_eq!((tokens.refresh, tokens.expires_at), expected, "{body}");
        }
        let of = answered(200, r#"{"access_token":"a","merchant_id":"M1"}"#).unwrap();
        assert_eq!((of.account.as_deref(), of.scopes), (Some("M1"), None));
        for (scope, expected) in [
            (r#""read list""#, Some(vec!["read", "list"])),
            (r#""a,b, c""#, Some(vec!["a", "b", "c"])),
            (r#""""#, Some(vec![])),
            ("null", None),
        ] {
            let tokens = answered(200, &format!(r#"{{"access_token":"a","scope":{scope}}}"#)).unwrap();
            assert_eq!(
                tokens.scopes,
                expected.map(|scopes| scopes.into_iter().map(str::to_owned).collect()),
                "{scope}"
            );
        }
    }

    #[test]
    fn a_refusal_is_final_only_where_the_provider_itself_says_so() {
        let ended = |code: &str| TokenRefusal::Ended(code.to_owned());
        let unknown = |code: &str| TokenRefusal::UnknownApp(code.to_owned());
        let after = Some(Duration::from_secs(7));
        let limited = TokenRefusal::Passing(Refusal::Limited { after });
        let unavailable = TokenRefusal::Passing(Refusal::Unavailable { after });
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_grant","error_description":"Token has been revoked."}"#, ended("invalid_grant")),
            (400, r#"{"error":"invalid_request"}"#, ended("invalid_request")),
            (401, r#"{"errors":[{"category":"AUTHENTICATION_ERROR","code":"UNAUTHORIZED"}]}"#, ended("UNAUTHORIZED")),
            (401, r#"{"error":"invalid_client"}"#, unknown("invalid_client")),
            (403, r#"{"error":"a secret, perhaps: <b>"}"#, ended("403")),
            (404, r#"{"errors":"Not Found"}"#, ended("404")),
            (429, "", limited.clone()),
            (400, r#"{"error":"slow_down"}"#, limited),
            (400, r#"{"error":"temporarily_unavailable"}"#, unavailable.clone()),
            (400, r#"{"errors":[{"category":"API_ERROR","code":"INTERNAL_SERVER_ERROR"}]}"#, unavailable.clone()),
            (500, r#"{"error":"invalid_grant"}"#, unavailable),
        ] {
            assert_eq!(answered(status, body), Err(expected), "{status} {body}");
        }
        let deep = format!(r#"{{"access_token":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let long = format!(r#"{{"access_token":"{}"}}"#, "a".repeat(LONGEST_TOKEN + 1));
        for (status, body) in [
            (200, "<html>"),
            (200, "{}"),
            (200, r#"{"access_token":"a\nb"}"#),
            (200, r#"{"access_token":""}"#),
            (200, deep.as_str()),
            (200, long.as_str()),
            (400, "<h1>Blocked</h1>"),
            (302, ""),
        ] {
            let refusal = answered(status, body);
            assert!(matches!(refusal, Err(TokenRefusal::Passing(Refusal::Unreadable(_)))), "{status} {body:.80}");
        }
    }
}
