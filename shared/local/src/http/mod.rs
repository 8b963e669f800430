//! The server's side of HTTP: a loop that accepts, and bounds on what whoever connects can cost.
//!
//! Connections are bounded in number and time, headers and bodies in size and time, and all bodies together in size.
//! When there are too many connections, those go that are half open or rest, never one with a request under way. A
//! stream of events is a request under way, as long as its reader takes what it is sent.

mod connections;
mod files;
mod framing;
mod intake;
mod room;
mod watched;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderValue, Request};
use axum::response::Response;
use hooktide_flows::settings::Serving;
use hooktide_model::envelope::LARGEST_VERIFIED;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;
use tracing::{debug, warn};

use self::connections::{Connection, Connections, UnderWay};
use self::intake::{Intake, discard};
use self::room::Room;
use self::watched::Watched;

/// How large the header of a request may be, and what is read of a body at once.
const LARGEST_HEADER: usize = 32 * 1024;
/// How often connections are looked at for whether they have had their time.
const SWEEP: Duration = Duration::from_secs(1);
/// How often a new connection looks again for one that can be spared.
const LOOK: Duration = Duration::from_millis(50);
/// How long the loop rests when the system gives it no connection.
const REST: Duration = Duration::from_millis(100);
/// How often at the most that is said.
const SAID: Duration = Duration::from_secs(60);

/// What all connections share.
struct Shared {
    app: Router,
    limits: Serving,
    connections: Connections,
    room: Arc<Room>,
    stopped: watch::Receiver<bool>,
}

/// The settings as far as the system lets them be: streams of events are half of all connections at the most.
pub(crate) fn fitting(settings: Serving) -> Serving {
    let connections = files::connections(settings.connections);
    Serving { connections, streams: settings.streams.min(connections / 2).max(1), ..settings }
}

/// Serves until `stopped` says so; open requests then have `grace` to end.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Serving,
    mut stopped: watch::Receiver<bool>,
    grace: Duration,
) {
    let places = Arc::new(Semaphore::new(limits.connections as usize));
    let room = Room::new(limits.body_bytes);
    let shared = Shared { app, limits, connections: Connections::default(), room, stopped: stopped.clone() };
    let shared = Arc::new(shared);
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(Arc::clone(&shared)));
    loop {
        // Stopping in between loses nothing: what was not answered comes again.
        let next = async {
            let (stream, peer) = accept(&listener, &shared.connections).await;
            (stream, peer, place(&places, &shared.connections).await)
        };
        let (stream, peer, place) = tokio::select! {
            next = next => next,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            let _place = place;
            let (number, connection) = shared.connections.enter(Instant::now());
            converse(&shared, stream, peer, connection).await;
            shared.connections.leave(number);
        });
        while tasks.try_join_next().is_some() {}
    }
    drop(listener);
    let ended = timeout(grace, async { while tasks.join_next().await.is_some() {} }).await;
    debug!(in_time = ended.is_ok(), "no connection is open any more");
}

/// The next connection. One that ended before it began is passed over; when the system has no file left for it, one
/// that can be spared goes.
async fn accept(listener: &TcpListener, connections: &Connections) -> (TcpStream, SocketAddr) {
    let mut said: Option<Instant> = None;
    loop {
        use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                if said.is_none_or(|said| said.elapsed() >= SAID) {
                    warn!(%error, "no connection can be accepted; it is tried again");
                    said = Some(Instant::now());
                }
                connections.shed(Instant::now());
                sleep(REST).await;
            }
        }
    }
}

/// A place among the connections. When there is none, one that can be spared goes; when none can, this waits.
async fn place(places: &Arc<Semaphore>, connections: &Connections) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        connections.shed(Instant::now());
        if let Ok(place) = timeout(LOOK, Arc::clone(places).acquire_owned()).await {
            return place.ok();
        }
    }
}

async fn sweep(shared: Arc<Shared>) {
    let mut stopped = shared.stopped.clone();
    while timeout(SWEEP, stopped.wait_for(|stop| *stop)).await.is_err() {
        shared.connections.sweep(&shared.limits, Instant::now());
    }
}

/// Answers what comes over a connection, until it ends or has to.
async fn converse(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, connection: Arc<Connection>) {
    // Answers are written whole; to wait for more of them would only delay them.
    stream.set_nodelay(true).ok();
    let service = service_fn(|request| answer(Arc::clone(shared), Arc::clone(&connection), peer, request));
    let io = TokioIo::new(Watched { stream, connection: Arc::clone(&connection) });
    let mut builder = http1::Builder::new();
    // hyper's own time-out is the same for a header and for a rest between two requests; `Connections` tells them apart.
    builder.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(LARGEST_HEADER);
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut stopped = shared.stopped.clone();
    let mut ending = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    debug!(%peer, %error, "a connection ended in the middle");
                }
                return;
            }
            () = connection.closing() => {
                if connection.gives_way() {
                    return;
                }
            }
            _ = stopped.wait_for(|stop| *stop), if !ending => {
                if connection.is_resting() {
                    return;
                }
                ending = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let began = Instant::now();
    let (under_way, ambiguous) = connection.begin(began);
    let under_way = Arc::new(under_way);
    let (mut parts, body) = request.into_parts();
    let intake = Intake::new(body, &shared.room, began + shared.limits.body_time);
    let refusal = refusal(&parts.headers, ambiguous);
    let response = match refusal {
        Some(response) => response,
        None => {
            parts.extensions.insert(ConnectInfo(peer));
            let Ok(response) = shared.app.clone().oneshot(Request::from_parts(parts, intake.body())).await;
            intake.refusal().unwrap_or(response)
        }
    };
    if let Some(left) = intake.left() {
        let under_way = Arc::clone(&under_way);
        tokio::spawn(async move {
            discard(left).await;
            drop(under_way);
        });
    }
    Ok(response.map(|body| Answer { body, _held: (under_way, intake) }))
}

/// The answer to a request whose header says that nobody will read its body.
fn refusal(headers: &HeaderMap, ambiguous: bool) -> Option<Response> {
    let problem = if ambiguous {
        Problem::new(ProblemType::BadRequest, "Give Content-Length or Transfer-Encoding, not both.")
    } else if declared(headers).is_some_and(|length| length > LARGEST_VERIFIED as u64) {
        Problem::new(ProblemType::TooLarge, "The body is larger than anything that is taken here.")
    } else {
        return None;
    };
    let mut response = problem.into_response().map(Body::from);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

/// The length that a header gives for the body.
pub(crate) fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body of an answer; while it lasts, its request is under way.
struct Answer {
    body: Body,
    _held: (Arc<UnderWay>, Arc<Intake>),
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
