//! The body of a request on its way in: it may take so long, and all of them together are so large.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hooktide_model::envelope::LARGEST_VERIFIED;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use super::room::{OnItsWay, PATIENCE, Room};

/// How long what nobody reads is listened to, so that its sender comes to read the answer.
const DISCARDING: Duration = Duration::from_secs(5);

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    /// The body took too long.
    #[error("the body took too long")]
    Slow,
    /// There is no room for it.
    #[error("too many bodies are under way")]
    Crowded,
    /// Its sender is gone, or sent what is no body.
    #[error("the body broke off")]
    Broken,
}

impl Unread {
    /// The answer, where it matters to whoever gets it.
    fn answer(self) -> Option<Response> {
        match self {
            Self::Slow => Some(StatusCode::REQUEST_TIMEOUT.into_response()),
            Self::Crowded => {
                let detail = "Too many bodies are being received at once; send it again.";
                let problem = Problem::new(ProblemType::Unavailable, detail).retry_after(PATIENCE.as_secs());
                Some(problem.into_response().map(Body::from))
            }
            Self::Broken => None,
        }
    }
}

/// One request's body, and the room that it takes until this is dropped.
#[derive(Debug)]
pub(super) struct Intake {
    room: Arc<Room>,
    until: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<OwnedSemaphorePermit>,
    /// How many bytes have come.
    heard: usize,
    /// The body, while nobody waits for the next part of it; and its entry among those that take room.
    body: Option<Incoming>,
    on_its_way: Option<OnItsWay>,
    unread: Option<Unread>,
}

impl Intake {
    /// The intake of a body that has until then.
    pub(super) fn new(body: Incoming, room: &Arc<Room>, until: Instant) -> Arc<Self> {
        let state = State { body: (!body.is_end_stream()).then_some(body), ..State::default() };
        Arc::new(Self { room: Arc::clone(room), until, state: Mutex::new(state) })
    }

    /// The body, as handlers read it.
    pub(super) fn body(self: &Arc<Self>) -> Body {
        if self.state().body.is_none() {
            return Body::empty();
        }
        Body::from_stream(stream::unfold(Arc::clone(self), |intake| async move {
            let part = intake.next().await.transpose()?;
            Some((part, intake))
        }))
    }

    /// The answer if the body could not be read, whatever its handler made of that.
    pub(super) fn refusal(&self) -> Option<Response> {
        let mut answer = self.state().unread.and_then(Unread::answer)?;
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        Some(answer)
    }

    /// What nobody has read, if there is any left.
    pub(super) fn left(&self) -> Option<Incoming> {
        self.state().body.take()
    }

    async fn next(&self) -> Result<Option<Bytes>, Unread> {
        let Some(mut body) = self.left() else { return Ok(None) };
        let on_its_way = self.state().on_its_way.take();
        let cut = on_its_way.as_ref().map(OnItsWay::signal);
        loop {
            let frame = tokio::select! {
                frame = timeout_at(self.until, body.frame()) => frame,
                () = cut_off(cut.as_deref()) => return Err(self.failed(Unread::Slow)),
            };
            let frame = match frame {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(_))) => return Err(self.failed(Unread::Broken)),
                Err(_) => return Err(self.failed(Unread::Slow)),
            };
            let Ok(part) = frame.into_data() else { continue };
            if !part.is_empty() {
                self.hold(part.len()).await.map_err(|unread| self.failed(unread))?;
                let state = &mut *self.state();
                // To cut off a body that takes no room would help nobody.
                let takes_room = state.held.as_ref().is_some_and(|held| held.num_permits() > 0);
                let enter = || takes_room.then(|| self.room.enter(Instant::now()));
                (state.body, state.on_its_way) = (Some(body), on_its_way.or_else(enter));
                return Ok(Some(part));
            }
        }
    }

    async fn hold(&self, bytes: usize) -> Result<(), Unread> {
        let before = self.state().heard;
        let more = self.room.hold(before, bytes).await.ok_or(Unread::Crowded)?;
        let state = &mut *self.state();
        state.heard += bytes;
        match &mut state.held {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    fn failed(&self, unread: Unread) -> Unread {
        self.state().unread = Some(unread);
        unread
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a body is cut off, if it can be.
async fn cut_off(signal: Option<&Notify>) {
    match signal {
        Some(signal) => signal.notified().await,
        None => std::future::pending().await,
    }
}

/// Listens to a body without keeping it, for a while: a sender that is cut off while it speaks never reads its answer.
pub(super) async fn discard(mut body: Incoming) {
    let mut heard = 0;
    let listening = async {
        while let Some(Ok(frame)) = body.frame().await {
            heard += frame.data_ref().map_or(0, Bytes::len);
            if heard > LARGEST_VERIFIED {
                return;
            }
        }
    };
    // However it ends.
    timeout(DISCARDING, listening).await.ok();
}
