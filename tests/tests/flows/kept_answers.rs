//! Answers that are kept: in every order of the calls of two writers and two readers, one of whom may be cut off at any call, nobody
//! is given what was made before a change that was committed when they asked.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context as Polling, Poll, Waker};

use async_trait::async_trait;
use hooktide_flows::Ports;
use hooktide_flows::connect::Context;
use hooktide_flows::read::Reader;
use hooktide_flows::read::answers::{Answered, Answers, Asked, Dependency};
use hooktide_flows::read::rules;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{AttributeValue, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use hooktide_store::records::{number, tag};
use hooktide_tests::plain_table::PlainTable;
use hooktide_tests::world::World;

/// The tag that the answer depends on.
const TAG: &str = "transactions";

/// A table at whose calls another task may go first.
struct Gated(PlainTable);

thread_local! {
    /// How many calls were waited for.
    static GATES: Cell<usize> = const { Cell::new(0) };
}

/// Lets others go first, once.
async fn gate() {
    let mut was_here = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut was_here, true) {
        true => Poll::Ready(()),
        false => {
            GATES.set(GATES.get() + 1);
            Poll::Pending
        }
    })
    .await;
}

#[async_trait]
impl Table for Gated {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        gate().await;
        self.0.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        gate().await;
        self.0.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        gate().await;
        self.0.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.0.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        gate().await;
        self.0.write(write).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        gate().await;
        self.0.write_many(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        gate().await;
        self.0.transact(writes).await
    }
}

/// Chooses one way after the other, until there is no other one.
#[derive(Default)]
struct Chooser {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Chooser {
    fn choose(&mut self, among: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, among));
        }
        self.at += 1;
        self.taken[self.at - 1].0
    }

    /// Begins the next way; whether there is one.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, among)) = self.taken.pop() {
            if choice + 1 < among {
                self.taken.push((choice + 1, among));
                return true;
            }
        }
        false
    }
}

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Lets the tasks make their calls in an order that is chosen; the first may be cut off. One that waits for another makes no calls.
fn run(mut tasks: Vec<Option<Task<'_>>>, chooser: &mut Chooser) {
    let mut polling = Polling::from_waker(Waker::noop());
    let (mut may_be_cut_off, mut waits) = (true, vec![false; tasks.len()]);
    while tasks.iter().any(Option::is_some) {
        let left: Vec<usize> = (0..tasks.len()).filter(|index| tasks[*index].is_some() && !waits[*index]).collect();
        let cuts = usize::from(may_be_cut_off && tasks[0].is_some());
        assert!(left.len() + cuts > 0, "all wait for each other");
        let choice = chooser.choose(left.len() + cuts);
        let Some(index) = left.get(choice) else {
            (tasks[0], may_be_cut_off) = (None, false);
            waits.fill(false);
            continue;
        };
        let (task, before) = (&mut tasks[*index], GATES.get());
        let is_done = task.as_mut().is_some_and(|task| task.as_mut().poll(&mut polling).is_ready());
        if is_done {
            *task = None;
        }
        match is_done || GATES.get() > before {
            true => waits.fill(false),
            false => waits[*index] = true,
        }
    }
}

/// How many orders there are, and in how many of them somebody was given too old an answer. With `is_flawed`, data is read before
/// the versions of tags. With `is_shared`, each reader is a process of its own that shares answers by the table, and there is one
/// writer: with two there would be millions of orders.
async fn explore(is_flawed: bool, is_shared: bool) -> (usize, usize) {
    let host = World::new().await.host;
    let (tenant, mut chooser) = (Tenant::default_local(), Chooser::default());
    let (mut orders, mut stale) = (0, 0);
    let data = Partition::of(&tenant, Area::Companies).key("data");
    loop {
        let table: Arc<dyn Table> = Arc::new(Gated(PlainTable::default()));
        let ports = Ports { table: Arc::clone(&table), ..host.ports.clone() };
        let context =
            Context { ports: &ports, settings: &host.settings, tenant: &tenant, now: jiff::Timestamp::UNIX_EPOCH };
        let processes = [(); 3].map(|()| Answers::new(is_shared));
        let (committed, is_stale) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let write = || async {
            let add = Write::Update {
                key: data.clone(),
                set: vec![("v", number(1))],
                add: vec![("n", 1)],
                remove: vec![],
                condition: None,
            };
            table.transact(vec![add, tag::raise(&tenant, TAG, 0)]).await.unwrap();
            committed.set(committed.get() + 1);
        };
        let value = || async {
            match table.get(&data).await?.as_ref().and_then(|item| item.inner().get("n")) {
                Some(AttributeValue::N(text)) => Ok(text.clone().into_bytes()),
                _ => Ok(b"0".to_vec()),
            }
        };
        let ask = async |answers: &Answers| {
            let asked_at = committed.get();
            let before = if is_flawed { Some(value().await) } else { None };
            let fill = async {
                match before {
                    Some(before) => before,
                    None => value().await,
                }
            };
            let asked = Asked {
                rule: &rules::TRANSACTIONS,
                reader: Reader { context, companies: &[] },
                question: "",
                dependencies: &[Dependency::Tag(TAG.to_owned())],
            };
            let answered = answers.answer(&asked, |_| None, fill).await.unwrap();
            let Answered::Body { body, .. } = answered else { panic!("a body") };
            let given: i32 = std::str::from_utf8(&body).unwrap().parse().unwrap();
            if given < asked_at {
                is_stale.set(true);
            }
        };
        let read = |process: usize| ask(&processes[if is_shared { process } else { 0 }]);
        let tasks: Vec<Option<Task<'_>>> = vec![
            Some(Box::pin(read(0))),
            Some(Box::pin(read(1))),
            Some(Box::pin(write())),
            (!is_shared).then(|| Box::pin(write()) as Task<'_>),
        ];
        run(tasks, &mut chooser);
        // Whoever asks last of all is given what there is.
        run(vec![None, Some(Box::pin(read(2)))], &mut Chooser::default());
        (orders, stale) = (orders + 1, stale + usize::from(is_stale.get()));
        if !chooser.next() {
            return (orders, stale);
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_begun_before_a_change_is_never_given_after_it() {
    let (orders, stale) = explore(false, false).await;
    println!("{orders} orders");
    assert!(orders > 1_000, "{orders}");
    assert_eq!(stale, 0);
}

#[tokio::test]
async fn nor_is_one_that_another_process_made() {
    let (orders, stale) = explore(false, true).await;
    println!("{orders} orders");
    assert!(orders > 1_000, "{orders}");
    assert_eq!(stale, 0);
}

#[tokio::test]
async fn to_read_data_before_the_versions_of_tags_is_found() {
    assert!(explore(true, false).await.1 > 0 && explore(true, true).await.1 > 0);
}
