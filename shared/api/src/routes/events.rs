//! `/v1/events`: the feed as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream;
use hooktide_flows::feed::Cursor;
use hooktide_model::names::Channel;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout};
use utoipa::IntoParams;

use crate::answer::{Answer, Params, Refused};
use crate::feed::{cursor_of, read};
use crate::feed_token::FeedReader;
use crate::state::Api;
use crate::streams::{Page, Place, Told, at};

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a silent stream looks whether its token still counts.
const LOOK: Duration = Duration::from_secs(1);
/// How long a reader waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);
/// How long a reader waits before it comes again, where answers cannot be streamed.
const RETRY_UNSTREAMED: Duration = Duration::from_secs(10);

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
    let filter = Filter { channels: channels(query.channels.as_deref())?, tags: list(query.tags.as_deref()) };
    let turn = api.readings().turn(&reader.tenant).await?;
    let cursor = cursor_of(&api, &reader.tenant, Some(after)).await?;
    // An expired cursor is answered as such; later in the stream it could only end it.
    let probe = read(&api, &reader.tenant, &cursor, 1).await?;
    drop(turn);
    // A reader that is up to date gets a cursor of today, so that a silent month does not age it.
    let cursor = if probe.items.is_empty() && !probe.more { probe.next } else { cursor };
    let place = Place::take(&api, &reader.tenant)?;
    let life = api.options().stream_life;
    let (ends_at, retry) = (api.now() + life, if life.is_zero() { RETRY_UNSTREAMED } else { RETRY });
    let greeting = format!("retry: {}\n\n{}", retry.as_millis(), at(&cursor));
    // Followed before the first reading: what is committed after that one is among what follows.
    let pages = (!life.is_zero()).then(|| place.follow());
    let stream = Stream { api, reader, filter, cursor, ends_at, pages, behind: true, said: Instant::now(), place };
    let body = stream::once(async { Ok(Bytes::from(greeting)) }).chain(parts_of(stream));
    let headers = [("content-type", "text/event-stream"), ("cache-control", "no-cache"), ("x-accel-buffering", "no")];
    Ok((headers, Body::from_stream(body)).into_response())
}

struct Filter {
    channels: Vec<Channel>,
    tags: Vec<String>,
}

struct Stream {
    api: Arc<Api>,
    reader: FeedReader,
    filter: Filter,
    cursor: Cursor,
    ends_at: Timestamp,
    /// What the tenant's shared reader reads; none where answers cannot be streamed.
    pages: Option<broadcast::Receiver<Arc<Page>>>,
    /// Whether it has to read by itself.
    behind: bool,
    /// When something was sent last.
    said: Instant,
    place: Place,
}

fn parts_of(stream: Stream) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(stream, |mut stream| async move {
        let part = stream.next().await?;
        stream.said = Instant::now();
        Some((Ok(part), stream))
    })
}

impl Stream {
    /// What is sent next, when there is something; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.reader.still_may(&self.api).await {
                return None;
            }
            let told = match self.page().await {
                Next::Page(page) if page.continues(&self.cursor) => self.take(&page),
                Next::Page(_) => {
                    self.behind = true;
                    continue;
                }
                Next::Nothing if self.said.elapsed() >= HEARTBEAT => Bytes::from_static(b":\n\n"),
                Next::Nothing => continue,
                Next::End => return None,
            };
            if !told.is_empty() {
                return Some(told);
            }
        }
    }

    async fn page(&mut self) -> Next {
        let over = self.api.now() >= self.ends_at;
        if self.behind {
            // The reader comes again with its cursor and gets a fault as a problem.
            let Ok(page) = self.place.catch_up(&self.cursor).await else { return Next::End };
            let Some(page) = page else { return Next::Nothing };
            self.behind = page.more;
            if over {
                // A stream without life reads once.
                (self.behind, self.pages) = (false, None);
            }
            return Next::Page(page);
        }
        let Some(pages) = self.pages.as_mut().filter(|_| !over) else { return Next::End };
        match timeout(LOOK, pages.recv()).await {
            Ok(Ok(page)) => Next::Page(page),
            Ok(Err(RecvError::Lagged(_))) => {
                self.behind = true;
                Next::Nothing
            }
            Ok(Err(RecvError::Closed)) => Next::End,
            Err(_) => Next::Nothing,
        }
    }

    fn take(&mut self, page: &Page) -> Bytes {
        let wants = |told: &Told| self.wants(told);
        let lists = [&self.filter.tags, &self.reader.tags].iter().all(|tags| tags.is_empty());
        let everything = lists && self.filter.channels.is_empty() && self.reader.channels.is_empty();
        let told = page.text(&self.cursor, if everything { None } else { Some(&wants) });
        let cursor = self.cursor.clone();
        self.cursor = if cursor.reaches(&page.after) { cursor } else { page.after.clone().joined(&cursor) };
        told
    }

    fn wants(&self, told: &Told) -> bool {
        let among = |channels: &[Channel]| channels.is_empty() || channels.contains(&told.channel);
        let tagged = |tags: &[String]| tags.is_empty() || told.tags.iter().any(|tag| tags.contains(tag));
        among(&self.filter.channels)
            && among(&self.reader.channels)
            && tagged(&self.filter.tags)
            && tagged(&self.reader.tags)
    }
}

/// What comes next.
enum Next {
    /// A page of the feed.
    Page(Arc<Page>),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    End,
}

fn channels(text: Option<&str>) -> Answer<Vec<Channel>> {
    let unknown = |name: &str| Refused::invalid("channels", format!("{name:?} is no channel"));
    list(text).iter().map(|name| Channel::from_name(name).ok_or_else(|| unknown(name))).collect()
}

fn list(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(|text| text.split(',')).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
