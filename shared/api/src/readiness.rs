//! Whether the process can read its table.

use std::time::Duration;

use hooktide_store::records::canary::{self, Canary};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tracing::error;

use crate::state::Api;

/// How long a finding lasts: anybody may ask, as often as they like.
const LASTS: Duration = Duration::from_secs(5);

/// Whether the table can be read, as it was found a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Timestamp, Option<&'static str>)>>);

impl Readiness {
    /// Returns the trouble, if any; concurrent callers share one look.
    pub(crate) async fn trouble(&self, api: &Api) -> Option<&'static str> {
        let mut found = self.0.lock().await;
        let now = api.now();
        if let Some((at, trouble)) = *found
            && (at..at + LASTS).contains(&now)
        {
            return trouble;
        }
        let trouble = look(api).await;
        *found = Some((now, trouble));
        trouble
    }
}

async fn look(api: &Api) -> Option<&'static str> {
    if api.options().damage.as_ref().is_some_and(|damage| damage.borrow().is_some()) {
        return Some(
            "The table is damaged: restore it from a backup; see docs/runbook.md, \"A table that is damaged\".",
        );
    }
    let ports = api.ports();
    match canary::check(&*ports.table, &*ports.keys, &ports.entropy).await {
        Ok(Canary::Sings) => None,
        Ok(Canary::OtherKeys) => {
            error!("the table was written under other root keys");
            Some("The table was written under other root keys: restore those that belong to it; see docs/runbook.md.")
        }
        Err(fault) => {
            error!(%fault, "the table cannot be read");
            Some("The table cannot be read; the log says why. See docs/runbook.md, \"A table that is damaged\".")
        }
    }
}
