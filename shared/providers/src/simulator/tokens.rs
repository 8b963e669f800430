//! Access tokens at a simulated provider, and the addresses under which they are given.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::oauth::Consents;
use super::query::Form;

/// How many access tokens live at the most; the oldest ends without a word.
pub(crate) const MOST: usize = 50;

/// The access tokens that live, each with the time at which it ends. Renewing ends none.
#[derive(Debug)]
pub(crate) struct AccessTokens(Vec<(String, Timestamp)>);

/// The access token that a request shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// None at all.
    Nothing,
    /// One that is unknown, or that ended.
    Ended,
    /// One that lives.
    Living,
}

impl AccessTokens {
    /// One token without an end.
    pub(crate) fn of(first: &str) -> Self {
        Self(vec![(first.to_owned(), Timestamp::MAX)])
    }

    /// The token of a request.
    pub(crate) fn shown_by(&self, request: &Request<Bytes>, now: Timestamp) -> Shown {
        let Some(header) = request.headers().get(AUTHORIZATION) else { return Shown::Nothing };
        let given = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
        match self.0.iter().any(|(token, ends_at)| given == Some(token) && now < *ends_at) {
            true => Shown::Living,
            false => Shown::Ended,
        }
    }

    /// Adds a token.
    pub(crate) fn add(&mut self, token: &str, ends_at: Timestamp) {
        self.0.push((token.to_owned(), ends_at));
        self.0.drain(..self.0.len().saturating_sub(MOST));
    }

    /// Ends all tokens.
    pub(crate) fn end(&mut self) {
        self.0.clear();
    }
}

/// Whoever gives tokens for consents, and for tokens to renew them with.
pub(crate) trait Giver {
    /// The path under which tokens are given.
    const TOKEN_PATH: &'static str;
    /// The path of the page on which an owner lets the app in.
    const CONSENT_PATH: &'static str;

    /// The consents.
    fn consents(&mut self) -> &mut Consents;

    /// Gives an access token for a consent, or for a token to renew it with.
    fn give(&mut self, form: &Form, now: Timestamp) -> Response<Bytes>;

    /// The answer to a request that is about tokens; `None` to any other.
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        match *request.method() {
            Method::POST if path == Self::TOKEN_PATH => Some(self.give(&Form::of(request.body()), now)),
            Method::GET if path == Self::CONSENT_PATH => Some(self.consents().page(request.uri(), now)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_until_it_ends_or_many_came_after_it() {
        let mut tokens = AccessTokens::of("first");
        let now = Timestamp::UNIX_EPOCH;
        tokens.add("brief", now);
        let shown = |tokens: &AccessTokens, header: &str| {
            tokens.shown_by(&Request::get("/").header(AUTHORIZATION, header).body(Bytes::new()).unwrap(), now)
        };
        assert_eq!(tokens.shown_by(&Request::new(Bytes::new()), now), Shown::Nothing);
        for (header, expected) in [
            ("Bearer first", Shown::Living),
            ("Bearer brief", Shown::Ended),
            ("Bearer other", Shown::Ended),
            ("first", Shown::Ended),
        ] {
            assert_eq!(shown(&tokens, header), expected, "{header}");
        }
        (0..MOST).for_each(|number| tokens.add(&number.to_string(), Timestamp::MAX));
        assert_eq!((shown(&tokens, "Bearer first"), shown(&tokens, "Bearer 0")), (Shown::Ended, Shown::Living));
    }
}
