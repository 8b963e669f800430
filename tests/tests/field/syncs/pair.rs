//! A question to a provider, and what is read of an answer that is written here.

use bytes::Bytes;
use hooktide_model::notice::{State, What};
use hooktide_model::secret::Secrets;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_providers::{
    Answer, Ask, Base, Next, Page, Provider, Reach, Subscribed, SubscriptionStep, SubscriptionTask, Task, by_id,
};
use http::{Request, Response};
use serde_json::{Value, json};

/// The time of all questions.
const NOW: &str = "2026-11-28T12:00:00Z";

/// A question to a provider about a resource.
pub(super) struct Pair {
    provider: &'static dyn Provider,
    resource: &'static str,
    part: Option<&'static str>,
    reach: Reach<'static>,
    cursor: Option<String>,
}

impl Pair {
    pub(super) fn new(provider: &str, resource: &'static str, reach: Reach<'static>) -> Self {
        Self { provider: by_id(provider).expect("a provider"), resource, part: None, reach, cursor: None }
    }

    pub(super) fn of(self, part: &'static str) -> Self {
        Self { part: Some(part), ..self }
    }

    pub(super) fn after(self, cursor: &Value) -> Self {
        Self { cursor: Some(cursor.to_string()), ..self }
    }

    fn with<T>(&self, act: impl FnOnce(&Task<'_>) -> T) -> T {
        let (settings, api) = (ConnectionSettings::default(), base(self.provider));
        act(&Task {
            account: Some(self.provider.profile().sample_account),
            settings: &settings,
            resource: self.resource,
            part: self.part,
            reach: self.reach,
            cursor: self.cursor.as_deref(),
            api: &api,
            now: NOW.parse().expect("a time"),
        })
    }

    /// The question as text: its address, and its body.
    pub(super) fn question(&self) -> String {
        let source = self.provider.source().expect("a source");
        let texts = self.with(|task| source.ask(task)).into_iter().map(|Ask::Http(request)| text(&request));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// What is read of these answers, each to the question that the one before led to.
    pub(super) fn read(mut self, answers: &[(u16, Value)]) -> Value {
        let source = self.provider.source().expect("a source");
        let (mut entities, mut documents, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ignored, mut seen, mut ended, mut next) = (0, Vec::new(), Vec::new(), json!("more"));
        for (status, body) in answers {
            let given: Vec<Answer> = self.with(|task| source.ask(task)).iter().map(|_| answer(*status, body)).collect();
            let Page { facts, seen: named, parts: of_page, ended: of_ended, next: leads } =
                match self.with(|task| source.read(task, &given)) {
                    Ok(page) => page,
                    Err(refusal) => return json!({ "refusal": format!("{refusal:?}") }),
                };
            seen.extend(named);
            ended.extend(of_ended);
            parts.extend(of_page.into_iter().map(|part| json!([part.id, part.is_primary, part.is_gone])));
            for what in facts {
                let What::Entity(notice) = what else {
                    ignored += 1;
                    continue;
                };
                entities.push(json!([notice.id, notice.state != State::Deleted]));
                if let State::Present(document) = &notice.state {
                    let bytes = document.to_json().expect("JSON");
                    documents.push(serde_json::from_slice::<Value>(&bytes).expect("JSON"));
                }
            }
            let cursor = match leads {
                Next::More(cursor) => cursor,
                Next::Done(cursor) => {
                    next = serde_json::from_str(&cursor).unwrap_or(Value::Null);
                    cursor
                }
            };
            self.cursor = Some(cursor);
        }
        json!({ "entities": entities, "documents": documents, "parts": parts, "ignored": ignored, "seen": seen, "ended": ended, "next": next })
    }
}

/// What a provider's answer to a step of a subscription means.
pub(super) fn step(
    provider: &str,
    (topic, part): (&'static str, Option<&'static str>),
    step: SubscriptionStep<'_>,
    (status, body): (u16, &Value),
) -> String {
    let provider = by_id(provider).expect("a provider");
    let subscriptions = provider.subscriptions().expect("subscriptions");
    let (settings, api, secrets) = (ConnectionSettings::default(), base(provider), Secrets::default());
    let task = SubscriptionTask {
        account: Some(provider.profile().sample_account),
        settings: &settings,
        topic,
        part,
        url: "https://hooks.example.com/webhooks/provider/endpoint",
        secrets: &secrets,
        reference: "0123456789abcdef0123456789abcdef",
        token: None,
        api: &api,
        now: NOW.parse().expect("a time"),
    };
    match subscriptions.read(&task, &step, &answer(status, body)) {
        Ok(Subscribed::Active(_)) => "active".to_owned(),
        Ok(Subscribed::Gone) => "gone".to_owned(),
        Ok(Subscribed::Disabled(_)) => "disabled".to_owned(),
        Ok(Subscribed::Unsupported) => "unsupported".to_owned(),
        Ok(Subscribed::Taken) => "taken".to_owned(),
        Ok(Subscribed::Listed(..)) => "listed".to_owned(),
        Err(refusal) => format!("{refusal:?}"),
    }
}

/// The fields of what was read that are looked at.
pub(super) fn fields(read: &Value, names: &[&str]) -> Value {
    if !read["refusal"].is_null() {
        return read.clone();
    }
    names.iter().map(|name| read[*name].clone()).collect()
}

fn answer(status: u16, body: &Value) -> Answer {
    Response::builder().status(status).body(Bytes::from(body.to_string())).expect("an answer")
}

fn text(request: &Request<Bytes>) -> String {
    format!("{} {}", request.uri(), String::from_utf8_lossy(request.body()))
}

fn base(provider: &dyn Provider) -> String {
    match provider.api().expect("an API").base() {
        Base::Fixed(address) => address.to_owned(),
        Base::OfConnection(of) | Base::OfSite(of) => {
            of(Some(provider.profile().sample_account), &ConnectionSettings::default()).expect("an address")
        }
    }
}
