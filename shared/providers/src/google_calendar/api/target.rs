//! Blocks, written as events whose id is the key of the block. An id stays taken for ever: what is removed is there as
//! cancelled, and comes back by a change.

use http::header::IF_MATCH;
use http::{HeaderValue, Method};
use serde_json::Value;

use super::block::{self, FIELDS, Shown};
use super::{address, calendar_path, errors, event_path, object};
use crate::google_calendar::GoogleCalendar;
use crate::protocols::rest;
use crate::{Answer, Ask, Block, Refusal, Target, WriteStep, WriteTask, Written};

/// The parameter by which nobody gets an e-mail about a block.
const TO_NOBODY: (&str, &str) = ("sendUpdates", "none");
/// The mark of no state at all, in place of one that no header can have.
const NO_STATE: &str = "\"\"";

impl Target for GoogleCalendar {
    fn ask(&self, task: &WriteTask<'_>, step: &WriteStep<'_>) -> Ask {
        let one = |id: &str| event_path(task.calendar, id);
        let written = [TO_NOBODY, ("fields", FIELDS)];
        match step {
            WriteStep::Create(block) => {
                let path = format!("{}/events", calendar_path(task.calendar));
                let body = block::created(block);
                Ask::Http(rest::request(Method::POST, &address(task.api, &path, &written), Some(&body)))
            }
            WriteStep::Change { id, etag, block } => {
                let url = address(task.api, &one(id), &written);
                conditional(Method::PATCH, &url, *etag, Some(&block::changed(block)))
            }
            WriteStep::Remove { id, etag } => {
                conditional(Method::DELETE, &address(task.api, &one(id), &[TO_NOBODY]), *etag, None)
            }
            WriteStep::Look { id, block } => {
                let url = address(task.api, &one(id.unwrap_or(&block.key)), &[("fields", FIELDS)]);
                Ask::Http(rest::request(Method::GET, &url, None))
            }
        }
    }

    fn read(&self, _task: &WriteTask<'_>, step: &WriteStep<'_>, answer: &Answer) -> Result<Written, Refusal> {
        match step {
            WriteStep::Create(_) if errors::is_taken(answer) => Ok(Written::Taken),
            WriteStep::Create(block) => there(answer, &block.key, block),
            WriteStep::Change { .. } | WriteStep::Remove { .. } | WriteStep::Look { .. } if errors::is_gone(answer) => {
                Ok(Written::Gone)
            }
            WriteStep::Change { .. } | WriteStep::Remove { .. } if errors::is_changed(answer) => Ok(Written::Changed),
            WriteStep::Change { id, block, .. } => there(answer, id, block),
            WriteStep::Remove { .. } => errors::sort(answer).map(|()| Written::Gone),
            WriteStep::Look { id: Some(_), .. } if shown(answer)?.is_cancelled() => Ok(Written::Gone),
            // One that was removed, and is asked for by its key alone, keeps its name taken until a change brings it back.
            WriteStep::Look { id, block } => there(answer, id.unwrap_or(&block.key), block),
        }
    }
}

/// The block that an answer shows.
fn there(answer: &Answer, id: &str, block: &Block) -> Result<Written, Refusal> {
    shown(answer)?.there(id, block).map(Written::There)
}

/// The event that an answer shows.
fn shown(answer: &Answer) -> Result<Shown, Refusal> {
    errors::sort(answer)?;
    object(answer)
}

/// The question for a write that is done to one state of the event only, where that is named.
fn conditional(method: Method, url: &str, etag: Option<&str>, body: Option<&Value>) -> Ask {
    let mut request = rest::request(method, url, body);
    if let Some(etag) = etag {
        let etag = HeaderValue::from_str(etag).unwrap_or_else(|_| HeaderValue::from_static(NO_STATE));
        request.headers_mut().insert(IF_MATCH, etag);
    }
    Ask::Http(request)
}
