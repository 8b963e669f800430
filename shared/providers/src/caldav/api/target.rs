//! Blocks in a calendar: a resource each, whose name is the block's key, so that it is created once.
//!
//! An answer to a write may lack the resource's etag, or have a weak one, which no condition can use. Then the block has to be
//! looked at: [`Written::Taken`] and [`Written::Changed`] say so.

use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderName, StatusCode};
use jiff::Timestamp;
use jiff::civil::Date;

use super::path::{address_of, member};
use super::request::Question;
use super::user;
use crate::caldav::Caldav;
use crate::protocols::address::Address;
use crate::protocols::icalendar::{self, Context};
use crate::{Answer, Api, Ask, Block, Moment, Refusal, Target, There, WriteStep, WriteTask, Written};
use hooktide_model::calendar::CalendarEvent;

/// The end of the name of a block's resource.
const ENDING: &str = ".ics";
/// The condition by which servers refuse a second event of one `UID`.
const ONE_UID: &str = "no-uid-conflict";
/// What to do about a block that is somewhere else.
const ELSEWHERE: &str = "the account has this block already under another name, or in another calendar, and the server takes it only \
                         once: remove it there";

impl Target for Caldav {
    fn ask(&self, task: &WriteTask<'_>, step: &WriteStep<'_>) -> Ask {
        let url = url_of(task, &id_of(step)).unwrap_or_default();
        let question = Question { user: user(task.account, task.settings), url: &url };
        let unchanged = |etag: Option<&'_ str>| etag.map(|etag| (IF_MATCH, etag.to_owned()));
        match step {
            WriteStep::Create(block) => question.put(Some((IF_NONE_MATCH, "*")), icalendar::block(block, task.now)),
            WriteStep::Change { etag, block, .. } => {
                let condition = unchanged(*etag);
                question.put(borrowed(condition.as_ref()), icalendar::block(block, task.now))
            }
            WriteStep::Remove { etag, .. } => question.delete(borrowed(unchanged(*etag).as_ref())),
            WriteStep::Look { .. } => question.get(),
        }
    }

    fn read(&self, task: &WriteTask<'_>, step: &WriteStep<'_>, answer: &Answer) -> Result<Written, Refusal> {
        let is_gone = matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE);
        let has_moved = answer.status() == StatusCode::PRECONDITION_FAILED;
        match step {
            WriteStep::Create(_) if has_moved => return Ok(Written::Taken),
            WriteStep::Create(_) if says(answer, ONE_UID) => return Err(Refusal::Closed(ELSEWHERE)),
            WriteStep::Create(_) => {}
            WriteStep::Change { .. } | WriteStep::Remove { .. } if has_moved => return Ok(Written::Changed),
            WriteStep::Change { .. } | WriteStep::Remove { .. } | WriteStep::Look { .. } if is_gone => {
                return Ok(Written::Gone);
            }
            WriteStep::Change { .. } | WriteStep::Remove { .. } | WriteStep::Look { .. } => {}
        }
        self.sort(answer)?;
        let there = |is_as_wanted| There { id: id_of(step), etag: strong(answer), uid: None, is_as_wanted };
        Ok(match step {
            WriteStep::Create(_) if strong(answer).is_none() => Written::Taken,
            WriteStep::Change { .. } if strong(answer).is_none() => Written::Changed,
            WriteStep::Create(_) | WriteStep::Change { .. } => Written::There(there(true)),
            WriteStep::Remove { .. } => Written::Gone,
            WriteStep::Look { block, .. } => Written::There(there(is_as_wanted(task, block, answer))),
        })
    }
}

fn borrowed(condition: Option<&(HeaderName, String)>) -> Option<(HeaderName, &str)> {
    condition.map(|(name, value)| (name.clone(), value.as_str()))
}

/// The name of the resource that a step is about.
fn id_of(step: &WriteStep<'_>) -> String {
    match step {
        WriteStep::Change { id, .. } | WriteStep::Remove { id, .. } | WriteStep::Look { id: Some(id), .. } => {
            (*id).to_owned()
        }
        WriteStep::Create(block) | WriteStep::Look { id: None, block } => format!("{}{ENDING}", block.key),
    }
}

/// The address of a resource; `None` where the calendar is nowhere that the connection may follow.
fn url_of(task: &WriteTask<'_>, name: &str) -> Option<String> {
    let at = address_of(&Address::parse(task.api)?, task.calendar)?;
    Some(format!("{}{}", at.origin, member(at.path(), name)))
}

/// Whether a refusal names this condition.
fn says(answer: &Answer, condition: &str) -> bool {
    let is_refusal = matches!(answer.status(), StatusCode::FORBIDDEN | StatusCode::CONFLICT);
    is_refusal && String::from_utf8_lossy(answer.body()).contains(condition)
}

/// The state that a resource is in, if a condition can name it.
fn strong(answer: &Answer) -> Option<String> {
    let etag = answer.headers().get(ETAG)?.to_str().ok()?;
    let is_strong = etag.len() >= 2 && etag.starts_with('"') && etag.ends_with('"');
    is_strong.then(|| etag.to_owned())
}

/// Whether the text of a resource is the block: the same time, and taken.
fn is_as_wanted(task: &WriteTask<'_>, block: &Block, answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(answer.body());
    let context =
        Context { calendar: task.calendar, zone: None, own_addresses: &[], share_titles: false, now: task.now };
    let Ok(entries) = icalendar::read(&text, &context) else { return false };
    let [entry] = &entries[..] else { return false };
    entry.uid == block.key && entry.event.as_ref().is_ok_and(|event| is_like(event, block))
}

fn is_like(event: &CalendarEvent, block: &Block) -> bool {
    let is_at = |text: Option<&str>, moment: Moment| match moment {
        Moment::At(time) => text.and_then(|text| text.parse::<Timestamp>().ok()) == Some(time),
        Moment::Day(day) => text.and_then(|text| text.parse::<Date>().ok()) == Some(day),
    };
    let is_single = event.recurrence.is_empty() && event.occurrences.is_empty();
    is_single
        && event.busy
        && event.all_day == matches!(block.start, Moment::Day(_))
        && is_at(event.start.as_deref(), block.start)
        && is_at(event.end.as_deref(), block.end)
}
