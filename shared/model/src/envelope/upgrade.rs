//! Reads messages of this version and of all before it: a dead letter is kept for months, whatever is deployed meanwhile.

use serde_json::{Map, Value};

use super::{Envelope, traceparent_from};

/// An envelope as JSON.
type Form = Map<String, Value>;

/// The upgrades from each version to the next, from version 1 on. None is ever removed.
const UPGRADES: [fn(&mut Form); 2] = [trace, more_kinds];

/// The version that this program writes.
pub const VERSION: u32 = UPGRADES.len() as u32 + 1;

/// Adds the trace context that version 1 lacked. It is derived from the id, so it is the same at every reading.
fn trace(form: &mut Form) {
    let id = form.get("id").and_then(Value::as_str).unwrap_or_default();
    let traceparent = traceparent_from(id.as_bytes());
    form.entry("traceparent").or_insert_with(|| traceparent.into());
}

/// Changes nothing: version 3 adds handshakes and dropped items, and everything in version 2 keeps its meaning.
fn more_kinds(_: &mut Form) {}

/// Why a message is not an envelope that can be processed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeFault {
    /// The message was written by newer code and waits until that code runs here.
    #[error("the message has version {0}, newer than this program's {VERSION}")]
    Newer(u32),
    /// The message is not one of our envelopes.
    #[error("the message is no envelope: {0}")]
    Foreign(String),
}

impl Envelope {
    /// Reads a message of this version or of one before it.
    pub fn decode(message: &str) -> Result<Self, EnvelopeFault> {
        #[derive(serde::Deserialize)]
        struct Version {
            v: u32,
        }
        // Nearly all are of this version, and are read once.
        if let Ok(envelope) = serde_json::from_str::<Self>(message)
            && envelope.v == VERSION
        {
            return Ok(envelope);
        }
        let Version { v } = serde_json::from_str(message).map_err(|error| foreign(&error))?;
        match v {
            VERSION => serde_json::from_str(message).map_err(|error| foreign(&error)),
            0 => Err(EnvelopeFault::Foreign("there is no version 0".to_owned())),
            _ if v > VERSION => Err(EnvelopeFault::Newer(v)),
            _ => {
                let mut form: Form = serde_json::from_str(message).map_err(|error| foreign(&error))?;
                UPGRADES.iter().skip(v as usize - 1).for_each(|upgrade| upgrade(&mut form));
                form.insert("v".to_owned(), VERSION.into());
                serde_json::from_value(Value::Object(form)).map_err(|error| foreign(&error))
            }
        }
    }
}

/// The fault of an unreadable message. The error's own text is left out, since it quotes its input, which may be
/// somebody's data.
fn foreign(error: &serde_json::Error) -> EnvelopeFault {
    let (line, column) = (error.line(), error.column());
    EnvelopeFault::Foreign(format!("{:?} error at line {line}, column {column}", error.classify()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One delivery as each version wrote it.
    const WRITTEN: [&str; VERSION as usize] = [
        include_str!("../../fixtures/envelope-v1.json"),
        include_str!("../../fixtures/envelope-v2.json"),
        include_str!("../../fixtures/envelope-v3.json"),
    ];

    #[test]
    fn every_version_is_read_and_a_newer_one_waits() {
        for (version, written) in (1..).zip(WRITTEN) {
            let envelope = Envelope::decode(written).unwrap();
            let read =
                (envelope.v, envelope.trace().len(), envelope.delivery().map(|delivery| delivery.endpoint.len()));
            assert_eq!(read, (VERSION, 32, Some(22)), "version {version}");
            assert_eq!(Envelope::decode(&envelope.encode().unwrap()), Ok(envelope), "version {version}");
        }
        let newer = WRITTEN[VERSION as usize - 1].replacen(&format!("\"v\": {VERSION}"), "\"v\": 99", 1);
        assert_eq!(Envelope::decode(&newer), Err(EnvelopeFault::Newer(99)));
    }

    #[test]
    fn what_is_no_envelope_is_foreign_and_is_not_repeated() {
        for message in
            ["{}", "no JSON", r#"{"v": 0}"#, r#"{"v": 1, "kind": "secret"}"#, r#"{"v": 3, "kind": "secret"}"#]
        {
            let fault = Envelope::decode(message).unwrap_err();
            assert!(matches!(fault, EnvelopeFault::Foreign(_)) && !fault.to_string().contains("secret"), "{fault}");
        }
    }
}
