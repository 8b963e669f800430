//! The signature covers exactly what the provider declares, and that is what its documentation says.

use bytes::Bytes;
use hooktide_model::fault::AuthFault;
use hooktide_providers::{Covers, Proof, Webhooks};
use jiff::{SignedDuration, Timestamp};

use crate::attempt::Attempt;
use crate::evidence::{Evidence, Fixture};
use crate::rule::{Failure, each};

/// What each provider's proofs bind by its documentation, which its README cites; not what our code says.
const DOCUMENTED: &[(&str, Proof, Covers)] = &[
    ("clover", Proof::Header("x-clover-auth"), Covers::NOTHING), // a fixed code
    ("clover", Proof::Header("clover-signature"), Covers::BODY_AND_TIME),
    ("ebay", Proof::Header("x-ebay-signature"), Covers::BODY),
    ("google-calendar", Proof::Header("x-goog-channel-token"), Covers::NOTHING), // there is no body
    ("meta", Proof::Header("x-hub-signature-256"), Covers::BODY),
    ("microsoft-graph", Proof::Field("clientState"), Covers::NOTHING),
    ("paysafe", Proof::Header("signature"), Covers::BODY),
    ("shopify", Proof::Header("x-shopify-hmac-sha256"), Covers::BODY),
    ("square", Proof::Header("x-square-hmacsha256-signature"), Covers::BODY_AND_URL),
    ("standard-webhooks", Proof::Header("webhook-signature"), Covers::BODY_AND_TIME),
    ("standard-webhooks", Proof::Header("svix-signature"), Covers::BODY_AND_TIME), // the same scheme, in Svix's names
    ("whatnot", Proof::Header("webhook-signature"), Covers::BODY_AND_TIME),
    ("woocommerce", Proof::Header("x-wc-webhook-signature"), Covers::BODY),
];

/// How far a signed time may be from now, both ways: what the reference libraries of Standard Webhooks have, and receivers of
/// Clover's form.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Bodies up to this size are changed at every position.
const SMALL: usize = 2048;
/// Larger ones at this many positions, evenly spread, and at each of the first and last [`ENDS`].
const SAMPLED: usize = 256;
const ENDS: usize = 64;

/// The schemes bind what the documentation says, no less and no more.
pub(crate) fn as_documented(provider: &dyn Webhooks, _: &Evidence) -> Vec<Failure> {
    let documented = DOCUMENTED.iter().filter(|(id, ..)| *id == provider.id());
    let documented = documented.map(|(_, proof, covers)| (*proof, *covers)).collect::<Vec<_>>();
    let declared = provider.profile().schemes.iter().map(|scheme| (scheme.proof, scheme.covers)).collect::<Vec<_>>();
    if documented.is_empty() {
        return vec![Failure::new(provider, "schemes", "the table of what is documented has no row for it")];
    }
    if declared == documented {
        return Vec::new();
    }
    vec![Failure::new(provider, "schemes", format!("declares {declared:?}, documented is {documented:?}"))]
}

/// A fixture is accepted as it stands, and its secret is named.
pub(crate) fn accepts_the_recorded(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| match fixture.attempt().open(provider) {
        Err(fault) => complaints.add(format!("is refused: {fault}")),
        Ok(verified) if verified.key_id().is_none_or(|id| id.0 != fixture.key_id()) => {
            complaints.add(format!("is accepted by {:?}, which did not sign it", verified.key_id()));
        }
        Ok(verified) if verified.body() != &fixture.body => complaints.add("comes out with another body"),
        Ok(_) => {}
    })
}

/// A change of the body.
#[derive(Debug)]
enum Change {
    Flip { at: usize, bits: u8 },
    Remove { at: usize },
    Double { at: usize },
    CutAfter(usize),
    Append(&'static str),
    Prepend(&'static str),
    PrintAgain,
    Another(&'static str),
}

impl Change {
    /// All that are tried on a body, from one byte up.
    fn all(body: &[u8]) -> Vec<Self> {
        let mut changes = Vec::new();
        for at in positions(body.len()) {
            changes.extend([1, 0x20, 0x80].map(|bits| Self::Flip { at, bits }));
            changes.extend([Self::Remove { at }, Self::Double { at }, Self::CutAfter(at)]);
        }
        changes.extend(["\n", "\r\n", " ", "\t", "\0", "x"].map(Self::Append));
        changes.extend(["\u{feff}", "\n", " ", "\0", "x"].map(Self::Prepend));
        changes.extend(["", "{}", "null"].map(Self::Another));
        changes.push(Self::PrintAgain);
        changes
    }

    fn of(&self, body: &[u8]) -> Vec<u8> {
        let mut changed = body.to_vec();
        match *self {
            Self::Flip { at, bits } => changed[at] ^= bits,
            Self::Remove { at } => drop(changed.remove(at)),
            Self::Double { at } => changed.insert(at, body[at]),
            Self::CutAfter(length) => changed.truncate(length),
            Self::Append(text) => changed.extend(text.bytes()),
            Self::Prepend(text) => drop(changed.splice(..0, text.bytes())),
            Self::PrintAgain => {
                let value = serde_json::from_slice::<serde_json::Value>(body);
                changed = value.map_or(changed, |value| serde_json::to_vec(&value).unwrap());
            }
            Self::Another(text) => changed = text.into(),
        }
        changed
    }
}

fn positions(length: usize) -> Vec<usize> {
    if length <= SMALL {
        return (0..length).collect();
    }
    let spread = (0..SAMPLED).map(|n| n * length / SAMPLED);
    let mut positions = spread.chain(0..ENDS).chain(length - ENDS..length).collect::<Vec<_>>();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// Every change of the body is refused, if it is covered; some change is accepted, if it is not.
pub(crate) fn body(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let covered = fixture.covers(provider).body;
        let recorded = fixture.attempt();
        let changes = Change::all(&fixture.body).into_iter().map(|change| (change.of(&fixture.body), change));
        let mut changes = changes.filter(|(body, _)| *body != fixture.body);
        let accepted = |body: Vec<u8>| recorded.clone().body(Bytes::from(body)).open(provider).is_ok();
        if covered {
            for (body, change) in changes {
                if accepted(body) {
                    complaints.add(format!("is accepted although its body was changed by {change:?}"));
                }
            }
        } else if !changes.any(|(body, _)| accepted(body)) {
            complaints.add("covers the body, which is not declared");
        }
    })
}

/// Another address is refused, if it is covered, and makes no difference, if it is not.
pub(crate) fn url(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let covered = fixture.covers(provider).url;
        let url = &fixture.url;
        let others = [
            format!("{url}/"),
            format!("{url}?x=1"),
            url[..url.len() - 1].to_owned(),
            url.replacen("https://", "http://", 1),
            url.replacen("https://", "https://x.", 1),
            String::new(),
        ];
        for other in others {
            if fixture.attempt().url(&other).open(provider).is_ok() == covered {
                complaints.add(format!("is {} when sent to {other:?}", refused_or(covered)));
            }
        }
    })
}

/// Another time is refused, if it is covered and further away than is tolerated, and makes no difference, if not.
pub(crate) fn time(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let second = SignedDuration::from_secs(1);
    let day = SignedDuration::from_hours(24);
    let distances = [TOLERANCE - second, TOLERANCE + second, day, 365 * day];
    each(provider, evidence, |fixture, complaints| {
        let covered = fixture.covers(provider).time;
        let now = fixture.now();
        for later in distances.into_iter().flat_map(|distance| [distance, -distance]) {
            let refused = covered && later.abs() > TOLERANCE;
            let opened = fixture.attempt().now(now + later).open(provider);
            if opened.is_ok() == refused {
                complaints.add(format!("is {} {later} later", refused_or(refused)));
            } else if opened.as_ref().is_err_and(|fault| *fault != AuthFault::Expired) {
                complaints.add(format!("is refused {later} later for another reason: {opened:?}"));
            }
        }
        if covered {
            let moved = moved_by_a_second(fixture);
            if moved.is_empty() {
                complaints.add("has its signed time in no header");
            }
            if moved.iter().any(|attempt| attempt.open(provider).is_ok()) {
                complaints.add("is accepted although its time was moved by a second");
            }
        }
    })
}

/// The fixture with its time moved by a second, in each header that has it.
fn moved_by_a_second(fixture: &Fixture) -> Vec<Attempt> {
    let now = fixture.now();
    let later = now + SignedDuration::from_secs(1);
    let forms = |time: Timestamp| [time.as_millisecond().to_string(), time.as_second().to_string(), time.to_string()];
    let mut moved = Vec::new();
    for (old, new) in forms(now).into_iter().zip(forms(later)) {
        for (name, value) in fixture.headers.iter().filter(|(_, value)| value.contains(&old)) {
            moved.push(fixture.attempt().header(name, &[value.replace(&old, &new).into_bytes()]).now(later));
        }
    }
    moved
}

fn refused_or(covered: bool) -> &'static str {
    if covered { "accepted" } else { "refused" }
}
