//! Channels: Google's word for subscriptions. Each is for one calendar, or for the list of calendars, and ends by itself.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::{LIST, calendar_path, errors, get, post};
use crate::google_calendar::channel::{LIFE, Opened, latest};
use crate::google_calendar::{CALENDAR, CALENDARS, GoogleCalendar};
use crate::lenient::{Lenient, Object, fields};
use crate::{
    Answer, Ask, Covering, Plan, Refusal, Registered, Subscribed, SubscriptionResult, SubscriptionStep,
    SubscriptionTask, Subscriptions,
};

/// The topic of the list of calendars.
const OF_LIST: &str = "calendarList";
/// The parameters by which a list says that it is there, and no more.
const LEAST: [(&str, &str); 2] = [("maxResults", "1"), ("fields", "kind")];
/// The reason of a refusal to send anything about a calendar: those of holidays, birthdays and rooms.
const NEVER_SENT: &str = "pushNotSupportedForRequestedResource";

/// What is watched: the list of calendars, and each calendar. A channel cannot be prolonged; another takes its place.
const PLAN: Plan = Plan {
    topics: &[Covering { resource: CALENDARS, topic: OF_LIST }, Covering { resource: CALENDAR, topic: "events" }],
    life: Some(LIFE),
    renews: false,
    app_wide: false,
    lists: false,
};

fields! {
    struct Channel {
        id: Lenient<String> = "id",
        resource: Lenient<String> = "resourceId",
        expiration: Lenient<i64> = "expiration",
    }
}

impl Subscriptions for GoogleCalendar {
    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask {
        match step {
            SubscriptionStep::Register => register(task),
            SubscriptionStep::End { id } => {
                let opened = Opened::of(id);
                post(task.api, "channels/stop", &json!({ "id": opened.channel, "resourceId": opened.resource }))
            }
            // Google shows nobody a channel. What can be looked at is what it watches.
            SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } | SubscriptionStep::List { .. } => {
                match task.part.filter(|_| task.topic != OF_LIST) {
                    Some(calendar) => get(task.api, &format!("{}/events", calendar_path(calendar)), &LEAST),
                    None => get(task.api, LIST, &LEAST),
                }
            }
        }
    }

    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult {
        match step {
            SubscriptionStep::Register => registered(task, answer),
            SubscriptionStep::End { .. } if errors::is_gone(answer) => Ok(Subscribed::Gone),
            SubscriptionStep::End { .. } => errors::sort(answer).map(|()| Subscribed::Gone),
            SubscriptionStep::List { .. } => errors::sort(answer).map(|()| Subscribed::Listed(Vec::new(), None)),
            SubscriptionStep::Renew { id } | SubscriptionStep::Probe { id } => probed(task, id, answer),
        }
    }

    fn is_whole(&self, id: &str) -> bool {
        !Opened::of(id).resource.is_empty()
    }
}

/// The question for a channel. Its id is our reference, which its token proves.
fn register(task: &SubscriptionTask<'_>) -> Ask {
    let path = match task.part.filter(|_| task.topic != OF_LIST) {
        Some(calendar) => format!("{}/events/watch", calendar_path(calendar)),
        None => format!("{LIST}/watch"),
    };
    let expiration = latest(task.now).as_millisecond().to_string();
    let mut body = json!({ "id": task.reference, "type": "web_hook", "address": task.url, "expiration": expiration });
    if let Some(token) = task.token {
        body["token"] = token.into();
    }
    post(task.api, &path, &body)
}

fn registered(task: &SubscriptionTask<'_>, answer: &Answer) -> SubscriptionResult {
    if answer.status() == StatusCode::BAD_REQUEST && errors::says(answer, NEVER_SENT) {
        return Ok(Subscribed::Unsupported);
    }
    // The answer to the first try was lost: the channel is open. Its next message says what it watches.
    if answer.status() == StatusCode::BAD_REQUEST && errors::says(answer, "channelIdNotUnique") {
        return Ok(active(&open(task, String::new(), latest(task.now))));
    }
    errors::sort(answer)?;
    let unreadable = Refusal::Unreadable("the answer is no channel of Google's");
    let Object(channel) = serde_json::from_slice::<Object<Channel>>(answer.body()).map_err(|_| unreadable)?;
    if channel.id.read().as_deref() != Some(task.reference) {
        return Err(unreadable);
    }
    let resource = channel.resource.read().filter(|resource| !resource.is_empty());
    let ends_at = channel.expiration.read().and_then(|at| Timestamp::from_millisecond(at).ok());
    let (resource, ends_at) = (resource.ok_or(unreadable)?, ends_at.unwrap_or_else(|| latest(task.now)));
    Ok(active(&open(task, resource, ends_at)))
}

fn open(task: &SubscriptionTask<'_>, resource: String, ends_at: Timestamp) -> Opened {
    Opened { channel: task.reference.to_owned(), resource, ends_at }
}

fn active(opened: &Opened) -> Subscribed {
    Subscribed::Active(Registered { id: opened.to_string(), expires_at: Some(opened.ends_at), secret: None })
}

/// A channel is there until its time is up, if what it watches is.
fn probed(task: &SubscriptionTask<'_>, id: &str, answer: &Answer) -> SubscriptionResult {
    let opened = Opened::of(id);
    if opened.ends_at <= task.now {
        return Ok(Subscribed::Gone);
    }
    if errors::is_gone(answer) {
        return Ok(Subscribed::Disabled("its calendar is gone, or no longer shared with us"));
    }
    errors::sort(answer).map(|()| active(&opened))
}
