//! `/test/webhooks`: tools for experiments. Off unless switched on, except for the operator.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, header};
use bytes::Bytes;
use hooktide_flows::connect::{connection_of, webhooks_of};
use hooktide_flows::receive;
use hooktide_model::envelope::LARGEST_BODY;
use hooktide_model::names::ProblemType;
use hooktide_model::signing;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, Refused, accepted, ok};

/// A request as it was received.
#[derive(Serialize, ToSchema)]
pub(crate) struct Echo {
    method: String,
    /// The headers, except the token.
    headers: BTreeMap<String, String>,
    /// The body, if it is text.
    body: Option<String>,
    /// The length of the body in bytes.
    length: usize,
    sha256: String,
}

/// A delivery that was put on the queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queued {
    trace: String,
}

/// Whether the tools may be used.
pub(crate) fn allowed(may: &May<Operate>) -> Answer<()> {
    if may.principal.operator || may.api.options().test_tools {
        return Ok(());
    }
    Err(Refused::new(ProblemType::NotFound, "The test tools are switched off; see the settings."))
}

/// Returns the request as it was received.
#[utoipa::path(post, path = "/test/webhooks/echo", operation_id = "echo_webhook", request_body = String,
    responses((status = 200, body = Echo), (status = 404)))]
pub(crate) async fn echo(may: May<Operate>, method: Method, headers: HeaderMap, body: Bytes) -> Answer<Json<Echo>> {
    allowed(&may)?;
    let told = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        let secret = [header::AUTHORIZATION, header::COOKIE].contains(name);
        (!secret).then(|| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    };
    Ok(ok(Echo {
        method: method.to_string(),
        headers: headers.iter().filter_map(told).collect(),
        length: body.len(),
        sha256: signing::sha256_hex(&body),
        body: String::from_utf8(body.into()).ok(),
    }))
}

/// Processes a delivery without a signature, as if the connection's provider had sent it.
#[utoipa::path(post, path = "/test/webhooks/{provider}/{connection}", operation_id = "send_unsigned", request_body = String,
    responses((status = 202, body = Queued), (status = 404), (status = 422)))]
pub(crate) async fn unsigned(
    may: May<Operate>,
    Path((provider, connection)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<(StatusCode, Json<Queued>)> {
    allowed(&may)?;
    let provider = webhooks_of(&provider)?;
    let connection = connection_of(may.context(), &connection).await?.record;
    if connection.provider != provider.id() {
        return Err(Refused::invalid("connection", format!("it is one of {}", connection.provider)));
    }
    if !connection.owns_endpoint() && !may.principal.operator {
        let detail = "its deliveries come to a shared endpoint, where a body may name others' accounts";
        return Err(Refused::invalid("connection", detail));
    }
    if body.len() > LARGEST_BODY {
        return Err(Refused::new(ProblemType::TooLarge, "A webhook has at most 1 MiB."));
    }
    let receipt =
        receive::unsigned(may.api.ports(), provider, &connection.endpoint, &headers, body, may.api.now()).await?;
    Ok(accepted(Queued { trace: receipt.trace }))
}
