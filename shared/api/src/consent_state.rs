//! The state of a consent: whose it is and which connection it is for, signed, so that whoever comes back from a provider's
//! page can only bring what was begun here.

use data_encoding::BASE64URL_NOPAD;
use hooktide_flows::connect::{self, Attempt, Context};
use hooktide_model::tenant::Tenant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::May;
use crate::answer::{Answer, Refused};
use crate::signed::{self, Signed};
use crate::state::Api;

/// How long the owner of an account may take, in seconds.
pub(crate) const LASTS: i64 = 15 * 60;

/// The content of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConsentState {
    /// The id of the token that it was made with, and ends with.
    by: String,
    pub(crate) tenant: Tenant,
    pub(crate) connection: String,
    nonce: String,
    /// The id of the root key that its verifier is derived from.
    key: String,
    until: i64,
}

impl Signed for ConsentState {
    const PREFIX: &'static str = "ho_";
    const PURPOSE: &'static str = "consent-state";
}

impl ConsentState {
    /// A new one, of whoever asks.
    pub(crate) async fn new<S: crate::access::Needs>(may: &May<S>, connection: &str) -> Answer<Self> {
        Ok(Self {
            by: may.token.clone(),
            tenant: may.tenant().clone(),
            connection: connection.to_owned(),
            nonce: BASE64URL_NOPAD.encode(&may.api.ports().entropy.bytes::<16>()),
            key: may.api.ports().keys.root().await?.current_id().to_owned(),
            until: may.api.now().as_second() + LASTS,
        })
    }

    /// When it ends.
    pub(crate) fn until(&self) -> Timestamp {
        Timestamp::from_second(self.until).unwrap_or_default()
    }

    /// The attempt that it stands for.
    pub(crate) fn attempt(&self) -> Attempt<'_> {
        Attempt { connection: &self.connection, nonce: &self.nonce, key: &self.key, until: self.until() }
    }

    /// The address of the provider's page.
    pub(crate) async fn url(&self, api: &Api, context: Context<'_>) -> Answer<String> {
        let state = signed::sign(api, self).await?;
        Ok(connect::consent_url(context, &self.attempt(), &state).await?)
    }

    /// The state that somebody brings back, if it is genuine and has not ended.
    pub(crate) async fn open(api: &Api, text: &str) -> Answer<Option<Self>> {
        let Some(state) = signed::open::<Self>(api, text).await? else { return Ok(None) };
        let now = api.now();
        let counts = now < state.until() && api.counts_by_id(&state.by, now).await?;
        Ok(Some(state).filter(|_| counts))
    }
}

/// The refusal of a state that does not count.
pub(crate) fn refusal() -> Refused {
    let detail = "This consent was not begun here, has ended, or was changed on its way; begin again.";
    Refused::new(hooktide_model::names::ProblemType::BadRequest, detail)
}
