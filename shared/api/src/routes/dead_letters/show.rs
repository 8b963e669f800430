//! `GET /v1/dead-letters/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::Fault;
use hooktide_store::bodies;
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use serde::Serialize;
use utoipa::ToSchema;

use super::DeadLetterView;
use crate::access::{May, Operate};
use crate::answer::{Answer, Refused, ok};

/// A dead letter, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeDeadLetter {
    #[serde(flatten)]
    letter: DeadLetterView,
    /// The headers that are kept.
    #[schema(value_type = Object)]
    headers: std::collections::BTreeMap<String, String>,
    /// The body as it was received; none if it is lost.
    body: Option<String>,
    /// `utf-8`, or `base64` where the body is not text.
    body_encoding: Option<&'static str>,
}

/// One dead letter, with the body as it was received.
#[utoipa::path(get, path = "/v1/dead-letters/{id}", operation_id = "show_dead_letter", responses((status = 200, body = WholeDeadLetter), (status = 404)))]
pub(crate) async fn show(may: May<Operate>, Path(id): Path<String>) -> Answer<Json<WholeDeadLetter>> {
    let key = Shelf::Dead.key(may.tenant(), &id);
    let stored = records::get::<DeadLetter>(may.api.table(), &key).await?;
    let letter = stored.ok_or_else(|| Refused::not_found("dead letter"))?.record;
    let (headers, body) = match Envelope::decode(&letter.message).map(|envelope| envelope.kind) {
        Ok(EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery)) => {
            let body = match bodies::read(&delivery, &*may.api.ports().blobs).await {
                Ok(body) => Some(body.to_vec()),
                Err(Fault::Permanent { .. }) => None,
                Err(fault) => return Err(fault.into()),
            };
            (delivery.headers, body)
        }
        Ok(EnvelopeKind::Handshake(_) | EnvelopeKind::Job(_)) | Err(_) => {
            (Default::default(), Some(letter.message.clone().into_bytes()))
        }
    };
    let (body, body_encoding) = match body.map(String::from_utf8) {
        None => (None, None),
        Some(Ok(text)) => (Some(text), Some("utf-8")),
        Some(Err(binary)) => (Some(data_encoding::BASE64.encode(binary.as_bytes())), Some("base64")),
    };
    let letter = DeadLetterView::of(id, &letter);
    Ok(ok(WholeDeadLetter { letter, headers, body, body_encoding }))
}
