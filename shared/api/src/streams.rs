//! Streams of events: how many there are, and the one reader of a tenant's feed that all its streams share.
//!
//! A stream reads by itself until it has come to the end. From then on it is handed what the shared reader reads, so
//! that a change costs one reading however many streams there are. What a stream had is known by its cursor, so it
//! may join, fall behind and read by itself again at any time without missing anything. Those that are behind share
//! what they read as well, and all of them give way while the host is busy with what cannot wait.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use hooktide_flows::feed::{self, ChangeView, Cursor, Item};
use hooktide_flows::settings::Serving;
use hooktide_model::names::{Channel, ProblemType};
use hooktide_model::tenant::Tenant;
use lru::LruCache;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::answer::{Answer, Refused};
use crate::feed::{place_after, read, views};
use crate::state::Api;

/// How often the shared reader looks where nothing rings.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks where something rings: another process may have committed.
const LOOK_ANYWAY: Duration = Duration::from_secs(15);
/// How many entries are read at once.
const PAGE: usize = 100;
/// How many pages a stream may be behind before it reads by itself.
const BEHIND: usize = 8;
/// How many pages are remembered for streams that are behind.
const RECENT: NonZeroUsize = NonZeroUsize::new(16).unwrap();
/// For how long: those who are at the same place ask soon after each other, and what is erased must go.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How long the shared reader takes for a page at least: what is committed in quick succession is told together.
const PACE: Duration = Duration::from_millis(20);
/// How long it waits for streams that have yet to take the page before.
const PATIENCE: Duration = Duration::from_millis(40);
/// How long streams pause before they look again whether the host is busy.
const PAUSE: Duration = Duration::from_millis(20);
/// After how many seconds a reader who was turned away may come again.
const LATER: u64 = 10;

/// A page of the feed as streams tell it.
pub(crate) struct Page {
    before: Cursor,
    told: Vec<Told>,
    /// Where a reader stands who had all of it.
    pub(crate) after: Cursor,
    /// Whether there is more already.
    pub(crate) more: bool,
    /// Whether there was anything, of interest or not.
    any: bool,
    /// All of it, as it goes to whoever wants everything.
    whole: OnceLock<Bytes>,
}

/// A change on one of its channels.
pub(crate) struct Told {
    item: Item,
    /// Which of the change's channels, from 1 on.
    nth: usize,
    pub(crate) channel: Channel,
    pub(crate) tags: Arc<Vec<String>>,
    /// Where a reader stands who had it.
    cursor: Cursor,
    data: String,
}

impl Page {
    /// Reads what comes after a cursor.
    pub(crate) async fn read(api: &Api, tenant: &Tenant, before: &Cursor) -> Answer<Self> {
        let reading = read(api, tenant, before, PAGE).await?;
        let items: Vec<_> = reading.items.iter().filter(|item| item.entry.change.is_some()).cloned().collect();
        let views = views(api, tenant, &items).await?;
        let (after, more) = place_after(&reading, &items, views.len());
        let mut told = Vec::new();
        for (item, view) in items.into_iter().zip(views) {
            let tags = Arc::new(view.tags.clone());
            for (index, channel) in view.kind.channels().iter().enumerate().skip(item.skip) {
                let (nth, tags, cursor) = (index + 1, Arc::clone(&tags), item.cursor_after(index + 1));
                let data = data(&view, *channel);
                told.push(Told { item: item.clone(), nth, channel: *channel, tags, cursor, data });
            }
        }
        let any = !reading.items.is_empty();
        Ok(Self { before: before.clone(), told, after, more, any, whole: OnceLock::new() })
    }

    /// A page without anything.
    fn empty(at: Cursor) -> Self {
        let before = at.clone();
        Self { before, told: Vec::new(), after: at, more: false, any: false, whole: OnceLock::new() }
    }

    /// Whether a reader at `cursor` misses nothing by going on with this page.
    pub(crate) fn continues(&self, cursor: &Cursor) -> bool {
        cursor.reaches(&self.before)
    }

    /// Returns the part that is new to a reader at `cursor`, filtered by `wants` if given, in the form that is sent.
    pub(crate) fn text(&self, cursor: &Cursor, wants: Option<&dyn Fn(&Told) -> bool>) -> Bytes {
        let is_new = |told: &&Told| !told.item.was_had(cursor, told.nth);
        match wants {
            None if self.before.reaches(cursor) => self.whole.get_or_init(|| self.write(self.told.iter())).clone(),
            None => self.write(self.told.iter().filter(is_new)),
            Some(wants) => self.write(self.told.iter().filter(is_new).filter(|told| wants(told))),
        }
    }

    fn write<'a>(&self, told: impl Iterator<Item = &'a Told>) -> Bytes {
        let mut text = String::new();
        let mut told = told.peekable();
        // Where nothing of it is wanted, the reader still learns how far the feed is.
        if told.peek().is_none() && self.any {
            text = at(&self.after);
        }
        while let Some(one) = told.next() {
            // With the last of them, the reader had all that was read.
            let cursor = if told.peek().is_some() { &one.cursor } else { &self.after };
            let (id, channel, data) = (cursor.to_text(), one.channel.as_str(), &one.data);
            text.push_str(&format!("id: {id}\nevent: {channel}\ndata: {data}\n\n"));
        }
        text.into()
    }
}

/// What tells a reader where it stands, and nothing else.
pub(crate) fn at(cursor: &Cursor) -> String {
    format!("id: {}\n\n", cursor.to_text())
}

fn data(view: &ChangeView, channel: Channel) -> String {
    let told = if channel.is_invalidation() { view.invalidation() } else { serde_json::json!(view) };
    told.to_string()
}

/// The streams of a process.
#[derive(Default)]
pub(crate) struct Streams {
    tenants: Mutex<HashMap<Tenant, OfTenant>>,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct OfTenant {
    count: usize,
    shared: Option<broadcast::Sender<Arc<Page>>>,
    /// The turn of those that are behind: one of them reads at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Full pages that streams behind the others have just read, by the cursors that they come after.
struct Recent(LruCache<(Tenant, String), (Instant, Arc<Page>)>);

impl Default for Recent {
    fn default() -> Self {
        Self(LruCache::new(RECENT))
    }
}

impl Recent {
    /// The page after a cursor, if it was just read. Whatever is older is dropped.
    fn get(&mut self, place: &(Tenant, String)) -> Option<Arc<Page>> {
        while self.0.peek_lru().is_some_and(|(_, (read_at, _))| read_at.elapsed() > REMEMBERED) {
            self.0.pop_lru();
        }
        let (read_at, page) = self.0.peek(place)?;
        (read_at.elapsed() <= REMEMBERED).then(|| Arc::clone(page))
    }
}

/// A place among the streams, until it is dropped.
pub(crate) struct Place {
    api: Arc<Api>,
    tenant: Tenant,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tenants = self.api.streams().tenants();
        if let Some(own) = tenants.get_mut(&self.tenant) {
            own.count -= 1;
            if own.count == 0 && own.shared.is_none() {
                tenants.remove(&self.tenant);
            }
        }
    }
}

impl Place {
    /// A place for one more stream of a tenant, unless there are too many.
    pub(crate) fn take(api: &Arc<Api>, tenant: &Tenant) -> Answer<Self> {
        let Serving { streams, tenant_streams, .. } = api.settings().serving;
        let mut tenants = api.streams().tenants();
        let all: usize = tenants.values().map(|own| own.count).sum();
        let own = tenants.get(tenant).map_or(0, |own| own.count);
        if own >= tenant_streams as usize {
            let detail = format!("{own} streams of events are open, as many as a tenant may have: {CLOSE}.");
            return Err(Refused::new(ProblemType::Limited, detail).retry_after(LATER));
        }
        if all >= streams as usize {
            let detail = format!("{all} streams of events are open, as many as there may be: {CLOSE}.");
            return Err(Refused::new(ProblemType::Unavailable, detail).retry_after(LATER));
        }
        tenants.entry(tenant.clone()).or_default().count += 1;
        Ok(Self { api: Arc::clone(api), tenant: tenant.clone() })
    }

    /// What comes after a cursor, for a stream that is behind; `None` if its turn did not come soon. One of a tenant's
    /// streams reads at a time, for all that are at the same place.
    pub(crate) async fn catch_up(&self, cursor: &Cursor) -> Answer<Option<Arc<Page>>> {
        let turn = Arc::clone(&self.api.streams().tenants().entry(self.tenant.clone()).or_default().turn);
        let waiting = async {
            calm(&self.api).await;
            turn.lock().await
        };
        let Ok(_turn) = timeout(LOOK, waiting).await else { return Ok(None) };
        let place = (self.tenant.clone(), cursor.to_text());
        if let Some(page) = self.api.streams().recent().get(&place) {
            return Ok(Some(page));
        }
        let page = Arc::new(Page::read(&self.api, &self.tenant, cursor).await?);
        // The last page grows, so it is read anew.
        if page.more {
            self.api.streams().recent().0.put(place, (Instant::now(), Arc::clone(&page)));
        }
        Ok(Some(page))
    }

    /// What the tenant's shared reader reads from now on. The first page says where it begins.
    pub(crate) fn follow(&self) -> broadcast::Receiver<Arc<Page>> {
        let mut tenants = self.api.streams().tenants();
        let own = tenants.entry(self.tenant.clone()).or_default();
        if let Some(shared) = &own.shared {
            return shared.subscribe();
        }
        let (shared, pages) = broadcast::channel(BEHIND);
        own.shared = Some(shared.clone());
        tokio::spawn(share(Arc::clone(&self.api), self.tenant.clone(), shared));
        pages
    }
}

/// What whoever meets the bound can do.
const CLOSE: &str = "close one, or poll /v1/changes";

impl Streams {
    fn tenants(&self) -> MutexGuard<'_, HashMap<Tenant, OfTenant>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the sharing, if nobody follows any more or whatever happens.
    fn end(&self, tenant: &Tenant, anyway: bool) -> bool {
        let mut tenants = self.tenants();
        let Some(own) = tenants.get_mut(tenant) else { return true };
        let ends = anyway || own.shared.as_ref().is_none_or(|shared| shared.receiver_count() == 0);
        if ends {
            own.shared = None;
            if own.count == 0 {
                tenants.remove(tenant);
            }
        }
        ends
    }
}

/// Waits while the host is busy with what cannot wait.
async fn calm(api: &Api) {
    while api.options().load.is_high() {
        sleep(PAUSE).await;
    }
}

/// Reads a tenant's feed for all who follow it, as long as there are any. When that fails, their streams end: they
/// come again, and get the fault as an answer.
async fn share(api: Arc<Api>, tenant: Tenant, shared: broadcast::Sender<Arc<Page>>) {
    let ended = read_on(&api, &tenant, &shared).await;
    if ended.is_err() {
        api.streams().end(&tenant, true);
    }
}

async fn read_on(api: &Arc<Api>, tenant: &Tenant, shared: &broadcast::Sender<Arc<Page>>) -> Answer<()> {
    let mut bell = api.bell();
    let mut cursor = feed::now_cursor(api.table(), tenant, api.settings().lanes, api.now()).await?;
    // Whoever followed before this was known may have to read up to here.
    drop(shared.send(Arc::new(Page::empty(cursor.clone()))));
    while !api.streams().end(tenant, false) {
        // Marked before reading, so that what is committed meanwhile rings again.
        if let Some(bell) = &mut bell {
            bell.borrow_and_update();
        }
        calm(api).await;
        let began = Instant::now();
        let page = Page::read(api, tenant, &cursor).await?;
        let more = page.more;
        cursor = page.after.clone();
        if page.any {
            // Nobody may follow any more.
            drop(shared.send(Arc::new(page)));
            sleep_until(began + PACE).await;
            while shared.len() > 1 && began.elapsed() < PATIENCE {
                sleep(PACE).await;
            }
        }
        if more {
            continue;
        }
        match &mut bell {
            Some(bell) => drop(timeout(LOOK_ANYWAY, bell.changed()).await),
            None => tokio::time::sleep(LOOK).await,
        }
    }
    Ok(())
}
