//! The questions of CalDAV: which properties, of what, how deep.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request};

use super::named;
use crate::Ask;

/// The namespaces of all bodies.
const NAMESPACES: &str =
    r#"xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/""#;

/// Who asks, of which address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// The name to log in with.
    pub(super) user: Option<&'a str>,
    /// The whole address.
    pub(super) url: &'a str,
}

impl Question<'_> {
    /// Asks for properties, of what is at the address, or also of all that is right below it.
    pub(super) fn properties(self, depth: &'static str, properties: &str) -> Ask {
        self.xml("PROPFIND", depth, &format!("<propfind {NAMESPACES}><prop>{properties}</prop></propfind>"))
    }

    /// Asks which members of a collection changed since a token (RFC 6578).
    pub(super) fn changes(self, token: &str) -> Ask {
        let token = escaped(token);
        let wanted = "<sync-level>1</sync-level><prop><getetag/></prop>";
        let body = format!("<sync-collection {NAMESPACES}><sync-token>{token}</sync-token>{wanted}</sync-collection>");
        self.xml("REPORT", "0", &body)
    }

    /// Asks for the texts of members of a calendar, by their paths (RFC 4791, section 7.9).
    pub(super) fn texts(self, paths: impl Iterator<Item = String>) -> Ask {
        let hrefs: String = paths.map(|path| format!("<href>{}</href>", escaped(&path))).collect();
        let wanted = "<prop><getetag/><C:calendar-data/></prop>";
        let body = format!("<C:calendar-multiget {NAMESPACES}>{wanted}{hrefs}</C:calendar-multiget>");
        self.xml("REPORT", "1", &body)
    }

    /// Asks for the text of one resource.
    pub(super) fn get(self) -> Ask {
        self.ask("GET", &[(ACCEPT, "text/calendar")], String::new())
    }

    /// Puts the text of one resource, on a condition.
    pub(super) fn put(self, condition: Option<(HeaderName, &str)>, text: String) -> Ask {
        let of_body = (CONTENT_TYPE, "text/calendar; charset=utf-8");
        let headers: Vec<_> = std::iter::once(of_body).chain(condition).collect();
        self.ask("PUT", &headers, text)
    }

    /// Deletes one resource, on a condition.
    pub(super) fn delete(self, condition: Option<(HeaderName, &str)>) -> Ask {
        let headers: Vec<_> = condition.into_iter().collect();
        self.ask("DELETE", &headers, String::new())
    }

    fn xml(self, method: &str, depth: &'static str, body: &str) -> Ask {
        let headers = [(CONTENT_TYPE, "application/xml; charset=utf-8"), (HeaderName::from_static("depth"), depth)];
        self.ask(method, &headers, format!(r#"<?xml version="1.0" encoding="utf-8"?>{body}"#))
    }

    fn ask(self, method: &str, headers: &[(HeaderName, &str)], body: String) -> Ask {
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        // What is not an address is refused by whoever sends it.
        *request.uri_mut() = self.url.parse().unwrap_or_default();
        if let Some(named) = self.user.and_then(named) {
            request.headers_mut().insert(AUTHORIZATION, named);
        }
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        }
        Ask::Http(request)
    }
}

/// A text as XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_what_the_server_needs_and_its_texts_are_escaped() {
        let question = Question { user: Some("anna"), url: "https://dav.example.com/a/" };
        for (ask, method, depth, part) in [
            (question.properties("1", "<getetag/>"), "PROPFIND", Some("1"), "<prop><getetag/></prop>"),
            (question.changes("a<&b"), "REPORT", Some("0"), "<sync-token>a&lt;&amp;b</sync-token>"),
            (question.texts(["/a&b".to_owned()].into_iter()), "REPORT", Some("1"), "<href>/a&amp;b</href>"),
            (question.get(), "GET", None, ""),
        ] {
            let Ask::Http(request) = ask;
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            assert_eq!((request.method().as_str(), header("depth")), (method, depth));
            assert_eq!(header("authorization"), Some("Basic YW5uYTo="));
            let body = std::str::from_utf8(request.body()).unwrap();
            assert!(body.contains(part), "{body}");
            assert!(body.is_empty() || roxmltree::Document::parse(body).is_ok(), "{body}");
        }
    }
}
