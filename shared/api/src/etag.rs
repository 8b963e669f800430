//! Strong entity tags, and the conditions that readers make with them (RFC 9110, 8.8.3 and 13.1.2).

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use serde::Serialize;

/// How many tags of a condition are looked at.
const MOST_TAGS: usize = 100;

/// The entity tags that a reader has, in the order in which they are named, without their quotes; and whether any will do (`*`).
/// What is no tag is left out. Weak ones count, since the comparison is the weak one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The tags.
    pub(crate) tags: Vec<String>,
    /// Whether any tag will do.
    pub(crate) any: bool,
}

impl Known {
    /// The tags that a request names in `If-None-Match`.
    pub(crate) fn of(request: &HeaderMap) -> Self {
        let mut known = Self::default();
        for value in request.get_all(header::IF_NONE_MATCH) {
            match value.as_bytes().trim_ascii() {
                b"*" => known.any = true,
                text => known.read(text),
            }
        }
        known
    }

    /// Reads a list of tags, and stops at anything else. A comma within quotes belongs to the tag.
    fn read(&mut self, mut text: &[u8]) {
        while self.tags.len() < MOST_TAGS {
            let skipped = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count();
            let tag = text[skipped..].strip_prefix(b"W/").unwrap_or(&text[skipped..]);
            let Some(tag) = tag.strip_prefix(b"\"") else { return };
            let Some(end) = tag.iter().position(|byte| *byte == b'"') else { return };
            self.tags.extend(std::str::from_utf8(&tag[..end]).ok().map(str::to_owned));
            text = &tag[end + 1..];
            let between = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if !text[between..].starts_with(b",") {
                return;
            }
        }
    }

    /// Whether the reader has what has this tag.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.any || self.tags.iter().any(|known| known == tag)
    }
}

/// The answer with its tag, or 304 if the reader has it.
pub(crate) fn tagged<T: Serialize>(request: &HeaderMap, value: &T) -> Result<Response, Fault> {
    let body = serde_json::to_vec(value).map_err(|error| Fault::failed(format!("an answer: {error}")))?;
    let tag = &signing::sha256_hex(&body)[..32];
    let is_known = Known::of(request).has(tag);
    Ok(response(tag, (!is_known).then(|| Body::from(body))))
}

/// An answer with this tag: 304 without a body. It is the reader's own, so no cache that is shared may keep it, and each use asks
/// whether it is still right.
pub(crate) fn response(tag: &str, body: Option<Body>) -> Response {
    let is_known = body.is_none();
    let mut response = Response::new(body.unwrap_or_else(nothing));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization, hooktide-tenant"));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// No body, and no length either: that of a 304 would have to be the length of what the reader has (RFC 9110, 8.6).
fn nothing() -> Body {
    Body::from_stream(futures::stream::empty::<Result<Bytes, Infallible>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_read_as_the_standard_says() {
        for (given, tags, any) in [
            (vec![r#""v1""#], vec!["v1"], false),
            (vec![r#"W/"v1""#], vec!["v1"], false),
            (vec![r#""other", "v1""#], vec!["other", "v1"], false),
            (vec![r#"W/"a",W/"b""#], vec!["a", "b"], false),
            (vec![r#""v1" , "b""#], vec!["v1", "b"], false),
            (vec![r#""a,xx,b""#], vec!["a,xx,b"], false),
            (vec![r#""a, b""#], vec!["a, b"], false),
            (vec![r#", ,"v1","#], vec!["v1"], false),
            (vec![r#""a""#, r#""b""#], vec!["a", "b"], false),
            (vec!["*"], vec![], true),
            (vec![" * "], vec![], true),
            (vec!["*,foo"], vec![], false),
            (vec!["v1"], vec![], false),
            (vec![r#""v1"#], vec![], false),
            (vec![r#""a" "b""#], vec!["a"], false),
            (vec![""], vec![], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &given {
                headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
            }
            let tags = tags.into_iter().map(str::to_owned).collect();
            assert_eq!(Known::of(&headers), Known { tags, any }, "{given:?}");
        }
    }

    #[test]
    fn part_of_a_tag_is_not_the_tag() {
        let known = Known { tags: vec!["abc".into()], any: false };
        assert!(known.has("abc") && !known.has("ab") && !known.has("abcd"));
    }
}
