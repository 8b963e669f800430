//! `/v1/events`: the feed as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use hooktide_core::feed::{ChangeView, Cursor};
use hooktide_core::names::Channel;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::changes::{cursor_of, place_after, read, views};
use crate::access::FeedReader;
use crate::answer::{Answer, Params, Refused};
use crate::state::Api;

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);
/// How long a reader waits before it comes again, where answers cannot be streamed.
const RETRY_UNSTREAMED: Duration = Duration::from_secs(10);
/// How often a stream looks where nothing rings.
const LOOK: Duration = Duration::from_secs(1);
/// How often a stream looks where something rings: another process may have committed.
const LOOK_ANYWAY: Duration = Duration::from_secs(15);
/// How many entries are read at once.
const PAGE: usize = 100;

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// A cursor; `Last-Event-ID` comes before it. Without either, from now on.
    after: Option<String>,
    /// Only these channels, separated by commas.
    channels: Option<String>,
    /// Only changes with one of these tags, separated by commas.
    tags: Option<String>,
}

/// Changes as they come. `id` is the cursor, `event` the channel; resume with `Last-Event-ID`.
#[utoipa::path(get, path = "/v1/events", operation_id = "stream_events", params(EventsQuery),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 410)))]
pub(crate) async fn events(
    State(api): State<Arc<Api>>,
    reader: FeedReader,
    Params(query): Params<EventsQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    let after = last.or(query.after.as_deref()).unwrap_or("now");
    let cursor = cursor_of(&api, &reader.tenant, Some(after)).await?;
    let filter = Filter { channels: channels(query.channels.as_deref())?, tags: list(query.tags.as_deref()) };
    // An expired cursor is answered as such; later in the stream it could only end it.
    let probe = read(&api, &reader.tenant, &cursor, 1).await?;
    // A reader that is up to date gets a cursor of today, so that a silent month does not age it.
    let cursor = if probe.items.is_empty() && !probe.more { probe.next } else { cursor };
    let ends_at = api.now() + api.options().stream_life;
    let bell = api.bell();
    let retry = if api.options().stream_life.is_zero() { RETRY_UNSTREAMED } else { RETRY };
    let mut ready = VecDeque::from([Event::default().retry(retry)]);
    ready.push_back(Event::default().id(cursor.to_text()));
    let source = Source { api, reader, filter, cursor, ready, bell, ends_at, ended: false, begun: false };
    let body = Sse::new(events_of(source)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(([("cache-control", "no-cache"), ("x-accel-buffering", "no")], body).into_response())
}

struct Filter {
    channels: Vec<Channel>,
    tags: Vec<String>,
}

struct Source {
    api: Arc<Api>,
    reader: FeedReader,
    filter: Filter,
    cursor: Cursor,
    ready: VecDeque<Event>,
    bell: Option<watch::Receiver<u64>>,
    ends_at: Timestamp,
    ended: bool,
    /// Whether something was read already: a stream without life reads once.
    begun: bool,
}

fn events_of(source: Source) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(source, |mut source| async move {
        loop {
            if let Some(event) = source.ready.pop_front() {
                return Some((Ok(event), source));
            }
            if source.ended {
                return None;
            }
            source.fill().await;
        }
    })
}

impl Source {
    /// Reads what comes next, waiting for it if there is nothing yet.
    async fn fill(&mut self) {
        if self.begun && self.api.now() >= self.ends_at {
            self.ended = true;
            return;
        }
        self.begun = true;
        // Marked before reading, so that what is committed meanwhile rings again.
        if let Some(bell) = &mut self.bell {
            bell.borrow_and_update();
        }
        let Ok(more) = self.take().await else {
            // The reader comes again with its cursor and gets the answer as a problem.
            self.ended = true;
            return;
        };
        if !self.ready.is_empty() || more || self.api.now() >= self.ends_at {
            return;
        }
        match &mut self.bell {
            Some(bell) => drop(tokio::time::timeout(LOOK_ANYWAY, bell.changed()).await),
            None => tokio::time::sleep(LOOK).await,
        }
    }

    async fn take(&mut self) -> Result<bool, Refused> {
        let reading = read(&self.api, &self.reader.tenant, &self.cursor, PAGE).await?;
        let with_change = reading.items.iter().filter(|item| item.entry.change.is_some());
        let items: Vec<_> = with_change.cloned().collect();
        let views = views(&self.api, &self.reader.tenant, &items).await?;
        let (next, more) = place_after(&reading, &items, views.len());
        let mut told = Vec::new();
        for (item, view) in items.iter().zip(views) {
            for (nth, channel) in view.kind.channels().iter().enumerate().skip(item.skip) {
                if self.wants(&view, *channel) {
                    told.push((item.cursor_after(nth + 1), *channel, data(&view, *channel)));
                }
            }
        }
        match told.last_mut() {
            // With the last of them, the reader had all that was read.
            Some(last) => last.0 = next.clone(),
            // Nothing of it is wanted: the reader still learns how far the feed is.
            None if !reading.items.is_empty() => self.ready.push_back(Event::default().id(next.to_text())),
            None => {}
        }
        let event = |(cursor, channel, data): (Cursor, Channel, String)| {
            Event::default().id(cursor.to_text()).event(channel.as_str()).data(data)
        };
        self.ready.extend(told.into_iter().map(event));
        self.cursor = next;
        Ok(more)
    }

    fn wants(&self, view: &ChangeView, channel: Channel) -> bool {
        let among = |channels: &[Channel]| channels.is_empty() || channels.contains(&channel);
        let tagged = |tags: &[String]| tags.is_empty() || view.tags.iter().any(|tag| tags.contains(tag));
        among(&self.filter.channels)
            && among(&self.reader.channels)
            && tagged(&self.filter.tags)
            && tagged(&self.reader.tags)
    }
}

fn data(view: &ChangeView, channel: Channel) -> String {
    let told = if channel.is_invalidation() { view.invalidation() } else { serde_json::json!(view) };
    told.to_string()
}

fn channels(text: Option<&str>) -> Answer<Vec<Channel>> {
    let unknown = |name: &str| Refused::invalid("channels", format!("{name:?} is no channel"));
    list(text).iter().map(|name| Channel::from_name(name).ok_or_else(|| unknown(name))).collect()
}

fn list(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(|text| text.split(',')).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
