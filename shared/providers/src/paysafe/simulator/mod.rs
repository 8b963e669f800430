//! A merchant's account at Paysafe, with the Payments API and the notifications that the Business Portal sets up, in memory.

mod access;
mod answer;
mod edits;
mod hooks;
mod ledger;
mod seed;
mod sorts;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::access::Access;
use self::answer::Refused;
use self::hooks::Hooks;
use self::ledger::Ledger;
use self::sorts::Sort;
use crate::simulator::meter::Meter;
use crate::simulator::{Edit, Simulator, json};

/// The account.
pub(super) struct Account {
    meter: Meter,
    access: Access,
    ledger: Ledger,
    hooks: Hooks,
}

impl Account {
    /// An account with a few payments, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        let (access, ledger, hooks) = (Access::new(seed), seed::ledger(seed), Hooks::new(seed));
        Self { meter: Meter::default(), access, ledger, hooks }
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refused> {
        let parts: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        let name = parts.get(2).copied().unwrap_or_default();
        let rest = if parts.len() > 3 { "/{id}" } else { "" };
        self.meter.take(&format!("{} {name}{rest}", request.method()), now).map_err(|_| Refused::limited())?;
        self.access.check(request)?;
        let ["paymenthub", "v1", _, id @ ..] = &parts[..] else { return Err(Refused::nowhere()) };
        let sort = Sort::of_path(name);
        match (request.method(), sort, id) {
            (&Method::GET, None, []) if name == "monitor" => Ok(json!({ "status": "READY" })),
            (&Method::GET, Some(sort), []) => self.ledger.list(sort, request, now),
            (&Method::GET, Some(sort), [id]) => self.ledger.answer(sort, id),
            (&Method::PUT, Some(sort), [id]) => self.cancel(sort, id, request, now),
            _ => Err(Refused::nowhere()),
        }
    }

    /// `PUT {sort}/{id}`: cancels what is not done yet.
    fn cancel(
        &mut self,
        sort: &'static Sort,
        id: &str,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let body = json::object(request).ok_or_else(|| Refused::invalid("body", "It is no JSON object."))?;
        if body.len() != 1 || body.get("status").is_none_or(|status| status != "CANCELLED") {
            return Err(Refused::invalid("status", "It must be CANCELLED."));
        }
        let cancelled = self.ledger.cancel(sort, id, now)?;
        self.hooks.tell(sort, &cancelled, now);
        Ok(json!({ "id": cancelled["id"], "txnTime": cancelled["txnTime"], "status": cancelled["status"] }))
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        match self.route(request, now) {
            Ok(body) => json::answer(200, &body),
            Err(refused) => refused.into_answer(),
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        if edit.what == hooks::WHAT {
            return self.hooks.edit(edit);
        }
        let names = || format!("what is edited is one of {}, {}", sorts::names().join(", "), hooks::WHAT);
        let sort = Sort::of_edit(&edit.what).ok_or_else(names)?;
        let edited = self.ledger.edit(sort, edit, now)?;
        self.hooks.tell(sort, &edited, now);
        Ok(ledger::text(&edited["id"]))
    }

    fn take_notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.hooks.take(now)
    }

    fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        if status.is_none_or(|status| !status.is_success()) {
            self.hooks.send_again(notification, now);
        }
    }

    fn expire_credentials(&mut self) {
        self.access.replace();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        let mut state = self.ledger.shown();
        state["calls"] = self.meter.calls();
        state["credentials"] = self.access.shown();
        state["webhooks"] = self.hooks.shown();
        state
    }
}
