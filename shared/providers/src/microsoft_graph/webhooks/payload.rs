//! Graph's bodies: notifications in lots. Each is read on its own, so that a bad one spoils no other.

use hooktide_model::signing::SUBSCRIPTION_KEY;
use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::unreadable;
use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::{CALENDAR, PROFILE};
use crate::reading::{told, unknown};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::MarkReason;
use hooktide_model::notice::What;
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

/// The longest topic that is shown.
pub(super) const LONGEST_TOPIC: usize = 64;

/// The most items that are read: more than a body of the largest size has of real ones.
pub(super) const MOST_ITEMS: usize = 2_000;
/// The longest id of a subscription: Graph's are UUIDs, and keys of ours are made of them.
const LONGEST_ID: usize = 64;
/// The longest `clientState` that Graph documents.
const LONGEST_PROOF: usize = 255;
/// In seconds: as often as Graph repeats a request to reauthorize, at the most.
const QUARTER: i64 = 15 * 60;

/// The proof of an item.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof<'a> {
    #[serde(borrow)]
    subscription_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_state: Option<Cow<'a, str>>,
}

/// A collection of Graph's.
#[derive(Deserialize)]
struct Collection<T> {
    value: Vec<T>,
}

fields! {
    /// The topic of an item.
    struct Topic<'a> {
        change_type: Lenient<Cow<'a, str>> = "changeType",
        lifecycle_event: Lenient<Cow<'a, str>> = "lifecycleEvent",
    }
}

fields! {
    /// One notification. All but the subscription's id is read leniently: what it tells is only that something changed.
    pub(super) struct Notification<'a> {
        /// Microsoft's id of the subscription.
        subscription_id: Lenient<Cow<'a, str>> = "subscriptionId",
        client_state: Lenient<Cow<'a, str>> = "clientState",
        id: Lenient<Cow<'a, str>>,
        change_type: Lenient<Cow<'a, str>> = "changeType",
        lifecycle_event: Lenient<Cow<'a, str>> = "lifecycleEvent",
        subscription_expiration_date_time: Lenient<Cow<'a, str>> = "subscriptionExpirationDateTime",
        resource_data: Lenient<Object<ResourceData<'a>>> = "resourceData",
    }
}

fields! {
    struct ResourceData<'a> {
        id: Lenient<Cow<'a, str>>,
        etag: Lenient<Cow<'a, str>> = "@odata.etag",
    }
}

/// The items of a body as `T`, if it is of the form at all; `None` in the place of one that is not. Of more than
/// [`MOST_ITEMS`], one such place is for all the rest.
pub(super) fn items<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<Vec<Option<T>>> {
    let body = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}');
    let mut items: Vec<Option<T>> = match serde_json::from_str::<Object<Collection<Object<T>>>>(body) {
        Ok(Object(Collection { value })) => value.into_iter().map(|Object(item)| Some(item)).collect(),
        // One of them cannot be read, or none.
        Err(_) => {
            let Object(Collection { value }) = serde_json::from_str::<Object<Collection<&RawValue>>>(body).ok()?;
            let read = |item: &'a RawValue| serde_json::from_str::<Object<T>>(item.get()).ok();
            value.into_iter().map(|item| Some(read(item)?.0)).collect()
        }
    };
    if items.len() > MOST_ITEMS {
        items.truncate(MOST_ITEMS);
        items.push(None);
    }
    Some(items)
}

/// Finds the key that the item's `clientState` was derived from.
pub(super) fn prove(item: Option<Proof<'_>>, secrets: &Secrets, now: Timestamp) -> Result<KeyId, AuthFault> {
    let proof = item.ok_or(AuthFault::Malformed)?;
    let state = proof.client_state.filter(|state| !state.is_empty()).ok_or(AuthFault::Missing)?;
    if state.len() > LONGEST_PROOF || !proof.subscription_id.is_some_and(|id| is_id(&id)) {
        return Err(AuthFault::Malformed);
    }
    signing::verify_carried_token(secrets, SUBSCRIPTION_KEY, now, &state)
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The items that were proved, with their places.
fn proved<'a, T: Deserialize<'a>>(verified: &'a Verified) -> impl Iterator<Item = (usize, Option<T>)> {
    let items = items(verified.body()).unwrap_or_default().into_iter().enumerate();
    items.filter(|(index, _)| !verified.dropped().contains(index))
}

/// The topic of the first notification that was proved, if it can be read.
pub(super) fn first_topic(verified: &Verified) -> Option<String> {
    let (_, first) = proved(verified).next()?;
    let Topic { change_type, lifecycle_event } = first?;
    Some(topic(&lifecycle_event, &change_type).to_owned())
}

/// All notifications that were proved, with their places; `None` for one of no known form. A fault if all are.
pub(super) fn notifications(verified: &Verified) -> Result<Vec<(usize, Option<Notification<'_>>)>, Fault> {
    let notifications = proved(verified).collect::<Vec<_>>();
    if !notifications.is_empty() && notifications.iter().all(|(_, notification)| notification.is_none()) {
        return Err(unreadable("no notification is of a known form"));
    }
    Ok(notifications)
}

/// The topic: of the subscription, else of what is subscribed to; documented is that there is one of the two.
fn topic<'a>(lifecycle_event: &'a Lenient<Cow<'_, str>>, change_type: &'a Lenient<Cow<'_, str>>) -> &'a str {
    text(lifecycle_event).or(text(change_type)).unwrap_or_default()
}

/// Why the resource of a topic is asked: each lifecycle event wants another answer.
fn reason(topic: &str) -> MarkReason {
    match topic {
        "reauthorizationRequired" => MarkReason::Reauthorize,
        "subscriptionRemoved" => MarkReason::Removed,
        "missed" => MarkReason::Missed,
        _ => MarkReason::Hint,
    }
}

/// Whether a topic can be one, though of tomorrow: a word.
fn is_word(topic: &str) -> bool {
    !topic.is_empty() && topic.bytes().all(|letter| letter.is_ascii_alphabetic())
}

/// A text that is there and not empty.
fn text<'a>(field: &'a Lenient<Cow<'_, str>>) -> Option<&'a str> {
    field.as_ref().map(|text| &**text).filter(|text| !text.is_empty())
}

impl Notification<'_> {
    /// The notice that it gives.
    pub(super) fn told(&self) -> What {
        let topic = topic(&self.lifecycle_event, &self.change_type);
        match PROFILE.becomes(topic) {
            // Something happened, even if the item does not say what.
            None if [&self.lifecycle_event, &self.change_type].iter().any(|field| field.is_there())
                && !is_word(topic) =>
            {
                What::hint(CALENDAR)
            }
            None => unknown(topic),
            becomes => told(becomes).because(reason(topic)),
        }
    }

    /// Our reference of the subscription, which its `clientState` proves.
    pub(super) fn reference(&self) -> &str {
        text(&self.client_state).and_then(|state| state.split_once('.')).map_or("", |(reference, _)| reference)
    }

    /// Microsoft's id of the subscription, which a proved notification always has.
    pub(super) fn subscription_id(&self) -> &str {
        text(&self.subscription_id).unwrap_or_default()
    }

    /// Whether a part of it that tells it from others is of another type.
    pub(super) fn is_odd(&self) -> bool {
        let data = match &self.resource_data {
            Lenient::Read(Object(data)) => data.id.is_odd() || data.etag.is_odd(),
            other => other.is_odd(),
        };
        let own = [&self.id, &self.change_type, &self.lifecycle_event, &self.subscription_expiration_date_time];
        data || own.into_iter().any(Lenient::is_odd)
    }

    /// The same for a retry, and another for the next change of the same entity. Graph gives no id that is promised to
    /// be both, so it is the entity, what became of it, and its version.
    pub(super) fn identity(&self, received_at: Timestamp) -> String {
        let data = self.resource_data.as_ref().map(|Object(data)| data);
        let entity = data.and_then(|data| text(&data.id)).unwrap_or_default();
        let told = format!("{}/{}/{entity}", self.subscription_id(), topic(&self.lifecycle_event, &self.change_type));
        let version = data.and_then(|data| text(&data.etag));
        if let Some(version) = version.filter(|_| text(&self.lifecycle_event).is_none()) {
            return format!("{told}/{version}");
        }
        // Nothing tells a second one from a retry of the first but the time: to take it for a retry would lose what it
        // tells, and to take a retry for a second one costs one sync.
        let expires = text(&self.subscription_expiration_date_time).unwrap_or_default();
        let id = text(&self.id).unwrap_or_default();
        format!("{told}/{expires}/{id}/{}", received_at.as_second().div_euclid(QUARTER))
    }
}
