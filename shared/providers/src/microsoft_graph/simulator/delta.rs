//! Rounds: what a window has, or what changed in it since. Series come with all of their occurrences, stripped, and are never
//! split over pages, unless the account is told to.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::Event;
use super::mailbox::Mailbox;
use super::refused::Refused;
use super::shown::Prefer;

/// The parameters of a round.
pub(super) const PARAMETERS: &str = "startDateTime endDateTime $skiptoken $deltatoken";
/// How many items a page has by default, and at the most.
const PAGE: (usize, usize) = (50, 1_000);

/// How rounds behave.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habits {
    /// How often all tokens were forgotten.
    pub(super) forgotten: u64,
    /// Whether series are split over pages, and come without themselves.
    pub(super) splits: bool,
}

/// The token of a page, or of a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Token {
    calendar: String,
    window: (Timestamp, Timestamp),
    /// The change since which later ones are listed; everything is without.
    since: Option<u64>,
    /// The last change that the round has.
    until: u64,
    after: String,
    forgotten: u64,
}

impl Token {
    /// The beginning of a round.
    pub(super) fn begin(calendar: &str, window: (Timestamp, Timestamp), changes: u64, habits: Habits) -> Self {
        let (calendar, after) = (calendar.to_owned(), String::new());
        Self { calendar, window, since: None, until: changes, after, forgotten: habits.forgotten }
    }

    /// Reads a token. One of another calendar leads nowhere, nor does one that was forgotten.
    pub(super) fn read(text: &str, calendar: &str, changes: u64, habits: Habits) -> Result<Self, Refused> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let token: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let token = token.ok_or_else(|| Refused::new(400, "ErrorInvalidUrlQuery", "The token is not valid."))?;
        if token.calendar != calendar || token.forgotten != habits.forgotten {
            return Err(Refused::sync_state());
        }
        let is_of_round = token.after.is_empty();
        Ok(if is_of_round { Self { until: changes, ..token } } else { token })
    }

    fn written(&self) -> String {
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }
}

impl Mailbox {
    /// The page that a token leads to. `path` is that of the list, with the address that it was asked at.
    pub(super) fn round(&self, token: &Token, habits: Habits, prefer: &Prefer, path: &str) -> Value {
        let size = prefer.page.unwrap_or(PAGE.0).min(PAGE.1);
        let mut rows: Vec<(String, Vec<Value>)> = Vec::new();
        for event in self.events.values().filter(|event| self.is_listed(event, token)) {
            let items = self.items(event, token, prefer);
            if habits.splits && items.len() > 1 {
                // Without itself: the series has to be asked for.
                let split = items.into_iter().skip(1).enumerate();
                rows.extend(split.map(|(at, item)| (format!("{} {at:05}", event.id), vec![item])));
            } else if !items.is_empty() {
                rows.push((event.id.clone(), items));
            }
        }
        // What was listed last comes again.
        let repeats = rows.iter().rfind(|(key, items)| key == &token.after && items.len() == 1).cloned();
        let mut rest = rows.into_iter().filter(|(key, _)| *key > token.after).peekable();
        let (mut items, mut last): (Vec<Value>, Option<String>) = (Vec::new(), None);
        while let Some((key, more)) = rest.next_if(|(_, more)| items.is_empty() || items.len() + more.len() <= size) {
            items.extend(more);
            last = Some(key);
        }
        let is_more = rest.peek().is_some();
        items.extend(repeats.into_iter().flat_map(|(_, items)| items));
        let (name, parameter, token) = match last.filter(|_| is_more) {
            Some(after) => ("@odata.nextLink", "$skiptoken", Token { after, ..token.clone() }),
            None => {
                let next = Token { since: Some(token.until), after: String::new(), ..token.clone() };
                ("@odata.deltaLink", "$deltatoken", next)
            }
        };
        json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(event)",
            "value": items,
            name: format!("{path}?{parameter}={}", token.written()),
        })
    }

    /// Whether a round has anything to say of an event.
    fn is_listed(&self, event: &Event, token: &Token) -> bool {
        let is_here = event.calendar == token.calendar;
        match token.since {
            None => is_here && !event.is_removed && event.changed <= token.until,
            // What was moved away is removed here.
            Some(since) => event.changed > since && event.changed <= token.until,
        }
    }

    /// The items of an event: what the window has of it, or that it is not there, also if nobody ever knew it.
    fn items(&self, event: &Event, token: &Token, prefer: &Prefer) -> Vec<Value> {
        let is_here = event.calendar == token.calendar && !event.is_removed;
        let within = if is_here { event.within(token.window) } else { Vec::new() };
        if within.is_empty() {
            let id = event.shown_id(prefer);
            let removed =
                json!({ "@odata.type": "#microsoft.graph.event", "id": id, "@removed": { "reason": "deleted" } });
            return if token.since.is_some() { vec![removed] } else { Vec::new() };
        }
        let itself = || {
            let mut shown = event.shown(None, prefer);
            shown["@odata.type"] = "#microsoft.graph.event".into();
            shown
        };
        let occurrences = within.iter().filter_map(|(day, fields)| Some(event.stripped((*day)?, fields, prefer)));
        std::iter::once(itself()).chain(occurrences).collect()
    }
}
