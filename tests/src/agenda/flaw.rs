//! Flaws that a simulation must find: hosts whose ports do not what they say.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{AttributeValue, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use http::{Request, Response, Uri};

/// A flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Blocks that come home are not known.
    NoMark,
    /// Blocks are written without a word about it before.
    NoIntent,
    /// What is missing in a feed that is empty for a while is deleted.
    EmptyFeed,
    /// How far a calendar is read is stored, and what was read is not.
    CursorWithoutPage,
    /// The window does not move on.
    NoRoll,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::NoMark, Self::NoIntent, Self::EmptyFeed, Self::CursorWithoutPage, Self::NoRoll];
}

/// A table with a flaw.
pub struct FlawedTable {
    /// The table.
    pub inner: Arc<dyn Table>,
    /// The flaw.
    pub flaw: Option<Flaw>,
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    match item.inner().get(name) {
        Some(AttributeValue::S(text)) => text,
        _ => "",
    }
}

impl FlawedTable {
    /// The write in place of this one; `None` if nothing is written.
    fn flawed(&self, write: Write) -> Option<Write> {
        let Write::Put { mut item, condition } = write else { return Some(write) };
        match self.flaw {
            // The `UID` that a provider chose is forgotten.
            Some(Flaw::NoMark) if item.inner().contains_key("block") && text(&item, "sk").starts_with("uid#") => None,
            Some(Flaw::NoIntent) if text(&item, "state") == "writing" => {
                item.inner_mut().insert("state".to_owned(), AttributeValue::S("wanted".to_owned()));
                item.inner_mut().insert("written_at".to_owned(), AttributeValue::N("0".to_owned()));
                item.inner_mut().remove("sent");
                Some(Write::Put { item, condition })
            }
            // Nor does a second listing have to agree.
            Some(Flaw::EmptyFeed) if item.inner().contains_key("full_at") => {
                let long_ago = AttributeValue::S("1970-01-01T00:00:00Z".to_owned());
                item.inner_mut().insert("doubted_at".to_owned(), long_ago);
                Some(Write::Put { item, condition })
            }
            _ => Some(Write::Put { item, condition }),
        }
    }
}

#[async_trait]
impl Table for FlawedTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.inner.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.inner.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        let mut due = self.inner.due(partition, until, limit).await?;
        if self.flaw == Some(Flaw::NoRoll) {
            let is_nightly = |item: &Item| match item.inner().get("reasons") {
                Some(AttributeValue::M(reasons)) => reasons.len() == 1 && reasons.contains_key("nightly"),
                _ => false,
            };
            due.retain(|item| text(item, "job") != "busy" || !is_nightly(item));
        }
        Ok(due)
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        match self.flawed(write) {
            Some(write) => self.inner.write(write).await,
            None => Ok(None),
        }
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        self.inner.write_many(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        self.inner.transact(writes.into_iter().filter_map(|write| self.flawed(write)).collect()).await
    }
}

/// What the names of blocks begin with, and what they begin with for a host that does not know them.
const NAMES: [&str; 2] = ["hooktide", "qooktide"];

/// A request of a host that does not know blocks, as the provider gets it.
pub fn asked(mut request: Request<Bytes>) -> Request<Bytes> {
    let uri = request.uri().to_string().replace(NAMES[1], NAMES[0]);
    *request.uri_mut() = uri.parse::<Uri>().expect("an address");
    request.map(|body| replaced(&body, (NAMES[1], NAMES[0])))
}

/// An answer as a host that does not know blocks gets it.
pub fn answered(answer: Response<Bytes>) -> Response<Bytes> {
    answer.map(|body| replaced(&body, (NAMES[0], NAMES[1])))
}

fn replaced(body: &Bytes, (from, to): (&str, &str)) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(text) => Bytes::from(text.replace(from, to)),
        Err(_) => body.clone(),
    }
}
