//! Parts: how many facts one transaction takes.

use std::ops::Range;

use super::fact::Fact;

/// How many bytes of letters one transaction takes: DynamoDB's has four megabytes.
const BYTES: usize = 2 * 1024 * 1024;
/// How many facts one transaction takes: with their tags and the journal, well under DynamoDB's hundred items.
pub(crate) const FACTS: usize = 25;
/// How many writes the facts of one transaction need at the most, besides those of tags and the journal.
const WRITES: usize = 72;

/// Cuts facts into parts that each fit into one transaction. A fact that never fits is a separate part.
pub(crate) fn parts(facts: &[&Fact]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < facts.len() {
        let (mut bytes, mut writes) = (0, 0);
        let fits = facts[start..].iter().take(FACTS).take_while(|fact| {
            (bytes, writes) = (bytes + fact.bytes(), writes + fact.writes());
            bytes <= BYTES && writes <= WRITES
        });
        let end = start + fits.count().max(1);
        parts.push(start..end);
        start = end;
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::commit::fact::{FactKind, Unclaimed};
    use crate::commit::origin::Origin;
    use hooktide_model::envelope::{Envelope, EnvelopeKind, Handshake};
    use hooktide_model::fault::ErrorClass;
    use hooktide_model::names::Via;
    use hooktide_store::records::dead_letter::DeadLetter;
    use hooktide_store::records::endpoint;

    /// A fact whose records have so many bytes.
    fn fact(bytes: usize) -> Fact {
        let handshake = Handshake { provider: "p".into(), endpoint: "e".into(), code: String::new() };
        let envelope = Envelope::new("id".into(), EnvelopeKind::Handshake(handshake), Timestamp::UNIX_EPOCH);
        let letter = DeadLetter::of(&envelope, ErrorClass::UnknownAccount, "", Timestamp::UNIX_EPOCH).unwrap();
        let letter = Arc::new(DeadLetter { message: "x".repeat(bytes), ..letter });
        let unclaimed = Unclaimed { key: endpoint::route_key("p", "e", "a"), rev: None };
        Fact {
            id: String::new(),
            origin: Arc::new(Origin::of(&envelope, Duration::ZERO)),
            via: Via::Webhook,
            connection: None,
            what: FactKind::Held { account: "a".into(), letter, unclaimed },
            warning: None,
        }
    }

    #[test]
    fn a_part_has_so_many_facts_and_so_many_bytes_at_the_most() {
        let lengths = |sizes: Vec<usize>| -> Vec<usize> {
            let facts: Vec<Fact> = sizes.into_iter().map(fact).collect();
            parts(&facts.iter().collect::<Vec<_>>()).into_iter().map(|part| part.len()).collect()
        };
        assert_eq!(lengths(vec![]), [0; 0]);
        assert_eq!(lengths(vec![10; 60]), [25, 25, 10]);
        assert_eq!(lengths(vec![300 * 1024; 20]), [6, 6, 6, 2]);
        assert_eq!(lengths(vec![BYTES + 1, 1]), [1, 1], "one that never fits is tried all the same");
    }
}
