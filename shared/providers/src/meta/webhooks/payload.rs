//! Meta's bodies, read into our terms.

use std::borrow::Cow;
use std::cell::LazyCell;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Becomes;
use crate::json::unreadable;
use crate::lenient::{Lenient, Object, fields};
use crate::meta::topics::FEED;
use crate::reading::{told, trimmed, unknown};
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::notice::{Notice, What};
use hooktide_model::signing;

/// The most updates that Meta puts into one delivery.
const MOST_UPDATES: usize = 1000;
/// The longest name of an object or field, and the longest id.
const LONGEST_NAME: usize = 256;

/// The object of which fields are topics.
const CATALOG: &str = "catalog";
/// The objects whose entries are accounts. Those of the others are people, apps or payments, which nobody connects.
const ACCOUNTS: &[&str] = &[CATALOG, "page", "instagram", "whatsapp_business_account", "ad_account"];

fields! {
    struct Body<'a> {
        object: Lenient<Cow<'a, str>>,
        entry: Lenient<Vec<Lenient<Object<Entry<'a>>>>>,
    }
}

fields! {
    struct Entry<'a> {
        id: Lenient<Cow<'a, str>>,
        time: Lenient<u64>,
        changes: Lenient<Vec<Lenient<Object<Change<'a>>>>>,
        changed_fields: Lenient<Vec<Lenient<Cow<'a, str>>>>,
        messaging: Lenient<Vec<&'a RawValue>>,
        standby: Lenient<Vec<&'a RawValue>>,
    }
}

fields! {
    struct Change<'a> {
        field: Lenient<Cow<'a, str>>,
        value: Option<&'a RawValue>,
    }
}

/// One change.
struct Update<'a> {
    entry: Cow<'a, str>,
    time: Option<u64>,
    field: Cow<'a, str>,
    value: Option<&'a RawValue>,
}

/// The part of a body about one object.
struct Updates<'a> {
    object: Cow<'a, str>,
    read: Vec<Update<'a>>,
    /// The parts that cannot be read, each with the entry that it is in, if that can.
    odd: Vec<(Option<Cow<'a, str>>, String)>,
}

impl<'a> Updates<'a> {
    /// Adds the updates of one list of an entry.
    fn list<T>(
        &mut self,
        (entry, time): (&Cow<'a, str>, Option<u64>),
        list: Lenient<Vec<T>>,
        (at, name): (usize, &str),
        read: impl Fn(T) -> Result<(Cow<'a, str>, Option<&'a RawValue>), &'static str>,
    ) {
        if !list.is_there() {
            return;
        }
        let Some(items) = list.read() else {
            return self.odd.push((Some(entry.clone()), format!("entry[{at}].{name}")));
        };
        for (number, item) in items.into_iter().enumerate() {
            let mut odd = |within| {
                self.odd.push((Some(entry.clone()), format!("entry[{at}].{name}[{number}]{within}")));
            };
            match read(item) {
                Ok((field, value)) if is_name(&field) => {
                    self.read.push(Update { entry: entry.clone(), time, field, value });
                }
                Ok(_) => odd(""),
                Err(within) => odd(within),
            }
        }
    }

    /// Adds the updates of the entry of place `at`.
    fn entry(&mut self, at: usize, entry: Lenient<Object<Entry<'a>>>) {
        let Some(Object(entry)) = entry.read() else { return self.odd.push((None, format!("entry[{at}]"))) };
        let Some(id) = entry.id.fitting(|id| is_name(id)).read() else {
            return self.odd.push((None, format!("entry[{at}].id")));
        };
        let of = (&id, entry.time.read());
        self.list(of, entry.changes, (at, "changes"), |change| {
            let Object(change) = change.read().ok_or("")?;
            Ok((change.field.read().ok_or(".field")?, change.value))
        });
        self.list(of, entry.changed_fields, (at, "changed_fields"), |field| Ok((field.read().ok_or("")?, None)));
        self.list(of, entry.messaging, (at, "messaging"), |message| Ok((Cow::Borrowed("messaging"), Some(message))));
        self.list(of, entry.standby, (at, "standby"), |message| Ok((Cow::Borrowed("standby"), Some(message))));
    }
}

/// Whether a text can be the name of an object or field, or an id.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
}

impl Update<'_> {
    fn topic<'o>(&self, object: &'o str) -> Cow<'o, str> {
        if object == CATALOG { [object, "/", &self.field].concat().into() } else { object.into() }
    }

    /// Meta gives deliveries no id. The time is that of sending: it counts only where nothing else tells one update
    /// from the next, since of those one must not be taken for a repeat of the other. Without a time, the hash of the whole body does.
    fn identity(&self, object: &str, topic: &str, whole: impl FnOnce() -> String) -> String {
        let value = self.value.map(RawValue::get).filter(|_| topic != FEED);
        let (sort, rest) = match value {
            Some(value) => message_ids(value).map_or(("value", value.into()), |ids| ("ids", Cow::from(ids))),
            None => {
                let value = self.value.map(RawValue::get).unwrap_or_default();
                let time = self.time.map_or_else(whole, |time| time.to_string());
                ("time", format!("{time}/{value}").into())
            }
        };
        let [object, id, field, sort, rest] = [object, &self.entry, &self.field, sort, &rest].map(str::as_bytes);
        HEXLOWER.encode(&signing::sha256(&[object, b"\0", id, b"\0", field, b"\0", sort, b"\0", rest]))
    }
}

/// The ids of the messages in a value, if it is about messages, with what else tells one notice of a message from
/// another.
fn message_ids(value: &str) -> Option<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Value {
        message: Option<Mid>,
        messages: Vec<Wamid>,
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

fn updates(verified: &Verified) -> Result<Updates<'_>, Fault> {
    let Object(body): Object<Body<'_>> = verified.json()?;
    let object = body.object.needed("object")?;
    if !is_name(&object) {
        return Err(unreadable("`object` is empty or too long"));
    }
    let mut updates = Updates { object, read: Vec::new(), odd: Vec::new() };
    for (at, entry) in body.entry.needed("entry")?.into_iter().enumerate() {
        updates.entry(at, entry);
    }
    if updates.read.len() + updates.odd.len() > MOST_UPDATES {
        return Err(unreadable("more updates than Meta sends at once"));
    }
    Ok(updates)
}

/// The topic of the first update.
pub(super) fn topic(verified: &Verified) -> Option<String> {
    let Updates { object, read, .. } = updates(verified).ok()?;
    let topic = read.first().map(|update| update.topic(&object).into_owned());
    Some(topic.unwrap_or_else(|| object.into_owned()))
}

/// The notices of all updates.
pub(super) fn notices(verified: &Verified) -> Result<Vec<Notice>, Fault> {
    let Updates { object, read, odd } = updates(verified)?;
    let whole = LazyCell::new(|| signing::sha256_hex(verified.body()));
    let account = |entry: &str| ACCOUNTS.contains(&&*object).then(|| trimmed(entry));
    let notice = |update: Update<'_>| {
        let topic = update.topic(&object);
        let what = match crate::meta::PROFILE.becomes(&topic) {
            None => unknown(&topic),
            becomes => told(becomes),
        };
        let identity = update.identity(&object, &topic, || whole.clone());
        Notice { account: account(&update.entry), identity, what }
    };
    let unread = |(entry, path): (Option<Cow<'_, str>>, String)| {
        let reason = format!("`{path}` is not of its type");
        let what = match crate::meta::PROFILE.becomes(&object) {
            // Nothing would be done if it could be read.
            Some(Becomes::Ignored(_)) => What::ignored(reason),
            _ => What::unreadable(reason),
        };
        let identity = format!("{}/{path}", *whole);
        Notice { account: entry.and_then(|entry| account(&entry)), identity, what }
    };
    let mut notices: Vec<Notice> = read.into_iter().map(notice).chain(odd.into_iter().map(unread)).collect();
    if notices.is_empty() {
        notices.push(Notice { account: None, identity: whole.clone(), what: What::ignored("nothing changed") });
    }
    Ok(notices)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use crate::verified;
    use crate::{Arrival, Provider, Unsigned, Webhooks, signing_with};
    use hooktide_model::secret::Secret;

    #[test]
    fn an_account_with_space_around_it_is_the_one_that_routes_know() {
        let meta = crate::meta::Meta;
        let secrets = signing_with(meta.profile(), &Secret::new("app-secret"));
        let body = Bytes::from_static(br#"{"object":"page","entry":[{"id":"353349 ","messaging":[{}]}]}"#);
        let (topic, account, delivery, url, now) = ("page", "", "", "/", Timestamp::UNIX_EPOCH);
        let request = meta.sign(Unsigned { topic, body, account, delivery, secrets: &secrets, url, now }).unwrap();
        let arrival = Arrival { request: &request, url, secrets: &secrets, now };
        let notices = meta.parse(&verified::open(&meta, &arrival).unwrap()).unwrap();
        assert_eq!(notices[0].account.as_deref(), Some("353349"));
    }
}
