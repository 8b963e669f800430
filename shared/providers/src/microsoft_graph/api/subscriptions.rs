//! Subscriptions: one for each calendar, each with a token of its own, for a week at a time.

use std::time::Duration;

use http::{Method, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{calendar_path, errors, get, object, request};
use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::{CALENDAR, MicrosoftGraph};
use crate::protocols::percent::encoded;
use crate::protocols::query::{Parameter, parameter};
use crate::{
    Answer, Ask, Covering, Listed, Plan, Refusal, Registered, Subscribed, SubscriptionResult, SubscriptionStep,
    SubscriptionTask, Subscriptions,
};

/// The path of all subscriptions.
const PATH: &str = "/v1.0/subscriptions";
/// The life that is asked for: two hours less than the longest, since Graph counts by its own clock.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600 - 2 * 3600);
/// The parameter of our address that has our reference: lists of subscriptions do not show the token that has it.
const REFERENCE: &str = "subscription";
/// The longest token of a page of the list.
const LONGEST_TOKEN: usize = 4096;
/// The code of a refusal to send to our address.
const NOT_REACHED: &str = "ValidationError";
/// What to do about an address that Microsoft does not reach.
const ADDRESS: &str = "Microsoft asked the webhook address for a sign and got none: give Hooktide an https address that is \
                       reachable from everywhere, with a certificate that browsers trust";

/// What is subscribed to: the events of each calendar. Nothing is sent about the list of calendars.
const PLAN: Plan = Plan {
    topics: &[Covering { resource: CALENDAR, topic: "events" }],
    life: Some(LIFE),
    renews: true,
    app_wide: false,
    lists: true,
};

fields! {
    struct Subscription {
        id: Lenient<String> = "id",
        resource: Lenient<String> = "resource",
        url: Lenient<String> = "notificationUrl",
        ends_at: Lenient<Timestamp> = "expirationDateTime",
    }
}

fields! {
    struct List {
        items: Lenient<Vec<Lenient<Object<Subscription>>>> = "value",
        next: Lenient<String> = "@odata.nextLink",
    }
}

impl Subscriptions for MicrosoftGraph {
    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask {
        let one = |id: &str| format!("{PATH}/{}", encoded(id));
        match step {
            SubscriptionStep::Register => Ask::Http(request(task.api, Method::POST, PATH, Some(&wanted(task)))),
            // A renewal authorises it again as well.
            SubscriptionStep::Renew { id } => {
                let body = json!({ "expirationDateTime": latest(task.now).to_string() });
                Ask::Http(request(task.api, Method::PATCH, &one(id), Some(&body)))
            }
            SubscriptionStep::Probe { id } => get(task.api, &one(id), &[]),
            SubscriptionStep::End { id } => Ask::Http(request(task.api, Method::DELETE, &one(id), None)),
            SubscriptionStep::List { after: Some(after) } => get(task.api, PATH, &[("$skiptoken", after)]),
            SubscriptionStep::List { after: None } => get(task.api, PATH, &[]),
        }
    }

    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult {
        match step {
            SubscriptionStep::Register => registered(task, answer),
            SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } if is_gone(answer) => Ok(Subscribed::Gone),
            SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } => active(task, answer),
            SubscriptionStep::End { .. } if is_gone(answer) => Ok(Subscribed::Gone),
            SubscriptionStep::End { .. } => errors::sort(answer).map(|()| Subscribed::Gone),
            SubscriptionStep::List { after } => listed(*after, answer),
        }
    }
}

/// The subscription that is asked for. Both addresses are asked for a sign before the answer comes.
fn wanted(task: &SubscriptionTask<'_>) -> Value {
    let separator = if task.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}{REFERENCE}={}", task.url, encoded(task.reference));
    let resource = task.part.map(calendar_path).unwrap_or_default();
    let mut body = json!({
        "changeType": "created,updated,deleted",
        "notificationUrl": url,
        "lifecycleNotificationUrl": url,
        "resource": format!("{}/events", resource.trim_start_matches("/v1.0")),
        "expirationDateTime": latest(task.now).to_string(),
        "latestSupportedTlsVersion": "v1_2",
    });
    if let Some(token) = task.token {
        // The token as it is carried: with the reference that it proves.
        body["clientState"] = format!("{}.{token}", task.reference).into();
    }
    body
}

/// The end of a subscription that is made or renewed now.
fn latest(now: Timestamp) -> Timestamp {
    now.saturating_add(LIFE).unwrap_or(Timestamp::MAX)
}

/// Whether there is no such subscription: nothing but Graph itself says so.
fn is_gone(answer: &Answer) -> bool {
    errors::is_gone(answer)
}

fn registered(task: &SubscriptionTask<'_>, answer: &Answer) -> SubscriptionResult {
    if answer.status() == StatusCode::BAD_REQUEST && errors::says(answer, NOT_REACHED) {
        return Err(Refusal::Closed(ADDRESS));
    }
    // Where Graph lets nobody have two of one kind, the first try made it.
    if answer.status() == StatusCode::CONFLICT {
        return Ok(Subscribed::Taken);
    }
    active(task, answer)
}

fn active(task: &SubscriptionTask<'_>, answer: &Answer) -> SubscriptionResult {
    errors::sort(answer)?;
    let unreadable = Refusal::Unreadable("the answer is no subscription of Microsoft's");
    let Subscription { id, ends_at, .. } = object(answer).map_err(|_| unreadable)?;
    let id = id.read().filter(|id| is_id(id)).ok_or(unreadable)?;
    let expires_at = ends_at.read().unwrap_or_else(|| latest(task.now));
    if expires_at <= task.now {
        return Ok(Subscribed::Gone);
    }
    Ok(Subscribed::Active(Registered { id, expires_at: Some(expires_at), secret: None }))
}

fn listed(after: Option<&str>, answer: &Answer) -> SubscriptionResult {
    errors::sort(answer)?;
    let List { items, next } = object(answer)?;
    let items = items.read().ok_or(Refusal::Unreadable("`value` is no list"))?;
    let next = match next.is_there() {
        true => Some(token_of(next).ok_or(Refusal::Unreadable("a link that is none"))?),
        false => None,
    };
    if next.is_some() && next.as_deref() == after {
        return Err(Refusal::Unreadable("the same page again"));
    }
    let items = items.into_iter().filter_map(|item| item.read().and_then(|Object(item)| item.listed()));
    Ok(Subscribed::Listed(items.collect(), next))
}

/// The token that leads to the next page.
fn token_of(next: Lenient<String>) -> Option<String> {
    let uri: Uri = next.read()?.parse().ok()?;
    match parameter(&uri, "$skiptoken") {
        Parameter::One(token) if (1..=LONGEST_TOKEN).contains(&token.len()) => Some(token),
        Parameter::One(_) | Parameter::None | Parameter::Odd => None,
    }
}

/// Whether a text can be the id of a subscription.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Subscription {
    /// The subscription in a list; `None` if it has no id. Which of our calendars it is for, its address says.
    fn listed(self) -> Option<Listed> {
        let id = self.id.read().filter(|id| is_id(id))?;
        let resource = self.resource.read().unwrap_or_default();
        let address = self.url.read().unwrap_or_default();
        let (url, reference) = told_apart(&address);
        let is_of_events = resource.contains("/calendars/") && resource.ends_with("/events");
        let topic = if is_of_events { "events".to_owned() } else { String::new() };
        Some(Listed { id, topic, url, enabled: true, reference: Some(reference) })
    }
}

/// An address without our reference, and the reference, which is empty if the address has none.
fn told_apart(address: &str) -> (String, String) {
    let mark = format!("{REFERENCE}=");
    let Some((url, query)) = address.split_once('?') else { return (address.to_owned(), String::new()) };
    let (ours, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| pair.starts_with(&mark));
    let reference = ours.first().and_then(|pair| pair.strip_prefix(&mark)).unwrap_or_default().to_owned();
    let url = if others.is_empty() { url.to_owned() } else { format!("{url}?{}", others.join("&")) };
    (url, reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_our_reference_besides_what_it_was() {
        for (address, url, reference) in [
            ("https://h.example/webhooks/a?subscription=0f", "https://h.example/webhooks/a", "0f"),
            ("https://h.example/webhooks/a?key=1&subscription=0f", "https://h.example/webhooks/a?key=1", "0f"),
            ("https://h.example/webhooks/a", "https://h.example/webhooks/a", ""),
            ("https://h.example/webhooks/a?key=1", "https://h.example/webhooks/a?key=1", ""),
            ("", "", ""),
        ] {
            assert_eq!(told_apart(address), (url.to_owned(), reference.to_owned()), "{address}");
        }
    }
}
