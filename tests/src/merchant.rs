//! A merchant whose payments Paysafe reports.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_local::host::Host;
use hooktide_model::secret::Secret;
use hooktide_providers::Unsigned;
use hooktide_store::ports::Table;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::connected::{Connected, sample_secrets};
use crate::world::{Answer, World, clock};

/// A world with a connection to Paysafe.
pub struct Merchant {
    /// The world.
    pub world: World,
    /// The connection.
    pub connected: Connected,
}

/// A payment, as Paysafe reports it.
#[derive(Debug, Clone)]
pub struct Payment {
    /// Its id.
    pub id: String,
    /// The beginning of the event's name: `PAYMENT`, `REFUND`.
    pub sort: &'static str,
    /// Its status.
    pub status: &'static str,
    /// The account that it belongs to.
    pub account: String,
    /// The amount, in minor units.
    pub amount: i64,
    /// The currency.
    pub currency: &'static str,
    /// How it was paid.
    pub payment_type: &'static str,
    /// When it began.
    pub began: String,
    /// When it was changed.
    pub updated: String,
}

impl Payment {
    /// A completed payment of 12.50 EUR by card.
    pub fn new(id: &str, at: &str) -> Self {
        Self {
            id: id.to_owned(),
            sort: "PAYMENT",
            status: "COMPLETED",
            account: "1009688230".to_owned(),
            amount: 1_250,
            currency: "EUR",
            payment_type: "CARD",
            began: at.to_owned(),
            updated: at.to_owned(),
        }
    }

    /// The body of its notice.
    pub fn body(&self) -> Value {
        let name = format!("{}_{}", self.sort, self.status);
        json!({
            "payload": {
                "accountId": self.account, "id": self.id, "merchantRefNum": format!("order-{}", self.id), "amount": self.amount,
                "currencyCode": self.currency, "status": self.status, "paymentType": self.payment_type,
                "txnTime": self.began, "updatedTime": self.updated, "statusTime": self.updated,
            },
            "eventType": name, "eventName": name, "resourceId": self.id, "eventDate": self.began, "attemptNumber": "1", "mode": "live",
        })
    }
}

impl Merchant {
    /// A merchant with these settings.
    pub async fn new(settings: Value) -> Self {
        let world = World::new().await;
        let connected = connect(&world, "Merchant", settings).await;
        Self { world, connected }
    }

    /// A merchant in a world over this table.
    pub async fn over(table: Arc<dyn Table>) -> Self {
        let clock = clock();
        let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).expect("a host");
        host.ports.table = table;
        host.receiver = Arc::new(Receiver::new(host.ports.clone(), host.settings.clone()));
        host.processor = Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
        host.syncer = Arc::new(Syncer::new(host.ports.clone(), &host.settings));
        let world = World::over(Arc::new(host), clock, Options::default()).await;
        let connected = connect(&world, "Merchant", json!({})).await;
        Self { world, connected }
    }

    /// A signed delivery of a body to a connection.
    pub fn signed(&self, to: &Connected, body: impl Into<Bytes>) -> Request<Bytes> {
        signed(to, body, self.world.now())
    }

    /// Sends a body, without processing it.
    pub async fn deliver(&self, body: &Value) -> Answer {
        self.world.clock.advance(Duration::from_millis(7));
        self.world.request(self.signed(&self.connected, body.to_string())).await
    }

    /// Sends payments, and processes them together.
    pub async fn pay(&self, payments: &[Payment]) {
        for payment in payments {
            assert_eq!(self.deliver(&payment.body()).await.status, 200);
        }
        self.world.tick().await;
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.world.get(&format!("{path}{joint}limit={limit}{after}")).await.expect(200);
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return items,
            }
        }
    }

    /// Reads with a condition.
    pub async fn get_if(&self, token: &str, path: &str, condition: &str) -> Answer {
        let request = Request::builder().method(Method::GET).uri(path);
        let request = request.header("authorization", format!("Bearer {token}")).header("if-none-match", condition);
        self.world.request(request.body(Bytes::new()).expect("a request")).await
    }
}

/// A signed delivery of a body to a connection.
pub fn signed(to: &Connected, body: impl Into<Bytes>, now: Timestamp) -> Request<Bytes> {
    let provider = hooktide_providers::webhooks_by_id("paysafe").expect("a provider");
    let profile = provider.profile();
    let unsigned = Unsigned {
        topic: "",
        body: body.into(),
        account: profile.sample_account,
        delivery: "",
        secrets: &hooktide_providers::signing_with(profile, &Secret::new(profile.sample_secrets[0].1)),
        url: &format!("https://hooks.example.com{}", to.path),
        now,
    };
    let mut request = provider.sign(unsigned).expect("a signed request");
    *request.uri_mut() = to.path.parse().expect("a path");
    request
}

/// Makes a connection to Paysafe.
pub async fn connect(world: &World, name: &str, settings: Value) -> Connected {
    let provider = hooktide_providers::by_id("paysafe").expect("a provider");
    let body =
        json!({ "provider": "paysafe", "name": name, "secrets": sample_secrets(provider), "settings": settings });
    world.connect_with("paysafe", body).await
}
