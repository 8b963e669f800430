//! Our kept answers by themselves: one value that changes, and whoever asks for it.

use hooktide_flows::connect::Context;
use hooktide_flows::read::Reader;
use hooktide_flows::read::answers::{Answered, Answers, Asked, Dependency};
use hooktide_flows::read::rules;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{AttributeValue, Key, Table, Write};
use hooktide_store::records::{number, tag, whole_number};
use hooktide_tests::world::World;

/// The tag that the answer depends on.
const TAG: &str = "transactions";

/// A value in a table, and answers with it.
pub(super) struct Ours {
    world: World,
    tenant: Tenant,
    answers: Answers,
}

impl Ours {
    pub(super) async fn new() -> Self {
        Self { world: World::new().await, tenant: Tenant::default_local(), answers: Answers::default() }
    }

    fn table(&self) -> &dyn Table {
        &*self.world.host.ports.table
    }

    fn key(&self) -> Key {
        Partition::of(&self.tenant, Area::Budgets).key("value")
    }

    /// Changes the value with its tag, as a commit does.
    pub(super) async fn commit(&self, value: u64, lane: u8) {
        let change = Write::Update {
            key: self.key(),
            set: vec![("n", number(value)), ("v", AttributeValue::N("1".into()))],
            add: Vec::new(),
            remove: Vec::new(),
            condition: None,
        };
        self.table().transact(vec![change, tag::raise(&self.tenant, TAG, lane)]).await.expect("a commit");
    }

    /// Reads the value, which takes a while.
    async fn read(&self, takes: std::time::Duration) -> u64 {
        let item = self.table().get(&self.key()).await.expect("a read");
        tokio::time::sleep(takes).await;
        item.and_then(|item| whole_number(&item, "n")).unwrap_or(0)
    }

    pub(super) async fn answer(&self, takes: std::time::Duration) -> u64 {
        let host = &self.world.host;
        let context =
            Context { ports: &host.ports, settings: &host.settings, tenant: &self.tenant, now: self.world.now() };
        let asked = Asked {
            rule: &rules::TRANSACTIONS,
            reader: Reader { context, companies: &[] },
            question: "value",
            dependencies: &[Dependency::Tag(TAG.to_owned())],
        };
        let fill = async { Ok(self.read(takes).await.to_string().into_bytes()) };
        match self.answers.answer(&asked, |_| None, fill).await.expect("an answer") {
            Answered::Body { body, .. } => value_of(&body),
            Answered::Unchanged(_) => unreachable!("the reader has nothing"),
        }
    }
}

/// The value that an answer says.
pub(super) fn value_of(body: &[u8]) -> u64 {
    std::str::from_utf8(body).ok().and_then(|text| text.parse().ok()).expect("a number")
}
