//! `/v1/dead-letters`: what could not be processed, whole; inspected, replayed or discarded.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use hooktide_flows::replay;
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_store::bodies;
use hooktide_store::ports::{Condition, Query, Range, Write, WriteFault};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::replay::{Filter, Replay};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::idempotency::{self, id_for};
use crate::access::{May, Operate, Read};
use crate::answer::{Answer, Body, List, Params, Refused, ok};
use crate::paging::limit_of;
use crate::state::Api;

/// How many letters a list or a count looks at, at the most.
pub(crate) const SCANNED: usize = 10_000;

/// How many letters are in memory at once: they are large.
const PAGE: usize = 50;

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersQuery {
    /// The `next` of an earlier answer.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
    /// Only of this connection.
    connection: Option<String>,
    /// Only of this topic.
    topic: Option<String>,
    /// Only of this class.
    #[param(value_type = Option<String>)]
    class: Option<ErrorClass>,
}

/// A dead letter, without its body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    id: String,
    connection: Option<String>,
    endpoint: Option<String>,
    provider: Option<String>,
    topic: Option<String>,
    /// What it is filed under.
    #[schema(value_type = String)]
    class: ErrorClass,
    /// Why, in words.
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    dead_at: Timestamp,
    /// How many tries had failed.
    tries: u32,
}

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

/// Which dead letters to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReplay {
    /// Which; all of the tenant by default.
    #[serde(default)]
    #[schema(value_type = Object)]
    filter: Filter,
    /// Only count them.
    #[serde(default)]
    dry_run: bool,
    /// How many a second.
    #[serde(default = "ten")]
    rate_per_second: u32,
}

fn ten() -> u32 {
    10
}

/// A replay that began.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Its id; none for a dry run.
    pub(crate) replay: Option<String>,
    /// How many letters match, as far as was counted (10 000 letters).
    pub(crate) matched: u64,
}

impl DeadLetterView {
    fn of(id: String, letter: &DeadLetter) -> Self {
        Self {
            id,
            connection: letter.connection.clone(),
            endpoint: letter.endpoint.clone(),
            provider: letter.provider.clone(),
            topic: letter.topic.clone(),
            class: letter.class,
            reason: letter.reason.clone(),
            received_at: letter.received_at,
            dead_at: letter.dead_at,
            tries: letter.tries,
        }
    }
}

/// The tenant's dead letters, newest first.
#[utoipa::path(get, path = "/v1/dead-letters", operation_id = "list_dead_letters", params(DeadLettersQuery),
    responses((status = 200, body = List<DeadLetterView>)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Params(query): Params<DeadLettersQuery>,
) -> Answer<Json<List<DeadLetterView>>> {
    let limit = limit_of(query.limit)?;
    let filter = Filter { connection: query.connection, topic: query.topic, class: query.class, ..Filter::default() };
    let (partition, _) = Shelf::Dead.place(may.tenant());
    let mut last = query.after;
    let mut items = Vec::new();
    let mut scanned = 0;
    loop {
        let range = match &last {
            None => Range::All,
            // Everything that sorts before it: ids are lower-case letters and digits.
            Some(last) => Range::Between(" ".to_owned(), format!("{last}\u{0}")),
        };
        let room = (limit - items.len()).min(PAGE);
        // The last of the page before comes again, unless it is gone by now.
        let wanted = room + usize::from(last.is_some());
        let page = Query { partition: partition.clone(), range, descending: true, limit: wanted };
        let (letters, more) = records::list::<DeadLetter>(api.table(), &page).await?;
        scanned += letters.len();
        let mut fresh: Vec<_> = letters.into_iter().filter(|(id, _)| Some(id) != last.as_ref()).collect();
        let more = more || fresh.len() > room;
        fresh.truncate(room);
        last = fresh.last().map(|(id, _)| id.clone()).or(last);
        let found_none = fresh.is_empty();
        items.extend(
            fresh
                .iter()
                .filter(|(id, letter)| filter.matches(id, &letter.record))
                .map(|(id, letter)| DeadLetterView::of(id.clone(), &letter.record)),
        );
        if !more || found_none {
            return Ok(ok(List { items, next: None }));
        }
        if items.len() >= limit || scanned >= SCANNED {
            return Ok(ok(List { items, next: last }));
        }
    }
}

/// One dead letter, with the body as it was received.
#[utoipa::path(get, path = "/v1/dead-letters/{id}", operation_id = "show_dead_letter", responses((status = 200, body = WholeDeadLetter), (status = 404)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
) -> Answer<Json<WholeDeadLetter>> {
    let key = Shelf::Dead.key(may.tenant(), &id);
    let stored = records::get::<DeadLetter>(api.table(), &key).await?;
    let letter = stored.ok_or_else(|| Refused::not_found("dead letter"))?.record;
    let (headers, body) = match Envelope::decode(&letter.message).map(|envelope| envelope.kind) {
        Ok(EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery)) => {
            let body = match bodies::read(&delivery, &*api.ports().blobs).await {
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

/// Discards a dead letter for good.
#[utoipa::path(delete, path = "/v1/dead-letters/{id}", operation_id = "discard_dead_letter", responses((status = 204), (status = 404)))]
pub(crate) async fn discard(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let key = Shelf::Dead.key(may.tenant(), &id);
    match api.table().write(Write::Delete { key, condition: Some(Condition::Present) }).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(WriteFault::Condition(_)) => Err(Refused::not_found("dead letter")),
        Err(fault) => Err(records::raced(fault).into()),
    }
}

/// Sends dead letters through processing again, at a rate.
#[utoipa::path(post, path = "/v1/dead-letters/replay", operation_id = "replay_dead_letters", request_body = NewReplay,
    responses((status = 202, body = ReplayView), (status = 422)))]
pub(crate) async fn replay(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    headers: HeaderMap,
    Body(new): Body<NewReplay>,
) -> Answer<(StatusCode, Json<ReplayView>)> {
    if !(1..=replay::FASTEST).contains(&new.rate_per_second) {
        return Err(Refused::invalid("rate_per_second", format!("it is 1 to {}", replay::FASTEST)));
    }
    let matched = replay::count(api.ports(), may.tenant(), &Shelf::Dead, &new.filter, SCANNED).await?;
    if new.dry_run {
        return Ok((StatusCode::ACCEPTED, ok(ReplayView { replay: None, matched })));
    }
    // The same id for the same key: the replay is started once.
    let id = id_for(&api, may.tenant(), "replay", "replay", &headers).await?;
    let started = Replay {
        shelf: Shelf::Dead,
        filter: new.filter,
        rate_per_second: new.rate_per_second,
        started_at: api.now(),
        after: None,
        sent: 0,
        finished_at: None,
    };
    let former = records::get::<Replay>(api.table(), &records::replay::key(may.tenant(), &id)).await?;
    let same = |former: &Replay| (&former.filter, former.rate_per_second) == (&started.filter, started.rate_per_second);
    if former.is_some_and(|former| !same(&former.record)) {
        return Err(idempotency::other_request());
    }
    replay::start(api.ports(), may.tenant(), &id, &started, api.now()).await?;
    Ok((StatusCode::ACCEPTED, ok(ReplayView { replay: Some(id), matched })))
}
