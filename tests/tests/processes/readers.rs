//! Readers follow the feed while four workers write it: none may miss anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hooktide_model::names::Channel;
use hooktide_tests::client::Client;
use hooktide_tests::server::{PATIENCE, Server, eventually};
use http::Method;
use serde_json::Value;

use crate::feed::{Event, Events};
use crate::traffic::{Dice, Traffic, ids};

const PRODUCTS: u64 = 300;
const VERSIONS: u64 = 8;
const DUPLICATES: usize = 600;
const SENDERS: usize = 32;
/// After which a reader asks whether there is more.
const SILENCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_reader_misses_nothing() {
    let (read, all) = while_much_happens(poll).await;
    assert_eq!(ids(&read), ids(&all));
    assert_eq!(read.len(), all.len(), "its cursor leads nowhere twice");
    assert_eq!(newest(&read), newest(&all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_reconnects_at_random_misses_nothing() {
    let (events, all) = while_much_happens(follow).await;
    let (updates, invalidations) = (Channel::ProductUpdates.as_str(), Channel::ProductCacheInvalidation.as_str());
    let mut told: BTreeMap<(&str, String), &Event> = BTreeMap::new();
    let mut read = Vec::new();
    for event in &events {
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        let id = data[if event.channel == updates { "id" } else { "change" }].as_str().expect("a change's id");
        match told.insert((&event.channel, id.to_owned()), event) {
            None if event.channel == updates => read.push(data),
            None => {}
            // A repeat is known by the change's id and tells the same; the cursor may have got on in other lanes.
            Some(first) => assert_eq!(without_document(first), without_document(event)),
        }
    }
    assert!(told.len() < events.len(), "no event came twice: the reader never had to drop one");
    for channel in [updates, invalidations] {
        let told = told.keys().filter(|(on, _)| *on == channel).map(|(_, id)| id.as_str()).collect();
        assert_eq!(ids(&all), told, "{channel}");
    }
    assert_eq!(told.len(), all.len() * 2, "nothing is told on other channels");
    assert_eq!(newest(&read), newest(&all));
}

/// Has a reader read while deliveries come in; what it read, and all there is in the end.
async fn while_much_happens<T, Read>(reader: fn(Client, Arc<AtomicBool>) -> Read) -> (Vec<T>, Vec<Value>)
where
    T: Send + 'static,
    Read: Future<Output = Vec<T>> + Send + 'static,
{
    let server = Server::start().await;
    let shop = server.client.shop().await;
    let done = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn(reader(server.client.clone(), Arc::clone(&done)));
    let versions = (0..PRODUCTS).flat_map(|number| (0..VERSIONS).map(move |version| (number, version)));
    let mut sent: Vec<_> = versions.map(|(number, version)| shop.product(number, version)).collect();
    let dice = Dice::seeded(42);
    dice.shuffle(&mut sent);
    sent.extend_from_within(..DUPLICATES);
    dice.shuffle(&mut sent);
    let count = sent.len();
    let traffic = Traffic::new(sent);
    traffic.flow(&server.client, SENDERS).await;
    assert_eq!(traffic.with(Some(200)).len(), count);
    eventually("something became of every delivery", async || {
        let activity = server.client.all("/v1/activity").await;
        assert_eq!(ids(&activity).len(), activity.len());
        (activity.len() == count).then_some(())
    })
    .await;
    done.store(true, Ordering::SeqCst);
    let read = tokio::time::timeout(PATIENCE, reading).await.expect("the reader comes to the end");
    let all = server.client.all("/v1/changes").await;
    check(&all);
    (read.expect("the reader"), all)
}

/// What every feed of that traffic holds: each product made once, each version at most once, and the newest in the end.
fn check(all: &[Value]) {
    assert_eq!(ids(all).len(), all.len(), "no change is there twice");
    let versions: BTreeSet<_> = all.iter().map(|change| (text(change, "entity"), text(change, "version"))).collect();
    assert_eq!(versions.len(), all.len(), "no version is there twice");
    let made: Vec<_> = all.iter().filter(|change| change["op"] == "created").collect();
    assert_eq!(made.len() as u64, PRODUCTS, "each was made once");
    for change in made {
        let entity = text(change, "entity");
        let oldest =
            all.iter().filter(|other| text(other, "entity") == entity).map(|other| text(other, "version")).min();
        assert_eq!(oldest, Some(text(change, "version")), "versions only grow from there");
    }
    let newest = newest(all);
    assert_eq!(newest.len() as u64, PRODUCTS);
    assert_eq!(newest.values().collect::<BTreeSet<_>>().len(), 1, "the last version of each stands");
}

/// What a reader holds who takes a change only if its version is newer than what it has.
fn newest(changes: &[Value]) -> BTreeMap<&str, &str> {
    let mut newest = BTreeMap::new();
    for change in changes {
        let version = newest.entry(text(change, "entity")).or_insert("");
        *version = (*version).max(text(change, "version"));
    }
    newest
}

fn text<'a>(change: &'a Value, name: &str) -> &'a str {
    change[name].as_str().expect("a text")
}

/// A document is left out of a repeat that comes after a newer one has replaced it.
fn without_document(event: &Event) -> Value {
    let mut data: Value = serde_json::from_str(&event.data).expect("JSON");
    data.as_object_mut().expect("an object").remove("document");
    data
}

/// Asks for pages of any size, one after the other, until nothing more comes.
async fn poll(client: Client, done: Arc<AtomicBool>) -> Vec<Value> {
    let (mut read, mut after, dice) = (Vec::new(), String::new(), Dice::seeded(7));
    loop {
        let last = done.load(Ordering::SeqCst);
        let path = format!("/v1/changes?limit={}{after}", 1 + dice.roll(60));
        let page = client.call(Method::GET, &path, None).await.expect(200);
        let items = page["items"].as_array().expect("items");
        if last && items.is_empty() && page["more"] == false {
            return read;
        }
        read.extend(items.iter().cloned());
        after = format!("&after={}", page["next"].as_str().expect("a cursor"));
    }
}

/// Follows the stream, is cut off again and again, and comes back with the last id it kept.
async fn follow(client: Client, done: Arc<AtomicBool>) -> Vec<Event> {
    let (mut read, mut kept, dice) = (Vec::<Event>::new(), None::<String>, Dice::seeded(11));
    let mut quiet = false;
    while !quiet {
        let mut stream = client.events(kept.as_deref()).await.expect("a stream of events");
        let (mut events, mut bytes) = (Events::default(), 200 + dice.roll(30_000));
        while bytes > 0 {
            let last = done.load(Ordering::SeqCst);
            let Ok(chunk) = tokio::time::timeout(SILENCE, stream.chunk()).await else {
                quiet = last && nothing_follows(&client, kept.as_deref()).await;
                break;
            };
            let chunk = chunk.expect("a stream that lasts").expect("a stream that lasts");
            let taken = &chunk[..chunk.len().min(bytes)];
            bytes -= taken.len();
            for event in events.take(taken) {
                if !event.id.is_empty() {
                    kept = Some(event.id.clone());
                }
                if !event.data.is_empty() {
                    read.push(event);
                }
            }
        }
        // Sometimes it forgets the last few, as a reader does that dies before it has written down where it was.
        if dice.roll(4) == 0 && !quiet && read.len() > 5 {
            kept = Some(read[read.len() - 1 - dice.roll(5)].id.clone());
        }
    }
    read
}

async fn nothing_follows(client: &Client, kept: Option<&str>) -> bool {
    let path = format!("/v1/changes?after={}", kept.expect("the first event has an id"));
    let page = client.call(Method::GET, &path, None).await.expect(200);
    page["items"].as_array().is_some_and(Vec::is_empty) && page["more"] == false
}
