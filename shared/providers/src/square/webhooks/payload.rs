//! Reads Square's bodies into Hooktide's terms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::json::unreadable;
use crate::lenient::{Lenient, Object, fields};
use crate::square::LONGEST;
use crate::square::stock::Count;
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::notice::EntityNotice;

/// Where the counts of an event are.
const COUNTS: &str = "data.object.inventory_counts";
/// The most counts that one event has.
const MOST_COUNTS: usize = 100;

/// The fields that every event begins with.
pub(super) struct Event<'a> {
    /// The merchant that it belongs to.
    pub(super) merchant_id: Cow<'a, str>,
    /// Its topic.
    pub(super) topic: Cow<'a, str>,
    /// Its id, the same on every retry.
    pub(super) event_id: Cow<'a, str>,
    /// The data of the event.
    data: Option<&'a RawValue>,
}

/// The event's own fields.
pub(super) fn event(verified: &Verified) -> Result<Event<'_>, Fault> {
    fields! {
        struct Envelope<'a> {
            merchant_id: Lenient<Cow<'a, str>>,
            topic: Lenient<Cow<'a, str>> = "type",
            event_id: Lenient<Cow<'a, str>>,
            data: Option<&'a RawValue>,
        }
    }
    fn named<'a>(name: &str, text: Lenient<Cow<'a, str>>) -> Result<Cow<'a, str>, Fault> {
        match text.needed(name)? {
            text if (1..=LONGEST).contains(&text.len()) => Ok(text),
            _ => Err(unreadable(format!("`{name}` is empty or too long"))),
        }
    }
    let Object(Envelope { merchant_id, topic, event_id, data }) = verified.json()?;
    Ok(Event {
        merchant_id: named("merchant_id", merchant_id)?,
        topic: named("type", topic)?,
        event_id: named("event_id", event_id)?,
        data,
    })
}

fields! {
    struct Data {
        object: Lenient<Object<Counted>>,
    }
}

fields! {
    struct Counted {
        inventory_counts: Lenient<Vec<Lenient<Object<Count>>>>,
    }
}

/// The counts that an event reports.
pub(super) enum Counts {
    /// The latest of each count, and the unreadable ones by their index from zero, with the reason.
    These(Vec<EntityNotice>, Vec<(usize, Fault)>),
    /// No counts, too many, or none that can be found: they must be fetched.
    Unknown,
}

/// `inventory.count.updated`.
pub(super) fn counts(event: &Event<'_>) -> Counts {
    let data = event.data.and_then(|data| serde_json::from_str::<Object<Data>>(data.get()).ok());
    let counts = data.and_then(|Object(data)| data.object.read()?.0.inventory_counts.read()).unwrap_or_default();
    if counts.is_empty() || counts.len() > MOST_COUNTS {
        return Counts::Unknown;
    }
    let mut latest: BTreeMap<String, EntityNotice> = BTreeMap::new();
    let mut odd = Vec::new();
    for (at, count) in counts.into_iter().enumerate() {
        let path = format!("{COUNTS}[{at}]");
        let read = count.needed(&path).and_then(|Object(count)| count.told(&path));
        match read {
            Ok(count) if latest.get(&count.id).is_none_or(|known| known.version <= count.version) => {
                latest.insert(count.id.clone(), count);
            }
            Ok(_) => {}
            Err(fault) => odd.push((at, fault)),
        }
    }
    Counts::These(latest.into_values().collect(), odd)
}
