//! `/v1/dead-letters`: what could not be processed, whole; inspected, replayed or discarded.

pub(crate) mod discard;
pub(crate) mod list;
pub(crate) mod replay;
pub(crate) mod show;

use hooktide_model::fault::ErrorClass;
use hooktide_store::records::dead_letter::DeadLetter;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// How many letters a list or a count looks at, at the most.
const SCANNED: usize = 10_000;

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
