//! GraphQL: how it is asked, and how its errors are read, which come with HTTP 200.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json::nests_little;
use crate::lenient::{Lenient, Object, fields};
use crate::{Answer, Ask, Refusal};

/// An operation, as its server knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// Its name in the document.
    pub(crate) name: &'static str,
    /// The document, which has no other operation.
    pub(crate) document: &'static str,
}

fields! {
    struct Reply<'a> {
        data: Option<&'a RawValue>,
        errors: Lenient<Vec<Lenient<Object<GraphqlError>>>>,
    }
}

fields! {
    struct GraphqlError {
        extensions: Lenient<Object<Extensions>>,
    }
}

fields! {
    struct Extensions {
        code: Lenient<String>,
    }
}

/// The question that asks for an operation.
pub(crate) fn question(url: &str, operation: &Operation, variables: &Value) -> Ask {
    let body = json!({ "operationName": operation.name, "query": operation.document, "variables": variables });
    let mut request = Request::new(Bytes::from(body.to_string()));
    *request.method_mut() = Method::POST;
    // What is not an address is refused by whoever sends it.
    *request.uri_mut() = url.parse().unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json.clone());
    request.headers_mut().insert(CONTENT_TYPE, json);
    Ask::Http(request)
}

/// The codes of an answer's errors: none if it has none; an empty text for an error without a code.
pub(crate) fn codes(answer: &Answer) -> Vec<String> {
    let Ok(Object(Reply { errors, .. })) = serde_json::from_slice::<Object<Reply<'_>>>(answer.body()) else {
        return Vec::new();
    };
    let code = |error: Lenient<Object<GraphqlError>>| error.read()?.0.extensions.read()?.0.code.read();
    match errors {
        Lenient::Missing | Lenient::Null => Vec::new(),
        Lenient::Odd => vec![String::new()],
        Lenient::Read(errors) => errors.into_iter().map(|error| code(error).unwrap_or_default()).collect(),
    }
}

/// The data of an answer.
pub(crate) fn data<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Refusal> {
    let unreadable = Refusal::Unreadable("the answer has no GraphQL data of the expected form");
    nests_little(answer.body()).map_err(|_| Refusal::Unreadable("the answer nests too deep"))?;
    let Object(Reply { data, .. }) = serde_json::from_slice(answer.body()).map_err(|_| unreadable)?;
    let Object(data) = serde_json::from_str(data.ok_or(unreadable)?.get()).map_err(|_| unreadable)?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn answer(body: &str) -> Answer {
        Response::new(Bytes::from(body.to_owned()))
    }

    #[test]
    fn every_error_has_a_code_or_none() {
        for (body, expected) in [
            (r#"{"data":{}}"#, &[][..]),
            (r#"{"errors":null}"#, &[]),
            (r#"{"errors":[]}"#, &[]),
            (r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}"#, &["THROTTLED"]),
            (r#"{"errors":[{"message":"odd"},7,{"extensions":{"code":"A"}}]}"#, &["", "", "A"]),
            (r#"{"errors":"[API] Invalid API key"}"#, &[""]),
            ("<html>", &[]),
        ] {
            assert_eq!(codes(&answer(body)), expected, "{body}");
        }
    }

    #[test]
    fn data_is_an_object_of_the_expected_form() {
        fields! {
            struct Data {
                id: Lenient<u64>,
            }
        }
        assert_eq!(data::<Data>(&answer(r#"{"data":{"id":"7"}}"#)).unwrap().id.read(), Some(7));
        let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for body in ["", "<html>", "[]", "{}", r#"{"data":null}"#, r#"{"data":[]}"#, deep.as_str()] {
            assert!(matches!(data::<Data>(&answer(body)), Err(Refusal::Unreadable(_))), "{body}");
        }
    }
}
