//! What the routes share.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::connect::Context;
use hooktide_flows::read::answers::Answers;
use hooktide_flows::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Clock, Table};
use hooktide_store::records;
use hooktide_store::records::grant;
use hooktide_store::records::token::{self, Token};
use hooktide_store::remembered::Remembered;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::readiness::Readiness;
use crate::readings::Readings;
use crate::streams::Streams;

/// How long a token is used as it was read.
const TOKEN_CACHE: Duration = Duration::from_secs(60);
/// How many tokens are remembered.
const TOKENS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What a host decides about the API.
#[derive(Debug, Clone)]
pub struct Options {
    /// From where browsers may call it.
    pub origins: Vec<String>,
    /// Whether tokens with the scope `operate` may use the test tools; the operator always may.
    pub test_tools: bool,
    /// How long a stream of events lasts before the reader comes again; zero where answers cannot be streamed.
    pub stream_life: Duration,
    /// What the host found wrong with its store, where it looks.
    pub damage: Option<watch::Receiver<Option<String>>>,
    /// When streams of events give way.
    pub load: Load,
    /// Whether other processes serve the same API, so that answers are shared by the table.
    pub shares_answers: bool,
}

/// The host's answer to whether it is busy with requests that cannot wait. The default is never busy.
#[derive(Clone, Default)]
pub struct Load(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Load {
    /// Asks the host each time.
    pub fn of(is_high: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_high)))
    }

    pub(crate) fn is_high(&self) -> bool {
        self.0.as_ref().is_some_and(|is_high| is_high())
    }
}

impl fmt::Debug for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Load").field(&self.is_high()).finish()
    }
}

impl Default for Options {
    fn default() -> Self {
        let (stream_life, load) = (Duration::from_secs(300), Load::default());
        Self { origins: Vec::new(), test_tools: false, stream_life, damage: None, load, shares_answers: false }
    }
}

/// The API's state.
pub struct Api {
    ports: Ports,
    settings: Settings,
    options: Options,
    clock: Arc<dyn Clock>,
    /// Rings when something was published in this process; without it, streams look once a second.
    bell: Option<watch::Receiver<u64>>,
    tokens: Remembered<String, Option<Arc<Token>>>,
    streams: Streams,
    readings: Readings,
    readiness: Readiness,
    answers: Answers,
}

impl Api {
    /// An API over a host's ports.
    pub fn new(
        ports: Ports,
        settings: Settings,
        options: Options,
        clock: Arc<dyn Clock>,
        bell: Option<watch::Receiver<u64>>,
    ) -> Self {
        let shares_answers = options.shares_answers;
        Self {
            ports,
            settings,
            options,
            clock,
            bell,
            tokens: Remembered::new(TOKENS),
            streams: Streams::default(),
            readings: Readings::default(),
            readiness: Readiness::default(),
            answers: Answers::new(shares_answers),
        }
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(crate) fn table(&self) -> &dyn Table {
        &*self.ports.table
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The context of a tenant's request.
    pub(crate) fn context<'a>(&'a self, tenant: &'a Tenant) -> Context<'a> {
        Context { ports: &self.ports, settings: &self.settings, tenant, now: self.now() }
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(crate) fn readings(&self) -> &Readings {
        &self.readings
    }

    pub(crate) fn bell(&self) -> Option<watch::Receiver<u64>> {
        self.bell.clone()
    }

    /// A token by its id, remembered for a minute.
    pub(crate) async fn token(&self, id: &str, now: Timestamp) -> Result<Option<Arc<Token>>, Fault> {
        if let Some(token) = self.tokens.get(id, now) {
            return Ok(token);
        }
        let stored = records::get::<Token>(self.table(), &token::key(id)).await?;
        let token = stored.map(|stored| Arc::new(stored.record));
        self.tokens.put(id.to_owned(), token.clone(), TOKEN_CACHE, now);
        Ok(token)
    }

    /// Whether a token counts, and all those that it was made by, one by the other.
    pub(crate) async fn counts(&self, token: &Token, now: Timestamp) -> Result<bool, Fault> {
        let makers = self.makers(token, now).await?;
        Ok(token.counts(now) && makers.is_some_and(|makers| makers.iter().all(|maker| maker.counts(now))))
    }

    /// Whether there is a token of this id, and it counts as [`Self::counts`] says.
    pub(crate) async fn counts_by_id(&self, id: &str, now: Timestamp) -> Result<bool, Fault> {
        match self.token(id, now).await? {
            Some(token) => self.counts(&token, now).await,
            None => Ok(false),
        }
    }

    /// The tokens that a token was made by, one by the other; none if one of them is gone, or there are too many.
    pub(crate) async fn makers(&self, token: &Token, now: Timestamp) -> Result<Option<Vec<Arc<Token>>>, Fault> {
        let mut makers: Vec<Arc<Token>> = Vec::new();
        while let Some(id) = makers.last().map_or_else(|| token.maker(), |last| last.maker()).map(str::to_owned) {
            match self.token(&id, now).await? {
                Some(maker) if makers.len() < grant::DEEPEST => makers.push(maker),
                Some(_) | None => return Ok(None),
            }
        }
        Ok(Some(makers))
    }

    /// Forgets a token, so that a revocation counts at once here.
    pub(crate) fn forget_token(&self, id: &str) {
        self.tokens.forget(id);
    }
}
