//! What proves a request is read strictly: there, once, short, plain ASCII, canonical, whole.

use hooktide_model::fault::AuthFault;
use hooktide_providers::Webhooks;

use crate::evidence::Evidence;
use crate::rule::{Failure, each};

/// The longest signature header that may be looked at, in bytes.
const LONGEST: usize = 512;
/// The alphabet of base64, in order.
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A header's values in place of its one: what was done, and the values.
type Tampered = (String, Vec<Vec<u8>>);

/// Refuses each fixture with each of these headers in place of its own.
fn refuses(provider: &dyn Webhooks, evidence: &Evidence, tampered: impl Fn(&str) -> Vec<Tampered>) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some((place, value)) = fixture.signature() else {
            return complaints.add("does not say where its signature stands");
        };
        let list = fixture.scheme(provider).is_some_and(|scheme| scheme.list);
        for (what, values) in tampered(&value) {
            assert!(values != [value.as_bytes()], "{what} changes nothing");
            if list && keeps_an_entry(&value, &values) {
                continue;
            }
            let opened = fixture.attempt().proof(&place, &value, &values).open(provider);
            if opened.is_ok_and(|verified| verified.dropped().is_empty()) {
                complaints.add(format!("is accepted with its signature {what}"));
            }
        }
    })
}

/// Whether an entry of the list is still whole, so that it rightly suffices.
fn keeps_an_entry(value: &str, tampered: &[Vec<u8>]) -> bool {
    let [tampered] = tampered else { return false };
    let Ok(tampered) = std::str::from_utf8(tampered) else { return false };
    let whole = |entry: &str| value.split(' ').any(|own| own == entry);
    tampered.is_ascii() && tampered.len() <= LONGEST && tampered.split([' ', '\t']).any(whole)
}

fn one(what: impl Into<String>, value: impl Into<Vec<u8>>) -> Tampered {
    (what.into(), vec![value.into()])
}

/// No signature, or an empty one: refused, and as missing.
pub(crate) fn missing(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let Some((place, value)) = fixture.signature() else {
            return complaints.add("does not say where its signature stands");
        };
        for (what, values) in [("missing", vec![]), ("empty", vec![Vec::new()])] {
            let opened = fixture.attempt().proof(&place, &value, &values).open(provider);
            if opened.as_ref().is_ok_and(|verified| !verified.dropped().is_empty()) {
                continue; // The other items have theirs.
            }
            if opened.as_ref().err() != Some(&AuthFault::Missing) {
                complaints.add(format!("with its signature {what} is not refused as missing: {opened:?}"));
            }
        }
    })
}

/// Two of them: as two headers, and as hosts join them.
pub(crate) fn doubled(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let wrong = changed_at(value, value.len() / 2);
        let mut tampered = Vec::new();
        for (first, second) in [(value, value), (value, wrong.as_str()), (wrong.as_str(), value), ("", value)] {
            tampered.push(("in two headers".into(), vec![first.into(), second.into()]));
            tampered.push(one("joined by a comma", format!("{first},{second}")));
            tampered.push(one("joined by a comma and a space", format!("{first}, {second}")));
            if !first.is_empty() {
                tampered.push(one("twice in a row", format!("{first}{second}")));
            }
        }
        tampered
    })
}

/// Longer than any signature is.
pub(crate) fn overlong(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let fill = |with: &str| with.repeat(LONGEST + 1 - value.len());
        vec![
            one("filled up with letters", format!("{value}{}", fill("A"))),
            one("filled up with padding", format!("{value}{}", fill("="))),
            one("filled up with spaces", format!("{value}{}", fill(" "))),
            one("filled up with zeros before it", format!("{}{value}", fill("0"))),
            one("repeated", value.repeat(LONGEST / value.len() + 1)),
            one("followed by 64 KB", format!("{value}{}", "A".repeat(64 * 1024))),
        ]
    })
}

/// Bytes beyond ASCII, beside and in place of its own.
pub(crate) fn not_ascii(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let bytes = value.as_bytes();
        let last = &bytes[..bytes.len() - 1];
        vec![
            one("and a byte that is not UTF-8", [bytes, b"\xff"].concat()),
            one("after a byte that is not UTF-8", [b"\xff", bytes].concat()),
            one("and a letter beyond ASCII", format!("{value}é")),
            one("after a zero-width space", format!("\u{200b}{value}")),
            one("and a no-break space", format!("{value}\u{a0}")),
            one("ending in a byte beyond ASCII", [last, b"\xbd"].concat()),
            one("ending in a full-width equals sign", [last, "\u{ff1d}".as_bytes()].concat()),
        ]
    })
}

/// White space before, within and after it.
pub(crate) fn white_space(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let mut tampered = Vec::new();
        for (space, name) in [(" ", "a space"), ("\t", "a tab"), ("  ", "two spaces")] {
            for at in [0, 1, value.len() / 2, value.len() - 1, value.len()] {
                let (before, after) = value.split_at(at);
                tampered.push(one(format!("with {name} at {at}"), format!("{before}{space}{after}")));
            }
        }
        tampered
    })
}

/// Other spellings of the same bytes, or what a lenient decoder takes for them.
pub(crate) fn loosely_encoded(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let swapped =
            |byte: u8| if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        let mut tampered = vec![
            one("and padding", format!("{value}=")),
            one("and four characters of padding", format!("{value}====")),
            one("in the other letter case", value.bytes().map(swapped).collect::<Vec<_>>()),
            one("in double quotes", format!("\"{value}\"")),
            one("and a percent-encoded zero", format!("{value}%00")),
            one("and a semicolon", format!("{value};")),
        ];
        let bare = value.trim_end_matches('=');
        if bare != value {
            tampered.push(one("without its padding", bare));
            tampered.push(one("with its padding percent-encoded", value.replace('=', "%3D")));
            tampered.push(one("with stray bits", format!("{}{}", with_stray_bits(bare), &value[bare.len()..])));
        }
        if value.contains(['+', '/']) {
            tampered.push(one("in the alphabet for URLs", value.replace('+', "-").replace('/', "_")));
        }
        tampered
    })
}

/// The last character's unused bits set: lenient decoders give the same bytes.
fn with_stray_bits(bare: &str) -> String {
    let (rest, last) = bare.split_at(bare.len() - 1);
    let index = BASE64.find(last).unwrap_or(0);
    format!("{rest}{}", &BASE64[index | 1..][..1])
}

/// Its start only, at every length, or all but its first character.
pub(crate) fn truncated(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let starts = (1..value.len()).map(|length| one(format!("cut to {length} characters"), &value[..length]));
        starts.chain([one("without its first character", &value[1..])]).collect()
    })
}

/// Another character at any one position: what compares a part only takes some of them.
pub(crate) fn changed(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    refuses(provider, evidence, |value| {
        let anywhere = (0..value.len()).map(|at| one(format!("changed at {at}"), changed_at(value, at)));
        let letters = value.replace(|character: char| character.is_ascii_alphanumeric(), "A");
        anywhere.chain([one("made of one letter", letters)]).collect()
    })
}

/// The text with another character of the same sort at `at`.
pub(crate) fn changed_at(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = match bytes[at] {
        b'z' => b'a',
        b'Z' => b'A',
        b'9' => b'0',
        byte if byte.is_ascii_alphanumeric() => byte + 1,
        _ => b'A',
    };
    String::from_utf8(bytes).unwrap()
}
