//! What an HTTP API hands to a function: API Gateway's payload format 2.0.
#![allow(clippy::expect_used, reason = "what does not work here fails the test")]

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

const HOST: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";

/// A request as an HTTP API hands it to a function.
pub fn event(now: Timestamp, request: &Request<Bytes>) -> Value {
    let path = request.uri().path();
    let id = path.rsplit('/').next().unwrap_or_default();
    let mut headers: BTreeMap<&str, &str> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
        .filter(|(name, _)| *name != "host")
        .collect();
    headers.extend([("host", HOST), ("x-forwarded-for", "192.0.2.10")]);
    headers.extend([("x-forwarded-port", "443"), ("x-forwarded-proto", "https")]);
    let time = now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "ANY /webhooks/shopify/{id}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "pathParameters": { "id": id },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": request.method().as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10",
                "userAgent": "Ruby",
            },
            "requestId": "VbQXkgR1IAMEZ9w=",
            "routeKey": "ANY /webhooks/shopify/{id}",
            "stage": "$default",
            "time": time,
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if !request.body().is_empty() {
        event["body"] = json!(std::str::from_utf8(request.body()).expect("text"));
    }
    event
}
