//! Serving the simulators of providers' APIs: the API itself at the provider's paths, and controls at `/_control`.
//!
//! What the simulator sends is sent from here, and here it is dropped, doubled or delayed, as the faults say.

mod control;
mod faults;
mod notify;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hooktide_providers::Provider;
use hooktide_providers::simulator::Simulator;
use hooktide_store::ports::Clock;
use tokio::net::TcpListener;

use self::faults::Faults;
use self::notify::Notifier;

/// The largest request that is read, in bytes.
const LARGEST: usize = 8 * 1024 * 1024;
/// How often a simulator is asked what it has to send.
const LOOKS: Duration = Duration::from_millis(500);

/// A simulator that is served.
pub(crate) struct Served {
    simulator: Mutex<Box<dyn Simulator>>,
    faults: Mutex<Faults>,
    notifier: Notifier,
    clock: Arc<dyn Clock>,
}

impl Served {
    /// Does something with the simulator, and sends what it has to send.
    fn with<T>(self: &Arc<Self>, act: impl FnOnce(&mut dyn Simulator, jiff::Timestamp) -> T) -> T {
        let now = self.clock.now();
        let (result, notifications) = {
            let mut simulator = self.simulator.lock().unwrap_or_else(PoisonError::into_inner);
            let result = act(&mut **simulator, now);
            (result, simulator.take_notifications(now))
        };
        for notification in notifications {
            self.send(notification);
        }
        result
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of a simulator.
fn router(served: Arc<Served>) -> Router {
    Router::new()
        .route("/_control/edit", post(control::edit))
        .route("/_control/faults", post(control::faults))
        .route("/_control/state", get(control::state))
        .fallback(api)
        .with_state(served)
}

/// Sends what a simulator holds back until its time has come, such as a repeat of what was refused.
async fn send_what_is_due(served: Arc<Served>) {
    let mut ticks = tokio::time::interval(LOOKS);
    loop {
        ticks.tick().await;
        served.with(|_, _| ());
    }
}

/// Serves a provider's simulator on a listener until `shutdown` completes; `false` if the provider has none.
pub async fn serve(
    provider: &dyn Provider,
    seed: u64,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<bool> {
    let Some(simulator) = provider.simulator(seed) else { return Ok(false) };
    let served = Arc::new(Served {
        simulator: Mutex::new(simulator),
        faults: Mutex::new(Faults::default()),
        notifier: Notifier::default(),
        clock,
    });
    let server = axum::serve(listener, router(Arc::clone(&served))).with_graceful_shutdown(shutdown);
    tokio::select! {
        ended = server => ended?,
        () = send_what_is_due(served) => {}
    }
    Ok(true)
}

/// A call of the provider's API.
async fn api(State(served): State<Arc<Served>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let is_down = served.faults().down;
    if is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let request = axum::http::Request::from_parts(parts, body);
    let answer = served.with(|simulator, now| simulator.answer(&request, now));
    if served.faults().loses(request.uri().path(), request.body()) {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    answer.map(Body::from)
}
