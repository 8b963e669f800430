//! Channels: Google's word for subscriptions. Each is for one calendar, or for the list of calendars, and ends by itself.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::{LIST, calendar_path, errors, get, post};
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
/// The life that is asked for: Google's default. No page says how much longer one may be.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

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
    // The answer to the first try was lost: the channel is open. Without the id of what it watches it cannot be ended early.
    if answer.status() == StatusCode::BAD_REQUEST && errors::says(answer, "channelIdNotUnique") {
        let ends_at = latest(task.now);
        let opened = Opened { channel: task.reference.to_owned(), resource: String::new(), ends_at };
        return Ok(opened.active());
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
    Ok(Opened { channel: task.reference.to_owned(), resource, ends_at }.active())
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
    errors::sort(answer).map(|()| opened.active())
}

/// The latest end of a channel that is opened now.
fn latest(now: Timestamp) -> Timestamp {
    now.checked_add(LIFE).unwrap_or(Timestamp::MAX)
}

/// A channel that is open. As text `<channel>/<resource>/<end>`, the end in milliseconds: all that is known of it.
struct Opened {
    channel: String,
    resource: String,
    ends_at: Timestamp,
}

impl Opened {
    /// Reads the text; what it lacks is empty, and past.
    fn of(id: &str) -> Self {
        let (channel, rest) = id.split_once('/').unwrap_or((id, ""));
        let (resource, ends_at) = rest.rsplit_once('/').unwrap_or((rest, ""));
        let ends_at = ends_at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        Self { channel: channel.to_owned(), resource: resource.to_owned(), ends_at: ends_at.unwrap_or(Timestamp::MIN) }
    }

    fn active(&self) -> Subscribed {
        let Self { channel, resource, ends_at } = self;
        let id = format!("{channel}/{resource}/{}", ends_at.as_millisecond());
        Subscribed::Active(Registered { id, expires_at: Some(*ends_at), secret: None })
    }
}
