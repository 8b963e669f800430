//! The addresses that the Business Portal knows, and what is sent to them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::ledger::text;
use super::sorts::Sort;
use crate::paysafe::webhooks::check_key;
use crate::paysafe::{PROFILE, Paysafe, SECRET};
use crate::simulator::Edit;
use crate::simulator::outbox::{Outbox, is_address, sample, signing_by};
use crate::{Unsigned, Webhooks};
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secret;

/// The name of an address in edits.
pub(super) const WHAT: &str = "webhook";
/// How often a notification is sent again: for a day.
const MOST_RETRIES: u32 = 29;

/// An address, and the key that what is sent there is signed with.
struct Hook {
    url: String,
    key: String,
}

/// The addresses of an account.
pub(super) struct Hooks {
    all: BTreeMap<String, Hook>,
    outbox: Outbox,
}

impl Hooks {
    pub(super) fn new(seed: u64) -> Self {
        Self { all: BTreeMap::new(), outbox: Outbox::new(seed) }
    }

    /// The addresses, without the keys.
    pub(super) fn shown(&self) -> Value {
        self.all.iter().map(|(id, hook)| json!({ "id": id, "url": hook.url })).collect()
    }

    /// Enters an address in the portal, changes it or its key, or takes it away.
    pub(super) fn edit(&mut self, edit: &Edit) -> Result<String, String> {
        let known = edit.id.as_ref().map(|id| {
            let hook = self.all.get(id).ok_or_else(|| format!("there is no {WHAT} of the id {id}"));
            hook.map(|hook| (id.clone(), Some(hook)))
        });
        let (id, known) = match known.transpose()? {
            Some(known) => known,
            None => (format!("webhook-{}", self.outbox.next_number()), None),
        };
        let Some(fields) = &edit.fields else {
            self.all.remove(&id);
            return Ok(id);
        };
        if let Some(odd) = fields.keys().find(|name| !["url", SECRET].contains(&name.as_str())) {
            return Err(format!("a {WHAT} has no {odd}, but a url and, unless it is the sample's, an {SECRET}"));
        }
        let given = |name: &str| fields.get(name).map(text);
        let url = given("url").or_else(|| known.map(|hook| hook.url.clone())).unwrap_or_default();
        let key = given(SECRET).or_else(|| known.map(|hook| hook.key.clone()));
        let key = key.unwrap_or_else(|| sample(&PROFILE, SECRET).to_owned());
        if !is_address(&url) {
            return Err("the url must be one of HTTPS, or of this machine".to_owned());
        }
        check_key(&Secret::new(key.as_bytes())).map_err(str::to_owned)?;
        self.all.insert(id.clone(), Hook { url, key });
        Ok(id)
    }

    /// Sends what one has become, if its status is notified.
    pub(super) fn tell(&mut self, sort: &Sort, one: &Value, now: Timestamp) {
        let Some(event) = sort.event(&text(&one["status"])) else { return };
        let id = text(&one["id"]);
        let body = json!({
            "payload": one,
            "eventType": event,
            "attemptNumber": "1",
            "resourceId": id,
            // In the published examples the time at which the payment began, the same for every event of it.
            "eventDate": one["txnTime"],
            "links": [{
                "href": format!("https://api.test.paysafe.com/paymenthub/v1/{}/{id}", sort.path),
                "rel": sort.path.trim_end_matches('s'),
            }],
            "mode": "live",
            "eventName": event,
        });
        for hook in self.all.values() {
            self.outbox.push(signed(hook, &body, now));
        }
    }

    /// The notifications that are to be sent now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.take(now)
    }

    /// Sends a notification again that was not accepted: after a minute, twice as long each time, and each hour for a day. The
    /// body says which attempt it is, so it is signed anew.
    pub(super) fn send_again(&mut self, refused: &Request<Bytes>, now: Timestamp) {
        let Ok(mut body) = serde_json::from_slice::<Value>(refused.body()) else { return };
        let attempt: u32 = text(&body["attemptNumber"]).parse().unwrap_or(1);
        let url = refused.uri().to_string();
        let hook = self.all.values().find(|hook| hook.url == url).filter(|_| attempt <= MOST_RETRIES);
        body["attemptNumber"] = (attempt + 1).to_string().into();
        if let Some(Ok(again)) = hook.map(|hook| signed(hook, &body, now)) {
            let wait = SignedDuration::from_mins(60.min(1 << (attempt.max(1) - 1).min(6)));
            self.outbox.push_at(again, now.checked_add(wait).unwrap_or(now));
        }
    }
}

/// A notification to an address.
fn signed(hook: &Hook, body: &Value, now: Timestamp) -> Result<Request<Bytes>, Fault> {
    Paysafe.sign(Unsigned {
        topic: &text(&body["eventName"]),
        body: Bytes::from(body.to_string()),
        account: PROFILE.sample_account,
        delivery: "",
        secrets: &signing_by(SECRET, &hook.key),
        url: &hook.url,
        now,
    })
}
