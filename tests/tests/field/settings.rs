//! Settings that were mistyped: each is refused or named, none is passed over.

use hooktide_flows::settings::{Settings, unread};
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Map, Value, json};

use crate::Tried;

/// What differs from what is right.
pub(crate) fn unless(is: Value, right: Value) -> Map<String, Value> {
    if is == right { Map::new() } else { Map::from_iter([("is".to_owned(), is), ("right".to_owned(), right)]) }
}

/// The fields that a connection with more fields than these is refused for.
async fn refused(more: Value) -> Value {
    let world = World::new().await;
    let mut body = json!({ "provider": "shopify", "secrets": { "client_secret": "hush" } });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        body[name] = value;
    }
    let answer = world.post("/v1/connections", body).await;
    let named = answer.json()["errors"][0].clone();
    let connections = world.get("/v1/connections").await.json()["items"].as_array().map(Vec::len);
    json!([answer.status.as_u16(), named["field"], connections])
}

/// What a connection is set to after a change of which one part is mistyped.
async fn changed() -> Value {
    let world = World::new().await;
    let shop = world.shop().await;
    let path = format!("/v1/connections/{}", shop.id);
    let patch = json!({ "name": "Another", "settings": { "rate_per_minute": 7, "rate_per_minut": 5 } });
    let answer = world.call(&world.operator, Method::PATCH, &path, Some(patch)).await;
    let now = world.get(&path).await.json();
    json!([answer.status.as_u16(), now["settings"].get("rate_per_minute"), now["name"] == "Another"])
}

/// What is wrong with one variable.
fn started(name: &str, value: &str) -> Value {
    let faults = Settings::read(|asked| (asked == name).then(|| value.to_owned())).err().unwrap_or_default();
    json!(faults.iter().map(|fault| fault.contains(name)).collect::<Vec<_>>())
}

pub(crate) async fn tried() -> Vec<Tried> {
    let typed = |name: &str| json!({ "settings": { (name): 60 } });
    let variables = ["HOOKTIDE_STREAM", "HOOKTIDE_STREAMS", "PATH"].map(str::to_owned);
    vec![
        (
            "a setting with a typing error is refused by its name",
            unless(refused(typed("rate_per_minut")).await, json!([422, "settings.rate_per_minut", 0])),
        ),
        (
            "a field with a typing error is refused by its name",
            unless(refused(json!({ "acount": "x" })).await, json!([422, "acount", 0])),
        ),
        (
            "a setting that another provider has is refused, and not kept without effect",
            unless(
                refused(json!({ "settings": { "site": "https://x.example" } })).await,
                json!([422, "settings.site", 0]),
            ),
        ),
        ("a change of which a part is mistyped changes nothing", unless(changed().await, json!([422, null, false]))),
        (
            "a variable that is no number, or is beyond its range, ends the start by its name",
            unless(
                json!([started("HOOKTIDE_STREAMS", "abc"), started("HOOKTIDE_STREAMS", "0")]),
                json!([[true], [true]]),
            ),
        ),
        (
            "a variable with a typing error is named at the start",
            unless(json!(unread(variables, &[])), json!(["HOOKTIDE_STREAM"])),
        ),
    ]
}
