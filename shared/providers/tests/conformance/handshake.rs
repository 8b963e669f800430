//! Handshakes are answered byte for byte, and nothing else is taken for one.
//!
//! `handshakes/*.http` has requests; the comments say what comes of each: `# status`, and with it `# content-type` and
//! `# answer` (the text to the last byte), or `# keeps` (a code), or `# none` (why it is no handshake).

use hooktide_providers::{Arrival, HandshakeReply, Webhooks};
use http::Request;
use http::header::CONTENT_TYPE;

use crate::evidence::{Evidence, Fixture};
use crate::rule::{Complaints, Failure};

fn handshake(provider: &dyn Webhooks, fixture: &Fixture) -> Option<HandshakeReply> {
    let attempt = fixture.attempt();
    let (mut parts, body) = attempt.request.clone().into_parts();
    parts.uri = fixture.target.replace("{endpoint}", "recorded").parse().unwrap();
    let request = Request::from_parts(parts, body);
    provider.handshake(&Arrival { request: &request, ..attempt.arrival() })
}

/// Each recorded handshake comes to what it says.
pub(crate) fn as_recorded(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let mut failures = Vec::new();
    for fixture in &evidence.handshakes {
        let mut complaints = Complaints::default();
        compare(fixture, handshake(provider, fixture), &mut complaints);
        failures.extend(complaints.of(provider, &fixture.name));
    }
    failures
}

fn compare(fixture: &Fixture, found: Option<HandshakeReply>, complaints: &mut Complaints) {
    let said = |name: &str| fixture.comments.get(name).map(String::as_str);
    match (found, said("status"), said("keeps"), said("none")) {
        (Some(HandshakeReply::Answer(answer)), Some(status), None, None) => {
            let of_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let body = std::str::from_utf8(answer.body());
            let expected = (status, said("content-type"), Ok(said("answer").unwrap_or_default()));
            if (answer.status().as_str(), of_type, body) != expected {
                complaints.add(format!("is answered {answer:?}, not {expected:?}"));
            }
        }
        (Some(HandshakeReply::Keep(code)), None, Some(keeps), None) if code == keeps => {}
        (None, None, None, Some(_)) => {}
        (found, ..) => complaints.add(format!("comes to {found:?}, which its comments do not say")),
    }
}

/// No delivery is taken for a handshake: it would be answered and lost.
pub(crate) fn deliveries_are_none(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    crate::rule::each(provider, evidence, |fixture, complaints| {
        if let Some(found) = handshake(provider, fixture) {
            complaints.add(format!("is taken for a handshake: {found:?}"));
        }
    })
}
