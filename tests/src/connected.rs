//! A connection of any provider, and the deliveries of its provider.

use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_providers::Provider;
use http::{Method, Request};
use serde_json::{Map, Value, json};

use crate::world::{Answer, World};

/// A connection that was made.
#[derive(Debug, Clone)]
pub struct Connected {
    /// Its provider.
    pub provider: &'static str,
    /// Its id.
    pub id: String,
    /// The path that its provider calls.
    pub path: String,
}

/// The sample secrets of a provider, as the API takes them.
pub fn sample_secrets(provider: &dyn Provider) -> Value {
    let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), json!(text));
    Value::Object(provider.profile().sample_secrets.iter().map(secret).collect::<Map<_, _>>())
}

/// A request that the server signed, from an answer of `/test/events`.
pub fn signed(told: &Value) -> Request<Bytes> {
    let mut request = Request::post(told["url"].as_str().expect("an address"));
    for (name, value) in told["headers"].as_object().expect("headers") {
        request = request.header(name, value.as_str().expect("a header"));
    }
    let body = BASE64.decode(told["body_base64"].as_str().expect("a body").as_bytes()).expect("base64");
    request.body(body.into()).expect("a request")
}

impl World {
    /// Makes a connection of a provider with its sample secrets and account.
    pub async fn connect(&self, provider: &dyn Provider) -> Connected {
        let body = json!({
            "provider": provider.id(),
            "account": provider.profile().sample_account,
            "secrets": sample_secrets(provider),
        });
        self.connect_with(provider.id(), body).await
    }

    /// Makes a connection of this description.
    pub async fn connect_with(&self, provider: &'static str, body: Value) -> Connected {
        let made = self.post("/v1/connections", body).await.expect(201);
        let id = made["id"].as_str().expect("an id").to_owned();
        Connected { provider, path: format!("/webhooks/{provider}/{id}"), id }
    }

    /// A signed sample of a topic, about the entity with that number.
    pub async fn sample_of(&self, connected: &Connected, topic: &str, number: u64) -> Request<Bytes> {
        let path = format!("/test/events/{}/{topic}", connected.provider);
        let body = json!({ "connection": connected.id, "number": number });
        signed(&self.post(&path, body).await.expect(200))
    }

    /// Sends an unsigned request to a connection's address: `suffix` is its query, with the question mark.
    pub async fn ask(&self, connected: &Connected, method: Method, suffix: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(format!("{}{suffix}", connected.path));
        self.request(request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request")).await
    }
}
