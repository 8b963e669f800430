//! Graph's bodies: notifications in lots. Each is read on its own, so that a bad one spoils no other.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::{AuthFault, ErrorClass, Fault};
use crate::providers::SUBSCRIPTION_KEY;
use crate::secret::{KeyId, Secrets};
use crate::signing;
use crate::verified::Verified;

/// The field of each item that proves it.
pub(super) const PROOF: &str = "clientState";
/// The longest topic that is shown.
pub(super) const LONGEST_TOPIC: usize = 64;

/// More items than a body of the largest size has of real ones.
const MOST_ITEMS: usize = 2_000;
/// The longest id of a subscription: Graph's are UUIDs, and keys of ours are made of them.
const LONGEST_ID: usize = 64;
/// The longest `clientState` that Graph documents.
const LONGEST_PROOF: usize = 255;
/// In seconds: as often as Graph repeats a request to reauthorize, at the most.
const QUARTER: i64 = 15 * 60;

#[derive(Deserialize)]
struct Collection<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

/// What proves an item.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    subscription_id: Option<String>,
    client_state: Option<String>,
}

/// One notification. All but the subscription's id is read leniently: what it tells is only that something changed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    /// Microsoft's id of the subscription.
    pub(super) subscription_id: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    change_type: Option<String>,
    #[serde(default)]
    lifecycle_event: Option<String>,
    #[serde(default)]
    subscription_expiration_date_time: Option<String>,
    #[serde(default)]
    resource_data: Option<ResourceData>,
}

#[derive(Deserialize)]
struct ResourceData {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, rename = "@odata.etag")]
    etag: Option<String>,
}

/// Reads an object; an array of the fields' values, which the derived code takes as well, is none.
fn object<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    json.get().starts_with('{').then(|| serde_json::from_str(json.get()).ok()).flatten()
}

/// The items of a body, if it is of the form at all.
pub(super) fn items(body: &[u8]) -> Option<Vec<&RawValue>> {
    let Collection { value } = object(serde_json::from_slice(body).ok()?)?;
    (value.len() <= MOST_ITEMS).then_some(value)
}

/// Finds the key that the item's `clientState` was derived from.
pub(super) fn prove(item: &RawValue, secrets: &Secrets, now: Timestamp) -> Result<KeyId, AuthFault> {
    let proof: Proof = object(item).ok_or(AuthFault::Malformed)?;
    let state = proof.client_state.filter(|state| !state.is_empty()).ok_or(AuthFault::Missing)?;
    if state.len() > LONGEST_PROOF || !proof.subscription_id.is_some_and(|id| is_id(&id)) {
        return Err(AuthFault::Malformed);
    }
    signing::verify_carried_token(secrets, SUBSCRIPTION_KEY, now, &state)
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The items that were proved.
fn proved(verified: &Verified) -> impl Iterator<Item = &RawValue> {
    let items = items(verified.body()).unwrap_or_default().into_iter().enumerate();
    items.filter(|(index, _)| !verified.dropped().contains(index)).map(|(_, item)| item)
}

/// The first notification that was proved, if it can be read.
pub(super) fn first(verified: &Verified) -> Option<Notification> {
    proved(verified).next().and_then(object)
}

/// All notifications that were proved.
pub(super) fn notifications(verified: &Verified) -> Result<Vec<Notification>, Fault> {
    let unreadable =
        |index| Fault::permanent(ErrorClass::Unreadable, format!("notification {index} is of no known form"));
    proved(verified).enumerate().map(|(index, item)| object(item).ok_or_else(|| unreadable(index))).collect()
}

impl Notification {
    /// What happened to the subscription, else to what is subscribed to: documented is that there is one of the two.
    pub(super) fn topic(&self) -> &str {
        self.lifecycle_event().or(self.change_type.as_deref()).unwrap_or_default()
    }

    fn lifecycle_event(&self) -> Option<&str> {
        self.lifecycle_event.as_deref().filter(|event| !event.is_empty())
    }

    /// The same for a retry, and another for the next change of the same thing. Graph gives no id that is promised to
    /// be both, so it is the thing, what became of it, and its version.
    pub(super) fn identity(&self, received_at: Timestamp) -> String {
        let data = self.resource_data.as_ref();
        let thing = data.and_then(|data| data.id.as_deref()).unwrap_or_default();
        let told = format!("{}/{}/{thing}", self.subscription_id, self.topic());
        let version = data.and_then(|data| data.etag.as_deref()).filter(|version| !version.is_empty());
        if let Some(version) = version.filter(|_| self.lifecycle_event().is_none()) {
            return format!("{told}/{version}");
        }
        // Nothing tells a second one from a retry of the first but the time: to take it for a retry would lose what it
        // tells, and to take a retry for a second one costs one sync.
        let expires = self.subscription_expiration_date_time.as_deref().unwrap_or_default();
        let id = self.id.as_deref().unwrap_or_default();
        format!("{told}/{expires}/{id}/{}", received_at.as_second().div_euclid(QUARTER))
    }
}
