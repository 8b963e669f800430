//! Paths of a server, which encodes them in its own way: each is brought to one form before it is compared.

use crate::protocols::address::Address;
use crate::protocols::percent::encoded_but;

/// A path in the one form that it is compared in: each segment decoded, and encoded again where it must be.
pub(super) fn normal(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<String> = path.split('/').map(|segment| encoded(&decoded(segment))).collect();
    segments.join("/")
}

/// The same of a collection, which ends with a slash.
pub(super) fn normal_collection(path: &str) -> String {
    let path = normal(path);
    if path.ends_with('/') { path } else { format!("{path}/") }
}

/// The name of a member of a collection, by their paths in the one form; `None` if it is the collection itself, or lies deeper,
/// or elsewhere, or its name is no text.
pub(super) fn name_in(collection: &str, path: &str) -> Option<String> {
    let name = path.strip_prefix(collection).filter(|name| !name.is_empty() && !name.contains('/'))?;
    String::from_utf8(decoded(name)).ok()
}

/// The path of a member of a collection.
pub(super) fn member(collection: &str, name: &str) -> String {
    format!("{collection}{}", encoded(name.as_bytes()))
}

/// The id of what is at an address: its path, or all of it where that is at another origin than the connection's own.
pub(super) fn id_of(own: &Address, address: &Address) -> String {
    let path = normal_collection(address.path());
    if address.origin == own.origin { path } else { format!("{}{path}", address.origin) }
}

/// The address of what has an id, within what the connection may follow.
pub(super) fn address_of(own: &Address, id: &str) -> Option<Address> {
    let address = own.join(id)?;
    own.may_lead_to(&address).then(|| Address { target: normal_collection(address.path()), ..address })
}

/// Encodes all that a segment of a path cannot have as it is (RFC 3986, section 3.3).
fn encoded(bytes: &[u8]) -> String {
    encoded_but(bytes, |byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte))
}

/// Decodes what is encoded; a sign without two digits stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (digit(at + 1), digit(at + 2)) {
            (Some(high), Some(low)) if *byte == b'%' => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_form_however_it_is_encoded() {
        for (path, expected) in [
            ("/anna/home/", "/anna/home/"),
            ("/anna%40example.com/a%20b%40x.ics", "/anna@example.com/a%20b@x.ics"),
            ("/%61/%e4%2f%C3%A4?x=1", "/a/%E4%2F%C3%A4"),
            ("/100%/%4", "/100%25/%254"),
            ("", ""),
        ] {
            assert_eq!(normal(path), expected);
            assert_eq!(normal(&normal(path)), expected, "{path}");
        }
        assert_eq!(normal_collection("/a"), "/a/");
    }

    #[test]
    fn a_member_has_a_name_below_its_collection() {
        let collection = "/anna@example.com/home/";
        for (path, name) in [
            ("/anna%40example.com/home/a%20b%40x.ics", Some("a b@x.ics")),
            ("/anna%40example.com/home/%2F%25.ics", Some("/%.ics")),
            ("/anna%40example.com/home/", None),
            ("/anna%40example.com/home/deeper/a.ics", None),
            ("/anna%40example.com/home/deeper/", None),
            ("/anna%40example.com/work/a.ics", None),
            ("/anna%40example.com/home/%FF.ics", None),
        ] {
            assert_eq!(name_in(collection, &normal(path)).as_deref(), name, "{path}");
            if let Some(name) = name {
                assert_eq!(member(collection, name), normal(path));
            }
        }
    }

    #[test]
    fn an_id_is_a_path_unless_it_is_at_another_host() {
        let own = Address::parse("https://dav.example.com").unwrap();
        for (url, id) in [
            ("https://dav.example.com/a%20b", "/a%20b/"),
            ("https://p42.example.com/1/home/", "https://p42.example.com/1/home/"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(id_of(&own, &address), id);
            assert_eq!(id_of(&own, &address_of(&own, id).unwrap()), id);
        }
        for id in ["https://evil.example/1/", "http://p42.example.com/1/", "//evil.example/", "/a/../b/"] {
            assert_eq!(address_of(&own, id), None, "{id}");
        }
    }
}
