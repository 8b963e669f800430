//! What an HTTP API hands to a function: API Gateway's payload format 2.0.
#![allow(clippy::expect_used, reason = "what does not work here fails the test")]

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

const HOST: &str = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";

/// A request as an HTTP API hands it to a function.
pub fn event(now: Timestamp, request: &Request<Bytes>) -> Value {
    let path = request.uri().path();
    let (start, id) = path.rsplit_once('/').expect("the address of a webhook");
    let route = format!("ANY {start}/{{id}}");
    let agent = request.headers().get("user-agent").map_or("Ruby", |agent| agent.to_str().expect("text"));
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
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": request.uri().query().unwrap_or_default(),
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
                "userAgent": agent,
            },
            "requestId": "VbQXkgR1IAMEZ9w=",
            "routeKey": route,
            "stage": "$default",
            "time": time,
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    if let Some(query) = request.uri().query() {
        let address = Url::parse(&format!("https://{HOST}{path}?{query}")).expect("an address");
        event["queryStringParameters"] = json!(address.query_pairs().collect::<BTreeMap<_, _>>());
    }
    if !request.body().is_empty() {
        let text = is_text(request);
        event["isBase64Encoded"] = json!(!text);
        event["body"] = match text {
            true => json!(std::str::from_utf8(request.body()).expect("text")),
            false => json!(BASE64.encode(request.body())),
        };
    }
    event
}

/// Whether a body of that type is handed over as it is; what is not, is in base64.
fn is_text(request: &Request<Bytes>) -> bool {
    let form = request.headers().get("content-type").map_or("", |form| form.to_str().expect("text"));
    let form = form.split(';').next().unwrap_or_default().trim();
    form.starts_with("text/") || ["application/json", "application/xml", "application/javascript"].contains(&form)
}
