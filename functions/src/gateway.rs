//! Converts events of an HTTP API into requests for the flows.

use bytes::Bytes;
use hooktide_model::problem::Problem;
use http::Uri;
use http::header::HOST;
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Body, Request, RequestExt};
use serde_json::{Map, Value, json};

/// The scheme that the sender used.
const PROTOCOL: &str = "x-forwarded-proto";
/// The longest path and the longest query; an HTTP API takes no longer request line.
const LONGEST: usize = 10_240;

/// The event with a valid address: the library that parses it panics at any other, and the sender chooses it. The path
/// arrives decoded, the query as it was sent. Host and scheme are left out, since nothing here reads them.
pub fn legible(event: LambdaRequest) -> LambdaRequest {
    let LambdaRequest::ApiGatewayV2(mut event) = event else { return event };
    event.headers.remove(HOST);
    event.headers.remove(PROTOCOL);
    event.request_context.domain_name = None;
    // An invalid path becomes `/`; an invalid query is dropped.
    event.raw_path = event.raw_path.filter(|path| path.starts_with('/') && path.len() <= LONGEST);
    event.raw_path.get_or_insert_with(|| "/".to_owned());
    let fits = |query: &String| query.len() <= LONGEST && format!("/?{query}").parse::<Uri>().is_ok();
    event.raw_query_string = event.raw_query_string.filter(fits);
    LambdaRequest::ApiGatewayV2(event)
}

/// The address that the request came from, as the HTTP API saw it.
pub fn source_of(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
        _ => "unknown".to_owned(),
    }
}

/// The exact bytes of a body.
pub fn bytes_of(body: Body) -> Bytes {
    match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    }
}

/// An error in the form that the HTTP API takes as an answer.
pub fn refusal(problem: Problem) -> Value {
    let response = problem.into_response();
    let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes));
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    let headers: Map<String, Value> = headers.collect();
    json!({ "statusCode": response.status().as_u16(), "headers": headers, "body": text(response.body()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::names::ProblemType;

    fn request(path: &str, query: &str, host: &str) -> Request {
        let event = serde_json::json!({
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": query,
            "headers": { "host": host, "x-forwarded-proto": "ht tp", "x-a": "1" },
            "requestContext": { "http": { "method": "POST", "sourceIp": "192.0.2.10" }, "stage": "$default" },
        });
        legible(serde_json::from_value(event).unwrap()).into()
    }

    #[test]
    fn an_address_that_cannot_be_read_is_a_request_all_the_same() {
        let long = "x".repeat(70_000);
        for (path, query, host, expected) in [
            ("/webhooks/shopify/a", "b=1&c=%20", "api.example", "/webhooks/shopify/a?b=1&c=%20"),
            ("/webhooks/shopify/ \u{e4}\"<", "", "api.example", "/webhooks/shopify/%20%C3%A4%22%3C"),
            ("/a", "", "xn--a b:port", "/a"),
            ("/a", "b=<\u{1}", "api.example", "/a"),
            ("", "b", "api.example", "/?b"),
            (":80/a", "", "api.example", "/"),
            (&format!("/{long}"), &long, "api.example", "/"),
        ] {
            let request = request(path, query, host);
            assert_eq!(request.uri().to_string(), expected, "{path:.80}");
            assert_eq!((source_of(&request), request.headers()["x-a"].as_bytes()), ("192.0.2.10".into(), &b"1"[..]));
        }
    }

    #[test]
    fn an_error_is_an_answer_that_the_http_api_takes() {
        let problem = Problem::new(ProblemType::Unavailable, "Later.").retry_after(7);
        let answer = refusal(problem);
        assert_eq!(answer["statusCode"], 503);
        let headers = json!({ "content-type": "application/problem+json", "retry-after": "7" });
        assert_eq!(answer["headers"], headers);
        assert_eq!(serde_json::from_str::<Value>(answer["body"].as_str().unwrap()).unwrap()["detail"], "Later.");
    }
}
