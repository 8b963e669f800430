//! N1 and N3 over all providers: what each costs against the least that any receiver does, what memory many deliveries of
//! them leave behind, and how large the receiver is that knows them all.

use std::time::{Duration, Instant};

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use hooktide_model::secret::Secrets;
use hooktide_model::signing::{self, Hash, P256Key};
use hooktide_providers::verified;
use hooktide_providers::{Arrival, Covers};
use hooktide_store::ports::Clock;
use hooktide_tests::deliveries::Sender;
use hooktide_tests::world;
use http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::report::{Report, Verdict};
use crate::rounds::{Contestant, medians};
use crate::{flat, instructions, size};

/// How many rounds are measured.
const ROUNDS: usize = 101;
/// How long a round of one contestant takes, about: short ones would measure how cold the processor's caches are.
const ROUND: Duration = Duration::from_millis(2);
/// How many times the floor a provider may take.
const MOST: f64 = 2.0;
/// Where eBay's two halves of a key stand.
const KEYS: [&str; 2] = ["public_key", "sample_key"];

/// The least that a proof can cost.
enum Proof {
    /// A MAC of the body, and of what else is signed before it.
    Mac(Covers),
    /// A MAC of the id that a token is derived from.
    Token,
    /// A signature, with its key at hand.
    Signature(Box<P256Key>, Vec<u8>),
}

/// A provider with a typical delivery.
pub(crate) struct Typical {
    sender: Sender,
    topic: &'static str,
    request: Request<Bytes>,
    secrets: Secrets,
    proof: Proof,
    now: Timestamp,
}

impl Typical {
    /// The provider of that id, with its typical delivery.
    pub(crate) fn of_provider(id: &str) -> Option<Self> {
        let sender = Sender::all().into_iter().find(|sender| sender.provider.id() == id)?;
        Some(Self::of(sender, world::clock().now()))
    }

    fn of(sender: Sender, now: Timestamp) -> Self {
        let topic = sender.typical();
        let request = sender.delivery(topic, 1, now);
        let mut covers = sender.provider.profile().schemes.iter().map(|scheme| scheme.covers);
        // A provider with several schemes signs its changes.
        let signed = covers.find(|covers| *covers != Covers::NOTHING);
        let proof = match (signature(&sender, request.body()), signed) {
            (Some((key, signature)), _) => Proof::Signature(Box::new(key), signature),
            (None, Some(covers)) => Proof::Mac(covers),
            (None, None) => Proof::Token,
        };
        Self { topic, request, secrets: sender.opened(), proof, now, sender }
    }

    /// What is done with a delivery from its arrival to what it tells.
    pub(crate) fn own(&self) {
        let (provider, url) = (self.sender.provider, &self.sender.url);
        let arrival = Arrival { request: &self.request, url, secrets: &self.secrets, now: self.now };
        let verified = verified::open(provider, &arrival).expect("a signed delivery");
        let label = provider.label(&verified);
        provider.readable(&verified).expect("a readable delivery");
        let notices = provider.parse(&verified).expect("a delivery of the documented form");
        drop(std::hint::black_box((label, notices)));
    }

    /// What nobody who receives it can do without.
    pub(crate) fn floor(&self) {
        let body = self.request.body();
        let proved = match &self.proof {
            Proof::Mac(covers) => {
                let url = if covers.url { self.sender.url.as_bytes() } else { b"" };
                let time = if covers.time { TIME } else { b"" };
                signing::hmac_sha256(KEY, &[url, time, body]) != [0; 32]
            }
            Proof::Token => signing::hmac_sha256(KEY, &[KEY]) != [0; 32],
            Proof::Signature(key, signature) => key.verifies(Hash::Sha1, body, signature),
        };
        drop(std::hint::black_box((proved, self.message())));
    }

    /// The message, read: the body as JSON. Where there is none, the headers are the message.
    fn message(&self) -> Value {
        let body = self.request.body();
        if !body.is_empty() {
            return serde_json::from_slice(body).expect("JSON");
        }
        let header = |name: &&str| {
            let value = self.request.headers().get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), value.into()))
        };
        self.sender.provider.profile().headers.iter().filter_map(header).collect::<Map<String, Value>>().into()
    }
}

/// As long as the keys and ids of providers are.
const KEY: &[u8] = b"hush-a-key-of-thirty-two-bytes-1";
/// A time as it is signed, and what stands between it and the body.
const TIME: &[u8] = b"1795009287.";

/// The key of a provider that signs with one of two halves, and its signature of a body.
fn signature(sender: &Sender, body: &[u8]) -> Option<(P256Key, Vec<u8>)> {
    let [public, private] = KEYS.map(|name| {
        let secret = sender.secrets.iter().find(|live| live.name == name)?;
        serde_json::from_slice::<Value>(secret.secret.expose()).ok()
    });
    let (public, private) = (public?, private?);
    let base64 = public["key"].as_str()?.strip_prefix("-----BEGIN PUBLIC KEY-----")?;
    let spki = BASE64.decode(base64.strip_suffix("-----END PUBLIC KEY-----")?.as_bytes()).ok()?;
    let scalar = HEXLOWER.decode(private["key"].as_str()?.as_bytes()).ok()?;
    Some((P256Key::from_spki(&spki)?, signing::sign_p256(&scalar, Hash::Sha1, body)?))
}

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let now = world::clock().now();
    for sender in Sender::all() {
        let typical = Typical::of(sender, now);
        typical.own();
        let began = Instant::now();
        typical.own();
        let calls = (ROUND.as_nanos() / began.elapsed().as_nanos().max(1)).clamp(10, 2_000) as u32;
        let mut contestants = [Contestant::new(calls, || typical.floor()), Contestant::new(calls, || typical.own())];
        let times = medians(ROUNDS, &mut contestants);
        let [floor, own] = [0, 1].map(|index| times[index].as_secs_f64() * 1e6);
        let ratio = own / floor;
        let (id, bytes) = (typical.sender.provider.id(), typical.request.body().len());
        let what = format!("{id}, `{}` of {bytes} bytes", typical.topic);
        let times = format!("({own:.1} us) to its floor ({floor:.1} us)");
        match instructions::compare(["provide", id]) {
            Ok(counts) => {
                let [least, share] = counts.map(|count| count / 1e3);
                let what = format!("{what}, in instructions ({share:.1} thousand) to its floor ({least:.1} thousand)");
                let within = share / least <= MOST;
                report.judge("N1", &what, format!("{:.2}", share / least), "at most 2.00", Verdict::Required(within));
                let what = format!("  the same in time {times}");
                report.judge("N1", &what, format!("{ratio:.2}"), "2.00", Verdict::Aim(ratio <= MOST));
            }
            Err(_) => {
                let within = Verdict::Required(ratio <= MOST);
                report.judge("N1", &format!("{what} {times}"), format!("{ratio:.2}"), "at most 2.00", within);
            }
        }
    }
    flat::measure(report);
    size::measure(report);
}
