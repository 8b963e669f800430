//! Edits: what happens at Paysafe itself, such as a bank that takes its time.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::ledger::{Ledger, second, touch};
use super::sorts::Sort;
use crate::paysafe::PROFILE;
use crate::simulator::Edit;
use hooktide_model::signing;

/// The largest amount.
const MOST: u64 = 99_999_999_999;

impl Ledger {
    /// Makes something, changes it, or cancels it; returns it.
    pub(super) fn edit(&mut self, sort: &'static Sort, edit: &Edit, now: Timestamp) -> Result<Value, String> {
        let unknown = |id: &str| format!("there is no {} of the id {id}", edit.what);
        match (&edit.id, &edit.fields) {
            (None, None) => Err("without an id there is nothing to cancel".to_owned()),
            (Some(id), None) => {
                let done = || format!("this {} can no longer be cancelled", edit.what);
                self.known(sort, id).ok_or_else(|| unknown(id))?;
                self.cancel(sort, id, now).map_err(|_| done())
            }
            (None, Some(fields)) => {
                check(sort, fields)?;
                Ok(self.make(sort, fields, now))
            }
            (Some(id), Some(fields)) => {
                check(sort, fields)?;
                let one = self.all.get_mut(&(sort.path, id.clone())).ok_or_else(|| unknown(id))?;
                for (name, value) in fields.iter().filter(|(name, _)| *name != "status") {
                    one[name] = value.clone();
                }
                touch(one, fields.get("status").and_then(Value::as_str), now);
                Ok(one.clone())
            }
        }
    }

    /// Makes one with these fields.
    pub(super) fn make(&mut self, sort: &'static Sort, fields: &Map<String, Value>, now: Timestamp) -> Value {
        self.made += 1;
        let id = uuid(self.seed, &format!("{} {}", sort.path, self.made));
        let time = second(now);
        let mut one = json!({
            "id": id,
            "accountId": PROFILE.sample_account,
            "merchantRefNum": format!("order-{}", 1_000 + self.made),
            "amount": 1_000,
            "currencyCode": "CAD",
            "status": "PENDING",
            "paymentType": "CARD",
            "txnTime": time,
            "updatedTime": time,
            "statusTime": time,
            "liveMode": true,
        });
        if !sort.has("PENDING") {
            one["status"] = "PAYABLE".into();
        }
        for (name, value) in fields {
            one[name] = value.clone();
        }
        self.all.insert((sort.path, id), one.clone());
        one
    }
}

/// Refuses fields that no resource of the sort has.
fn check(sort: &Sort, fields: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in fields {
        let text = value.as_str().unwrap_or_default();
        let fits = match name.as_str() {
            "amount" => value.as_u64().is_some_and(|amount| amount <= MOST),
            "currencyCode" => text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase()),
            "status" => sort.has(text),
            "accountId" | "merchantRefNum" | "paymentType" => !text.is_empty(),
            _ => false,
        };
        if !fits {
            return Err(format!("the field {name} cannot be set to this"));
        }
    }
    Ok(())
}

/// An id in Paysafe's form.
fn uuid(seed: u64, purpose: &str) -> String {
    let hex = signing::sha256_hex(format!("{seed} {purpose}").as_bytes());
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}
