//! Scopes: what an app asks for, what its owner granted, and what an answer says is lacking. Pure.

use http::header::WWW_AUTHENTICATE;

use super::ConsentPage;
use crate::Answer;

/// How much of a body is searched, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// The scopes that are asked for and that none of those that were granted stands for.
pub(super) fn missing(consent: &ConsentPage, granted: &[String]) -> Vec<&'static str> {
    let is_granted =
        |wanted: &str| granted.iter().any(|granted| granted == wanted || (consent.implies)(granted, wanted));
    consent.scopes.iter().copied().filter(|wanted| !is_granted(wanted)).collect()
}

/// The scopes that are asked for and that an answer names, in its body or in the header of RFC 6750. Nothing else of the answer
/// is repeated.
pub(super) fn named(consent: &ConsentPage, answer: &Answer) -> Vec<&'static str> {
    let body = answer.body();
    let body = String::from_utf8_lossy(&body[..body.len().min(LONGEST_BODY)]);
    let headers = answer.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
    let words: Vec<&str> = std::iter::once(&*body).chain(headers).flat_map(words).collect();
    consent.scopes.iter().copied().filter(|wanted| words.contains(wanted)).collect()
}

/// The words of a text that can be scopes: without what stands around them in prose and JSON.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = |letter: char| letter.is_whitespace() || "\"'`\\,;()[]{}<>=".contains(letter);
    text.split(between).map(|word| word.trim_end_matches(['.', ':'])).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;
    use crate::Base;

    fn page(scopes: &'static [&'static str], implies: fn(&str, &str) -> bool) -> ConsentPage {
        ConsentPage { implies, ..ConsentPage::of(Base::Fixed("https://a.example"), scopes) }
    }

    #[test]
    fn what_was_granted_stands_for_itself_and_for_what_it_implies() {
        let page = page(&["read_a", "read_b"], |granted, wanted| {
            granted.strip_prefix("write_").is_some_and(|of| wanted.strip_prefix("read_") == Some(of))
        });
        for (granted, expected) in [
            (&["read_a", "read_b"][..], &[][..]),
            (&["read_b", "more", "read_a"], &[]),
            (&["write_a", "read_b"], &[]),
            (&["read_a"], &["read_b"]),
            (&["read_ab", "write_b"], &["read_a"]),
            (&[], &["read_a", "read_b"]),
        ] {
            let granted: Vec<String> = granted.iter().map(|scope| (*scope).to_owned()).collect();
            assert_eq!(missing(&page, &granted), expected, "{granted:?}");
        }
    }

    #[test]
    fn an_answer_names_what_is_lacking_in_its_body_or_its_header() {
        const EVENTS: &str = "https://api.example/auth/events.readonly";
        let page = page(&["ITEMS_READ", "read_stock", EVENTS], |_, _| false);
        let lists = r#"Bearer realm="https://a.example/", error="insufficient_scope", scope="https://api.example/auth/events https://api.example/auth/events.readonly""#;
        for (body, header, expected) in [
            (
                r#"{"errors":[{"detail":"authorize your application for the following scopes: ITEMS_READ"}]}"#,
                "",
                &["ITEMS_READ"][..],
            ),
            (r#"{"errors":[{"detail":"scopes: ITEMS_READ, ITEMS_WRITE."}]}"#, "", &["ITEMS_READ"]),
            (r#"{"errors":[{"extensions":{"requiredAccess":"`read_stock` access scope."}}]}"#, "", &["read_stock"]),
            (r#"{"errors":[{"message":"Required access: \"read_stock\" access scope"}]}"#, "", &["read_stock"]),
            ("{}", lists, &[EVENTS]),
            ("{}", "", &[]),
            (r#"{"detail":"UNREAD_ITEMS_READ, read_stocks, items_read"}"#, "", &[]),
            ("\u{fffd}\u{0}", "", &[]),
        ] {
            let answer = Response::builder().status(403).header(WWW_AUTHENTICATE, header);
            let answer = answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
            assert_eq!(named(&page, &answer), expected, "{body} {header}");
        }
    }
}
