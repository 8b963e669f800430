//! Every text and every list that the API takes has a bound, and is told by its field beyond it.

use axum::body::Body;
use hooktide_tests::world::World;
use http::{Method, Request};
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// A text and a list that no field takes.
fn beyond() -> [Value; 2] {
    [json!("x".repeat(20_000)), json!(vec!["x"; 2_000])]
}

/// The schema that a reference leads to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| &document["components"]["schemas"][name])
}

/// The fields of a request's body, by the description of the API.
fn fields(document: &Value, operation: &Value) -> Map<String, Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    resolved(document, schema)["properties"].as_object().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_body_that_breaks_off_and_a_path_that_is_no_text_are_bad_requests() {
    let world = World::new().await;
    let parts = [Ok("{"), Err(std::io::Error::other("gone"))];
    let broken = Body::from_stream(futures::stream::iter(parts));
    let request = |body| {
        let builder = Request::post("/v1/connections").header("authorization", format!("Bearer {}", world.operator));
        world.app.clone().oneshot(builder.body(body).unwrap())
    };
    assert_eq!(request(broken).await.unwrap().status(), 400);
    assert_eq!(request(Body::from(vec![b' '; 1024 * 1024 + 1])).await.unwrap().status(), 413);
    for (part, status) in [("%ff", 400), ("%c3%28", 400), ("%E2%82", 400), ("%c3%bc", 404), ("%", 404), ("%zz", 404)] {
        let problem = world.get(&format!("/v1/connections/{part}")).await.expect(status);
        assert_eq!(problem["status"], status, "{part}");
    }
}

#[tokio::test]
async fn every_field_and_parameter_of_the_api_is_bounded() {
    let options = hooktide_api::Options { test_tools: true, ..Default::default() };
    let world = World::with(Default::default(), options).await;
    let document = world.get("/v1/openapi.json").await.expect(200);
    let (mut tried, mut parameters) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace(['{', '}'], "").replace("provider", "shopify");
            for name in fields(&document, operation).keys() {
                for value in beyond() {
                    // A body that is sent may be as large as a delivery.
                    if path.starts_with("/test/events") && name == "body" && value.is_string() {
                        continue;
                    }
                    for body in [json!({ name: value }), json!({ name: { "nested": value } }), json!({ name: [value] })]
                    {
                        let answer = world.call(&world.operator, method.clone(), &path, Some(body)).await;
                        let what = format!("{method} {path} {name}");
                        assert_eq!(answer.status, 422, "{what}: {}", String::from_utf8_lossy(&answer.body));
                        let field = answer.json()["errors"][0]["field"].as_str().unwrap_or_default().to_owned();
                        assert!(field.starts_with(name), "{what}: {field}");
                        tried += 1;
                    }
                }
            }
            if path.contains("id") {
                let long = path.replace("key_id", "id").replace("id", &"x".repeat(3_000));
                let answer = world.call(&world.operator, method.clone(), &long, Some(json!({}))).await;
                assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.status);
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] != "query" {
                    continue;
                }
                let (name, long) = (parameter["name"].as_str().unwrap(), "x".repeat(2_000));
                let answer = world.call(&world.operator, method.clone(), &format!("{path}?{name}={long}"), None).await;
                assert_eq!(answer.status, 422, "{method} {path}?{name}: {}", String::from_utf8_lossy(&answer.body));
                parameters += 1;
            }
        }
    }
    assert!(tried > 150 && parameters > 15, "{tried} fields, {parameters} parameters");
}

#[tokio::test]
async fn the_lists_of_tokens_endpoints_and_feed_tokens_are_short() {
    let world = World::new().await;
    let many: Vec<String> = (0..101).map(|number| format!("n{number}")).collect();
    let endpoint = json!({ "provider": "shopify", "secrets": { "client_secret": "s" }, "tenants": many });
    for (path, body, field) in [
        ("/v1/tokens", json!({ "companies": many }), "companies"),
        ("/v1/tokens", json!({ "companies": ["x".repeat(256)] }), "companies"),
        ("/v1/tokens", json!({ "user": "x".repeat(256) }), "user"),
        ("/v1/tokens", json!({ "scopes": vec!["read"; 5] }), "scopes"),
        ("/v1/feed-tokens", json!({ "tags": vec![""; 101] }), "tags"),
        ("/v1/feed-tokens", json!({ "channels": vec!["stock-updates"; 9] }), "channels"),
        ("/v1/endpoints", endpoint, "tenants"),
    ] {
        let problem = world.post(path, body).await.expect(422);
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
}
