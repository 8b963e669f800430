//! OAuth 2.0 (RFC 6749): how tokens are asked for, and what the answers mean. What providers do differently is data.

mod answer;
mod consent;
mod question;
mod scopes;

use jiff::Timestamp;

pub use self::answer::{TokenRefusal, Tokens};
pub use self::consent::ConsentPage;
pub(crate) use self::consent::{SIGNATURE, signed_text};
pub use self::question::{Format, Grant};
use crate::{Answer, Ask, Base};
use hooktide_model::secret::{Secret, Secrets};

/// The secret that the API is called with.
pub const ACCESS_TOKEN: &str = "access_token";
/// The secret that new access tokens are got with.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The app's id at the provider.
pub const CLIENT_ID: &str = "client_id";
/// The app's secret at the provider.
pub const CLIENT_SECRET: &str = "client_secret";

/// How access tokens of a provider are got, as data.
#[derive(Clone, Copy)]
pub struct OAuth {
    /// The address that tokens are asked for at.
    pub token: Base,
    /// The form of the questions.
    pub format: Format,
    /// Whether an app gets tokens in its own name, without anybody's refresh token.
    pub in_own_name: bool,
    /// Whether the account's token is what proves a request to this path.
    pub covers: fn(&str) -> bool,
    /// The page on which the owner of an account lets the app in.
    pub consent: ConsentPage,
}

impl OAuth {
    /// Tokens as the standard has them: asked for by a form, with what an owner consented to, and the proof of every request.
    pub(crate) const fn of(token: Base, consent: ConsentPage) -> Self {
        Self { token, format: Format::Form, in_own_name: false, covers: |_| true, consent }
    }

    /// The question for tokens; `None` if the secrets lack the app's id or secret.
    pub fn ask(&self, url: &str, secrets: &Secrets, grant: &Grant<'_>, now: Timestamp) -> Option<Ask> {
        question::ask(self, url, secrets, grant, now)
    }

    /// Reads the answer to that question.
    pub fn read(&self, answer: &Answer, now: Timestamp) -> Result<Tokens, TokenRefusal> {
        answer::read(answer, now)
    }

    /// The scopes that the owner did not grant with these tokens; none where the provider does not say what was granted.
    pub fn not_granted(&self, tokens: &Tokens) -> Vec<&'static str> {
        tokens.scopes.as_deref().map(|granted| scopes::missing(&self.consent, granted)).unwrap_or_default()
    }

    /// The scopes that an answer names as lacking, of those that are asked for.
    pub fn lacking(&self, answer: &Answer) -> Vec<&'static str> {
        scopes::named(&self.consent, answer)
    }

    /// The address of the page on which the owner of an account lets the app in, and from which they come back to `back`
    /// with this state; `None` if the secrets lack the app's id.
    pub fn consent_url(
        &self,
        page: &str,
        secrets: &Secrets,
        (back, state): (&str, &str),
        challenge: &str,
        now: Timestamp,
    ) -> Option<String> {
        let client = newest(secrets, CLIENT_ID, now)?;
        Some(self.consent.url(page, client.expose_text()?, (back, state), challenge))
    }

    /// Whether a query that an owner brings back comes from the provider, as far as it signs one.
    pub fn proves(&self, query: &str, secrets: &Secrets, now: Timestamp) -> bool {
        self.consent.proves(query, secrets, now)
    }
}

/// The newest live secret of that name.
fn newest<'a>(secrets: &'a Secrets, name: &'a str, now: Timestamp) -> Option<&'a Secret> {
    secrets.live(name, now).map(|live| &live.secret).find(|secret| !secret.expose().is_empty())
}
