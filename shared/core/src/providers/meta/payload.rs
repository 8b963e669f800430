//! Meta's bodies, read into our terms.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::notice::{Notice, What};
use crate::providers::reading::{told, unreadable};
use crate::providers::{Becomes, Topic};
use crate::signing;
use crate::verified::Verified;

/// The most updates that Meta puts into one delivery.
const MOST_UPDATES: usize = 1000;
/// The longest name of an object or field, and the longest id.
const LONGEST_NAME: usize = 256;

const MESSAGES: &str = "messages and posts are not kept";

/// The objects that Meta is known to send; of a catalog, the fields.
pub(super) const TOPICS: &[Topic] = &[
    Topic::new("catalog/items_batch", Becomes::Sync("products")),
    Topic::new(FEED, Becomes::Sync("products")),
    Topic::new("page", Becomes::Ignored(MESSAGES)),
    Topic::new("instagram", Becomes::Ignored(MESSAGES)),
    Topic::new("whatsapp_business_account", Becomes::Ignored(MESSAGES)),
    Topic::new("permissions", Becomes::Ignored("connections are removed by their owner")),
    Topic::new("user", Becomes::Ignored("what people change of themselves is not kept")),
    Topic::new("ad_account", Becomes::Ignored("advertising is not kept")),
    Topic::new("application", Becomes::Ignored("what concerns the app itself is not kept")),
    Topic::new("payments", Becomes::Ignored("payments in games are not kept")),
];

/// Tells of an upload of a feed, and says the same every time.
const FEED: &str = "catalog/product_feed";
/// The object of which fields are topics.
const CATALOG: &str = "catalog";
/// The objects whose entries are accounts. Those of the others are people, apps or payments, which nobody connects.
const ACCOUNTS: &[&str] = &[CATALOG, "page", "instagram", "whatsapp_business_account", "ad_account"];

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    time: Option<u64>,
    #[serde(borrow, default)]
    changes: Vec<Change<'a>>,
    #[serde(default)]
    changed_fields: Vec<String>,
    #[serde(borrow, default)]
    messaging: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    standby: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

/// One thing that changed.
struct Update<'a> {
    entry: &'a Entry<'a>,
    field: &'a str,
    value: Option<&'a RawValue>,
}

impl<'a> Entry<'a> {
    fn updates(&'a self) -> impl Iterator<Item = Update<'a>> {
        let update = move |field, value| Update { entry: self, field, value };
        let changes = self.changes.iter().map(move |change| update(&*change.field, change.value));
        let fields = self.changed_fields.iter().map(move |field| update(field.as_str(), None));
        let messages = self.messaging.iter().map(move |message| update("messaging", Some(*message)));
        let others = self.standby.iter().map(move |message| update("standby", Some(*message)));
        changes.chain(fields).chain(messages).chain(others)
    }
}

impl Update<'_> {
    fn topic<'o>(&self, object: &'o str) -> Cow<'o, str> {
        if object == CATALOG { [object, "/", self.field].concat().into() } else { object.into() }
    }

    /// Meta gives deliveries no id. The time is that of sending: it counts only where nothing else tells one update
    /// from the next, since of those one must not be taken for a repeat of the other.
    fn identity(&self, object: &str, topic: &str) -> String {
        let value = self.value.map(RawValue::get).filter(|_| topic != FEED);
        let (sort, rest) = match value {
            Some(value) => message_ids(value).map_or(("value", value.into()), |ids| ("ids", Cow::from(ids))),
            None => {
                let value = self.value.map(RawValue::get).unwrap_or_default();
                ("time", format!("{}/{value}", self.entry.time.unwrap_or_default()).into())
            }
        };
        let [object, id, field, sort, rest] = [object, &self.entry.id, self.field, sort, &rest].map(str::as_bytes);
        HEXLOWER.encode(&signing::sha256(&[object, b"\0", id, b"\0", field, b"\0", sort, b"\0", rest]))
    }
}

/// The ids of the messages in a value, if it is about messages, with what else tells one notice of a message from
/// another.
fn message_ids(value: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Value {
        #[serde(default)]
        message: Option<Mid>,
        #[serde(default)]
        messages: Vec<Wamid>,
        #[serde(default)]
        statuses: Vec<Wamid>,
    }
    #[derive(Deserialize)]
    struct Mid {
        mid: String,
        #[serde(default)]
        is_deleted: bool,
    }
    #[derive(Deserialize)]
    struct Wamid {
        id: String,
        #[serde(default)]
        status: Option<String>,
    }
    let value: Value = serde_json::from_str(value).ok()?;
    let mid = value.message.map(|message| format!("{}/{}", message.mid, message.is_deleted));
    let wamids = value.messages.into_iter().chain(value.statuses);
    let wamids = wamids.map(|message| format!("{}/{}", message.id, message.status.unwrap_or_default()));
    let ids: Vec<String> = mid.into_iter().chain(wamids).collect();
    if ids.is_empty() { None } else { Some(ids.join("\0")) }
}

fn body(verified: &Verified) -> Result<Body<'_>, Fault> {
    let body: Body<'_> = verified.json()?;
    let fits = |text: &str| (1..=LONGEST_NAME).contains(&text.len());
    let (mut named, mut updates) = (fits(&body.object), 0);
    for entry in &body.entry {
        named &= fits(&entry.id);
        for update in entry.updates() {
            named &= fits(update.field);
            updates += 1;
        }
    }
    if !named {
        return Err(unreadable("an object, id or field has no name, or too long a one"));
    }
    if updates > MOST_UPDATES {
        return Err(unreadable("more updates than Meta sends at once"));
    }
    Ok(body)
}

/// The topic of the first update.
pub(super) fn topic(verified: &Verified) -> Option<String> {
    let body = body(verified).ok()?;
    let first = body.entry.iter().flat_map(Entry::updates).next();
    Some(first.map_or(body.object.clone(), |update| update.topic(&body.object)).into_owned())
}

/// What all updates tell.
pub(super) fn notices(verified: &Verified) -> Result<Vec<Notice>, Fault> {
    let body = body(verified)?;
    let notice = |update: Update<'_>| {
        let topic = update.topic(&body.object);
        let account = ACCOUNTS.contains(&&*body.object).then(|| account(&update.entry.id));
        Notice { account, identity: update.identity(&body.object, &topic), what: told(super::PROFILE.becomes(&topic)) }
    };
    let mut notices: Vec<Notice> = body.entry.iter().flat_map(Entry::updates).map(notice).collect();
    if notices.is_empty() {
        let identity = signing::sha256_hex(verified.body());
        notices.push(Notice { account: None, identity, what: What::ignored("nothing changed") });
    }
    Ok(notices)
}

/// An account as routes know it.
pub(super) fn account(text: &str) -> String {
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use crate::providers::{Provider, Unsigned, by_id, signing_with};
    use crate::secret::Secret;
    use crate::verified;

    #[test]
    fn an_account_with_space_around_it_is_the_one_that_routes_know() {
        let meta: &dyn Provider = by_id("meta").unwrap();
        let secrets = signing_with(meta, &Secret::new("app-secret"));
        let body = Bytes::from_static(br#"{"object":"page","entry":[{"id":"353349 ","messaging":[{}]}]}"#);
        let (topic, account, delivery, url, now) = ("page", "", "", "/", Timestamp::UNIX_EPOCH);
        let request = meta.sign(Unsigned { topic, body, account, delivery, secrets: &secrets, url, now }).unwrap();
        let notices = meta.parse(&verified::open(meta, &request, url, &secrets, now).unwrap()).unwrap();
        assert_eq!(notices[0].account.as_deref(), Some("353349"));
    }
}
