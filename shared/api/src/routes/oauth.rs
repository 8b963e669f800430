//! `/oauth/callback/{provider}`: where owners of accounts come back to from their provider's page, by their browser.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use hooktide_flows::connect;
use hooktide_model::secret::Secret;
use serde::Deserialize;

use crate::answer::{Answer, Refused};
use crate::consent_state::{self, ConsentState};
use crate::html;
use crate::state::Api;

/// The policy of the page, which has nothing but text.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The longest code of a provider, in bytes.
const LONGEST_CODE: usize = 4096;

/// What a provider sends along; each has more of its own.
#[derive(Default, Deserialize)]
pub(crate) struct Brought {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
}

/// Takes the answer of a provider's page.
pub(crate) async fn callback(
    State(api): State<Arc<Api>>,
    Path(provider): Path<String>,
    brought: Result<Query<Brought>, QueryRejection>,
    RawQuery(query): RawQuery,
) -> Response {
    let Query(brought) = brought.unwrap_or_default();
    match authorized(&api, &provider, brought, &query.unwrap_or_default()).await {
        Ok(name) => shown(StatusCode::OK, "Authorised", &format!("{name} is authorised. You can close this page.")),
        Err(refused) => shown(refused.status(), "Not authorised", refused.detail()),
    }
}

async fn authorized(api: &Api, provider: &str, brought: Brought, query: &str) -> Answer<String> {
    let Brought { code, state, error } = brought;
    let state = ConsentState::open(api, &state).await?.ok_or_else(consent_state::refusal)?;
    let context = api.context(&state.tenant);
    let connection = connect::connection_of(context, &state.connection).await?.record;
    if connection.provider != provider {
        return Err(consent_state::refusal());
    }
    if !error.is_empty() || code.is_empty() || code.len() > LONGEST_CODE {
        let detail =
            "The provider sent no consent: it was refused there, or something failed. Begin again to try once more.";
        return Err(Refused::new(hooktide_model::names::ProblemType::Conflict, detail));
    }
    Ok(connect::authorize(context, &state.attempt(), (&Secret::new(code), query)).await?.name)
}

fn shown(status: StatusCode, title: &str, text: &str) -> Response {
    let text = html::escaped(text);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><title>{title} - Hooktide</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    html::page(status, POLICY, page)
}
