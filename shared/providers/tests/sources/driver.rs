//! Drives a provider and its simulator against each other: what one asks, the other answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use hooktide_model::fault::AuthFault;
use hooktide_model::notice::{Document, EntityNotice, Notice, State, What};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::signing::{SUBSCRIPTION_KEY, subscription_token};
use hooktide_providers::simulator::{Edit, Simulator};
use hooktide_providers::verified::open;
use hooktide_providers::{
    Answer, Arrival, Ask, Base, Next, Page, Part, Provider, Reach, Refusal, Subscribed, SubscriptionStep,
    SubscriptionTask, Task, WriteStep, WriteTask, Written, by_id,
};

/// How many pages a reading has at the most.
const MOST_PAGES: usize = 500;
/// The address that webhooks are sent to.
pub(crate) const URL: &str = "https://hooks.example.com/webhooks/provider/endpoint";

/// A provider with its simulator, and a connection between them.
pub(crate) struct Driver {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) simulator: Box<dyn Simulator>,
    pub(crate) secrets: Secrets,
    pub(crate) settings: ConnectionSettings,
    pub(crate) now: Timestamp,
    /// The part that is read or watched, where the resource has parts.
    pub(crate) part: Option<String>,
    /// Our reference for a subscription.
    pub(crate) reference: String,
    /// Whether a step waits for a limit to pass.
    pub(crate) patient: bool,
}

/// A reading that is complete.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) facts: Vec<What>,
    pub(crate) pages: usize,
    pub(crate) cursor: String,
    pub(crate) seen: Vec<String>,
    pub(crate) parts: Vec<Part>,
    pub(crate) ended: Vec<String>,
}

impl Reading {
    /// A reading of one page, after which there is no other.
    pub(crate) fn of(page: Page) -> Self {
        match page.next {
            Next::Done(cursor) => {
                let Page { facts, seen, parts, ended, .. } = page;
                Self { facts, cursor, seen, pages: 1, parts, ended }
            }
            Next::More(cursor) => panic!("there is more, from {cursor}"),
        }
    }

    /// The entities that it reports, by their ids, each with whether it is there.
    pub(crate) fn entities(&self) -> Vec<(&str, bool)> {
        self.notices().map(|notice| (notice.id.as_str(), notice.state != State::Deleted)).collect()
    }

    /// The notices about entities.
    pub(crate) fn notices(&self) -> impl Iterator<Item = &EntityNotice> {
        self.facts.iter().filter_map(|what| match what {
            What::Entity(notice) => Some(notice),
            _ => None,
        })
    }

    /// The document of the entity of that id.
    pub(crate) fn document(&self, id: &str) -> &Document {
        let notice = self.notices().find(|notice| notice.id == id).unwrap_or_else(|| panic!("{id}: {self:#?}"));
        match &notice.state {
            State::Present(document) => document,
            State::Deleted => panic!("{id} is deleted"),
        }
    }
}

impl Driver {
    pub(crate) fn new(provider: &str) -> Self {
        let provider = by_id(provider).unwrap();
        let profile = provider.profile();
        let credentials = profile.sample_credentials.iter().map(|(name, text)| live(name, Secret::new(*text)));
        let key = profile.derives_tokens.then(|| live(SUBSCRIPTION_KEY, Secret::new("hush-subscription-key")));
        Self {
            provider,
            simulator: provider.simulator(7).unwrap(),
            secrets: Secrets::new(credentials.chain(key).collect()),
            settings: ConnectionSettings::default(),
            now: "2026-11-28T12:00:00Z".parse().unwrap(),
            part: None,
            reference: "0123456789abcdef0123456789abcdef".to_owned(),
            patient: false,
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Edits something at the provider, a second later.
    pub(crate) fn edit(&mut self, what: &str, id: Option<&str>, fields: Option<Value>) -> String {
        self.pass(1);
        let fields = fields.map(|fields| fields.as_object().cloned().unwrap_or_else(Map::new));
        let edit = Edit { what: what.to_owned(), id: id.map(str::to_owned), fields };
        self.simulator.edit(&edit, self.now).unwrap()
    }

    /// Reads to the end.
    pub(crate) fn read(&mut self, resource: &str, reach: Reach<'_>, cursor: Option<&str>) -> Result<Reading, Refusal> {
        let (mut read, mut cursor) = (Reading::default(), cursor.map(str::to_owned));
        for pages in 1..=MOST_PAGES {
            let page = self.step(resource, reach, cursor.as_deref())?;
            read.facts.extend(page.facts);
            read.seen.extend(page.seen);
            read.parts.extend(page.parts);
            read.ended.extend(page.ended);
            match page.next {
                Next::More(next) => {
                    assert!(next.len() < 32 * 1024, "a cursor of {} bytes", next.len());
                    cursor = Some(next);
                }
                Next::Done(cursor) => return Ok(Reading { cursor, pages, ..read }),
            }
        }
        panic!("it never ends");
    }

    /// One step of a reading. Whoever is patient takes it again when a limit has passed.
    pub(crate) fn step(&mut self, resource: &str, reach: Reach<'_>, cursor: Option<&str>) -> Result<Page, Refusal> {
        match self.try_step(resource, reach, cursor) {
            Err(Refusal::Limited { .. }) if self.patient => {
                self.pass(60);
                self.try_step(resource, reach, cursor)
            }
            taken => taken,
        }
    }

    fn try_step(&mut self, resource: &str, reach: Reach<'_>, cursor: Option<&str>) -> Result<Page, Refusal> {
        let source = self.provider.source().unwrap();
        let (api, settings, part) = (self.base(), self.settings.clone(), self.part.clone());
        let task = self.task(resource, reach, cursor, (&api, &settings, part.as_deref()));
        let answers: Vec<Answer> = source.ask(&task).into_iter().map(|ask| self.send(ask)).collect();
        source.read(&task, &answers)
    }

    /// What the source makes of an answer that no simulator gives.
    pub(crate) fn given(
        &self,
        resource: &str,
        reach: Reach<'_>,
        cursor: Option<&str>,
        (status, body): (u16, &str),
    ) -> Result<Page, Refusal> {
        self.answered_with(resource, reach, cursor, |_| {
            Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
        })
    }

    /// What the source makes of this answer.
    pub(crate) fn answered_by(
        &self,
        resource: &str,
        reach: Reach<'_>,
        cursor: Option<&str>,
        answer: &Answer,
    ) -> Result<Page, Refusal> {
        self.answered_with(resource, reach, cursor, |_| answer.clone())
    }

    /// What the source makes of answers that no simulator gives: one to each question.
    pub(crate) fn given_each(
        &self,
        resource: &str,
        reach: Reach<'_>,
        cursor: Option<&str>,
        bodies: &[&str],
    ) -> Result<Page, Refusal> {
        self.answered_with(resource, reach, cursor, |at| Response::new(Bytes::from(bodies[at].to_owned())))
    }

    fn answered_with(
        &self,
        resource: &str,
        reach: Reach<'_>,
        cursor: Option<&str>,
        answer: impl Fn(usize) -> Answer,
    ) -> Result<Page, Refusal> {
        let source = self.provider.source().unwrap();
        let (api, settings, part) = (self.base(), self.settings.clone(), self.part.clone());
        let task = self.task(resource, reach, cursor, (&api, &settings, part.as_deref()));
        let answers: Vec<Answer> = (0..source.ask(&task).len()).map(answer).collect();
        source.read(&task, &answers)
    }

    /// Takes a step of the subscription to that topic.
    pub(crate) fn subscribe(&mut self, topic: &str, step: SubscriptionStep<'_>) -> Result<Subscribed, Refusal> {
        let subscriptions = self.provider.subscriptions().unwrap();
        let ask = self.about(topic, |task| subscriptions.ask(task, &step));
        let answer = self.send(ask);
        let subscribed = self.about(topic, |task| subscriptions.read(task, &step, &answer))?;
        if let Subscribed::Active(registered) = &subscribed
            && let Some((name, secret)) = &registered.secret
        {
            self.learn(name, secret.clone());
        }
        Ok(subscribed)
    }

    /// What is read of an answer to that step that no simulator gives.
    pub(crate) fn subscribe_given(
        &self,
        topic: &str,
        step: SubscriptionStep<'_>,
        body: &str,
    ) -> Result<Subscribed, Refusal> {
        let answer = Response::new(Bytes::from(body.to_owned()));
        self.about(topic, |task| self.provider.subscriptions().unwrap().read(task, &step, &answer))
    }

    /// Does something with the subscription to that topic.
    fn about<T>(&self, topic: &str, act: impl FnOnce(&SubscriptionTask<'_>) -> T) -> T {
        let token = self.secrets.live(SUBSCRIPTION_KEY, self.now).next();
        let token = token.map(|key| subscription_token(key, &self.reference));
        act(&SubscriptionTask {
            account: Some(self.provider.profile().sample_account),
            settings: &self.settings,
            topic,
            part: self.part.as_deref(),
            url: URL,
            secrets: &self.secrets,
            reference: &self.reference,
            token: token.as_deref(),
            api: &self.base(),
            now: self.now,
        })
    }

    /// Takes a step of writing a block into the calendar that is the part.
    pub(crate) fn write(&mut self, step: &WriteStep<'_>) -> Result<Written, Refusal> {
        let answer = self.written(step);
        let target = self.provider.target().unwrap();
        self.in_calendar(|task| target.read(task, step, &answer))
    }

    /// The answer to a step of writing, which nobody reads unless the caller does.
    pub(crate) fn written(&mut self, step: &WriteStep<'_>) -> Answer {
        self.pass(1);
        let target = self.provider.target().unwrap();
        let ask = self.in_calendar(|task| target.ask(task, step));
        self.send(ask)
    }

    /// What is read of an answer to a step of writing that no simulator gives.
    pub(crate) fn write_given(&self, step: &WriteStep<'_>, (status, body): (u16, &str)) -> Result<Written, Refusal> {
        let answer = Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap();
        self.in_calendar(|task| self.provider.target().unwrap().read(task, step, &answer))
    }

    /// Does something with the calendar that is the part.
    pub(crate) fn in_calendar<T>(&self, act: impl FnOnce(&WriteTask<'_>) -> T) -> T {
        act(&WriteTask {
            account: Some(self.provider.profile().sample_account),
            settings: &self.settings,
            calendar: self.part.as_deref().unwrap(),
            api: &self.base(),
            now: self.now,
        })
    }

    /// Adds a secret to those that are known.
    pub(crate) fn learn(&mut self, name: &str, secret: Secret) {
        self.secrets = self.secrets.clone().with([live(name, secret)]);
    }

    /// How many notifications were sent since they were last taken. The receiver answers each with this status.
    pub(crate) fn answered(&mut self, status: u16) -> usize {
        let sent = self.simulator.take_notifications(self.now);
        let status = StatusCode::from_u16(status).unwrap();
        sent.iter().for_each(|notification| self.simulator.delivered(notification, Some(status), self.now));
        sent.len()
    }

    /// What the notifications say that were sent since they were last taken, each verified first. A handshake says nothing.
    pub(crate) fn notices(&mut self) -> Result<Vec<(String, Vec<Notice>)>, AuthFault> {
        let webhooks = self.provider.webhooks().unwrap();
        let sent = self.simulator.take_notifications(self.now);
        let told = sent.into_iter().filter_map(|request| {
            let url = request.uri().to_string();
            let arrival = Arrival { request: &request, url: &url, secrets: &self.secrets, now: self.now };
            if webhooks.handshake(&arrival).is_some() {
                return None;
            }
            Some(open(webhooks, &arrival).map(|verified| {
                let topic = webhooks.label(&verified).topic.unwrap_or_default();
                (topic, webhooks.parse(&verified).unwrap())
            }))
        });
        told.collect()
    }

    fn base(&self) -> String {
        let account = Some(self.provider.profile().sample_account);
        match self.provider.api().unwrap().base() {
            Base::Fixed(address) => address.to_owned(),
            Base::OfConnection(of) | Base::OfSite(of) => of(account, &self.settings).unwrap(),
        }
    }

    fn task<'a>(
        &self,
        resource: &'a str,
        reach: Reach<'a>,
        cursor: Option<&'a str>,
        (api, settings, part): (&'a str, &'a ConnectionSettings, Option<&'a str>),
    ) -> Task<'a> {
        let account = Some(self.provider.profile().sample_account);
        Task { account, settings, resource, part, reach, cursor, api, now: self.now }
    }

    fn send(&mut self, ask: Ask) -> Answer {
        let Ask::Http(request) = ask;
        let request = self.provider.api().unwrap().authorise(request, &self.secrets, self.now).expect("credentials");
        assert!(!format!("{:?}", request.headers()).contains("hush"), "a credential shows");
        self.simulator.answer(&request, self.now)
    }
}

/// A secret under that name.
pub(crate) fn live(name: &str, secret: Secret) -> LiveSecret {
    LiveSecret { name: name.to_owned(), id: KeyId(name.to_owned()), secret, retires_at: None }
}
