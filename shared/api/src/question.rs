//! Answers that are kept: a reader gets one that is right, or is told to have it.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::connect::Refusal;
use hooktide_flows::read::answers::{Answered, Asked, Dependency};
use hooktide_flows::read::rules::Rule;
use hooktide_model::fault::Fault;
use serde::Serialize;
use tokio::time::Instant;

use crate::access::{May, Needs};
use crate::answer::Answer;
use crate::etag::{self, Known};
use crate::readings::LATER;

/// The question of a request, and what its answer depends on.
pub(crate) struct Question {
    /// The rule of the endpoint.
    pub(crate) rule: &'static Rule,
    /// What is asked, the same text whenever the same is asked.
    pub(crate) text: String,
    /// What the answer is made from.
    pub(crate) dependencies: Vec<Dependency>,
}

impl<S: Needs> May<S> {
    /// Answers a question with what `fill` makes, or with what is kept of it.
    pub(crate) async fn answer<T: Serialize>(
        &self,
        headers: &HeaderMap,
        question: Question,
        fill: impl Future<Output = Result<T, Refusal>>,
    ) -> Answer<Response> {
        let Question { rule, text, dependencies } = question;
        let asked = Asked { rule, reader: self.reader(), question: &text, dependencies: &dependencies };
        let known = Known::of(headers);
        let has = |prefix: &str| known.tags.iter().find(|tag| tag.starts_with(prefix)).cloned();
        let fill = async {
            // What is kept needs no turn: whoever asks for much at once waits for what is made for them, and holds up no other.
            let _turn = self.api.readings().turn(self.tenant()).await.map_err(|_full| busy())?;
            let value = fill.await?;
            serde_json::to_vec(&value).map_err(|error| Fault::failed(format!("an answer: {error}")).into())
        };
        let (answers, began) = (self.api.answers(), Instant::now());
        match answers.answer(&asked, has, fill).await? {
            Answered::Unchanged(etag) => Ok(etag::response(&etag, None)),
            Answered::Body { etag, .. } if known.any => Ok(etag::response(&etag, None)),
            // An answer that was found to be right for this request has no age (RFC 9111, 5.1).
            Answered::Body { body, etag, is_made } => {
                if is_made {
                    answers.took(&asked, began.elapsed());
                }
                Ok(etag::response(&etag, Some(Body::from(body))))
            }
        }
    }
}

/// The fault of more answers to be made than there may be at once.
fn busy() -> Fault {
    let detail = "as many answers are being made as there may be".to_owned();
    Fault::Retryable { detail, after: Some(Duration::from_secs(LATER)) }
}
