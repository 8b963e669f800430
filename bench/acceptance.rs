//! N1: the receiver's own share of acceptance, against the least that any receiver does.

use futures::FutureExt;
use hooktide_flows::receive::Receiver;
use hooktide_functions::gateway::{bytes_of, source_of};
use hooktide_model::signing;
use hooktide_tests::gateway;
use hooktide_tests::world::{SECRET, World};
use jiff::Timestamp;
use lambda_http::request::LambdaRequest;
use serde_json::Value;

use crate::report::{Report, Verdict};
use crate::rounds::{Contestant, medians};
use crate::{bodies, instructions};

/// The sizes of bodies, in bytes.
pub(crate) const SIZES: [usize; 3] = [1024, 4 * 1024, 64 * 1024];
/// How many rounds are measured.
const ROUNDS: usize = 151;
/// How many times the floor the own share may be.
const MOST: f64 = 2.0;

/// A receiver that has seen its endpoint, and an event for it.
pub(crate) struct Acceptance {
    receiver: Receiver,
    event: Vec<u8>,
    now: Timestamp,
}

impl Acceptance {
    /// With a body of so many bytes.
    pub(crate) async fn new(size: usize) -> Self {
        let world = World::new().await;
        let (shop, now) = (world.shop().await, world.now());
        let receiver = world.receiver();
        let request = world.signed(&shop, "products/update", bodies::product(&shop.account, 1, now, size));
        let event = gateway::event(now, &request).to_string().into_bytes();
        let acceptance = Self { receiver, event, now };
        // The first request reads the endpoint.
        let answer = acceptance.receiver.receive(request, "192.0.2.10", now).await;
        assert!(answer.status().is_success(), "the delivery is accepted");
        acceptance
    }

    /// What the receiver function does with an event, up to the call of the queue.
    pub(crate) fn own(&self) {
        let request: lambda_http::Request = self.request();
        let source = source_of(&request);
        let answer = self.receiver.receive(request.map(bytes_of), &source, self.now).now_or_never();
        assert!(answer.is_some_and(|answer| answer.status().is_success()), "in memory, nothing waits");
    }

    /// What no receiver can do without: it reads the event, computes the body's MAC and parses the body.
    pub(crate) fn floor(&self) {
        let (parts, body) = self.request().into_parts();
        let body = bytes_of(body);
        let mac = signing::hmac_sha256(SECRET.as_bytes(), &[&body]);
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        drop(std::hint::black_box((parts, mac, value)));
    }

    fn request(&self) -> lambda_http::Request {
        serde_json::from_slice::<LambdaRequest>(&self.event).expect("an event").into()
    }
}

/// Measures all sizes, by time and by instructions.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for size in SIZES {
        let acceptance = runtime.block_on(Acceptance::new(size));
        let calls = u32::try_from(400 * 1024 / size).unwrap_or(1).clamp(10, 200);
        let mut contestants =
            [Contestant::new(calls, || acceptance.floor()), Contestant::new(calls, || acceptance.own())];
        let times = medians(ROUNDS, &mut contestants);
        let [floor, own] = [0, 1].map(|index| times[index].as_secs_f64() * 1e6);
        let ratio = own / floor;
        let what = format!("own share of acceptance, {} KB ({own:.1} us) to the floor ({floor:.1} us)", size / 1024);
        report.judge("N1", &what, format!("{ratio:.2}"), "at most 2.00", Verdict::Required(ratio <= MOST));
    }
    for size in SIZES {
        let what = format!("the same in instructions, {} KB", size / 1024);
        let figure = match instructions::compare(["accept", &size.to_string()]) {
            Ok([floor, own]) => format!("{:.2} ({:.0} to {:.0} thousand)", own / floor, own / 1e3, floor / 1e3),
            Err(reason) => format!("not measured: {reason}"),
        };
        report.show("N1", &what, figure);
    }
}
