//! Writing one block at its provider. What is to be done is stored before the provider is called, and what became of it after;
//! where an answer was lost, the block is looked for before anything is done again.

use jiff::Timestamp;

use super::person::Manner;
use super::pieces;
use super::wanted::moment;
use crate::Ports;
use crate::asking::account::Account;
use crate::asking::{self, Failure, Priority};
use crate::follow::busy::own;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{self as providers, Refusal, Target, There, WriteStep, WriteTask, Written};
use hooktide_store::ports::{TransactFault, Write};
use hooktide_store::records::block::{self, Block, BlockName, Times};
use hooktide_store::records::{self, Stored};

/// How many steps the writing of one block takes at the most.
const MOST_STEPS: usize = 6;
/// After how many failures a name that is taken is believed to be that of nothing: what was just made may be found late.
const SURE: u32 = 2;

/// What became of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// Made, or made anew.
    Made,
    /// At another time now.
    Changed,
    /// There already, as it should be.
    Found,
    /// Gone.
    Removed,
    /// Left alone.
    Left,
}

/// What a look at a block that is not as it should be finds.
enum Seen {
    /// What a write of ours left, and the times that it gave.
    Ours(There, Times),
    /// What a person made of it.
    Theirs,
    /// Nothing.
    Nothing,
}

/// Writes blocks of one connection.
pub(super) struct Pen<'a> {
    pub(super) ports: &'a Ports,
    pub(super) tenant: &'a Tenant,
    pub(super) account: &'a Account,
    pub(super) target: &'static dyn Target,
    pub(super) manner: Manner,
    pub(super) now: Timestamp,
}

impl Pen<'_> {
    /// Does what is to be done about a block.
    pub(super) async fn settle(&self, stored: Stored<Block>) -> Result<Option<Done>, Failure> {
        match stored.record.state {
            BlockState::There | BlockState::Left => Ok(None),
            // Nothing is made in an account that is being left.
            BlockState::Wanted | BlockState::Writing if self.account.connection.deleted_at.is_some() => {
                self.remove(stored).await.map(Some)
            }
            BlockState::Wanted | BlockState::Writing => self.write(stored).await.map(Some),
            BlockState::Removing => self.remove(stored).await.map(Some),
        }
    }

    async fn write(&self, stored: Stored<Block>) -> Result<Done, Failure> {
        let Stored { mut rev, record: mut block } = stored;
        let was_lost = block.state == BlockState::Writing || block.sent.is_some();
        // What was read before this says nothing of how this leaves it, whenever it was tried first.
        block.written_at = self.now.as_millisecond();
        if !was_lost {
            self.send(&mut rev, &mut block).await?;
        }
        let mut wanted = self.wanted(&block)?;
        let is_new = block.written.is_none();
        let mut is_taken = false;
        let mut etag = block.etag.clone();
        let mut id = block.provider_id.clone();
        let mut looks = was_lost;
        for _ in 0..MOST_STEPS {
            let step = match (&id, looks) {
                (_, true) => WriteStep::Look { id: id.as_deref(), block: &wanted },
                (Some(id), false) => WriteStep::Change { id, etag: etag.as_deref(), block: &wanted },
                (None, false) => WriteStep::Create(&wanted),
            };
            match self.ask(&block, &step).await? {
                Written::There(there) if !looks || there.is_as_wanted => {
                    let done = if looks {
                        Done::Found
                    } else if is_new {
                        Done::Made
                    } else {
                        Done::Changed
                    };
                    self.there(rev, block, there).await?;
                    return Ok(done);
                }
                Written::There(there) if is_new => (id, etag, looks) = (Some(there.id), there.etag, false),
                Written::Taken => (looks, is_taken) = (true, true),
                Written::Gone if is_new && is_taken && block.failures < SURE => {
                    return Err(Failure::Refused(Refusal::Unreadable(
                        "the name of a block is taken, and nothing has it",
                    )));
                }
                // Nothing is left of its name but that it is taken.
                Written::Gone if is_new && is_taken => {
                    block.generation = fresh(block.generation, self.now);
                    self.keep(&mut rev, &block).await?;
                    wanted = self.wanted(&block)?;
                    (id, looks, is_taken) = (None, false, false);
                }
                // The block was never there, or what was written before is gone.
                Written::Gone if is_new => (id, looks) = (None, false),
                Written::Gone if self.manner.restores => {
                    block = Block { generation: block.generation + 1, state: BlockState::Wanted, ..block.unwritten() };
                    self.keep(&mut rev, &block).await?;
                    return Err(Failure::Later(self.now));
                }
                Written::Gone => {
                    let written = block.written.clone();
                    let next = Block { state: BlockState::Left, ..block.unwritten() };
                    return self.left(rev, next, written, own::DELETED).await;
                }
                // Where servers do not say in which state a write leaves a block, it may be as it should be by now.
                Written::Changed if !looks => looks = true,
                // Either an earlier write left it so, and this one was never done, or a person changed it meanwhile.
                Written::There(_) | Written::Changed => match self.as_it_was_left(&block).await? {
                    Seen::Ours(there, times) => {
                        (id, etag, looks) = (Some(there.id), there.etag, false);
                        if block.written.as_ref() != Some(&times) {
                            block.former = block.written.replace(times);
                        }
                        self.send(&mut rev, &mut block).await?;
                    }
                    Seen::Nothing => looks = true,
                    Seen::Theirs if self.manner.restores => (etag, looks) = (None, false),
                    Seen::Theirs => {
                        let written = block.written.clone();
                        return self.left(rev, Block { state: BlockState::Left, ..block }, written, own::CHANGED).await;
                    }
                },
            }
        }
        Err(Failure::Refused(Refusal::Unreadable("the calendar says something else of a block at each look")))
    }

    async fn remove(&self, stored: Stored<Block>) -> Result<Done, Failure> {
        let Stored { rev, record: block } = stored;
        let wanted = self.wanted(&block)?;
        let (mut id, mut etag) = (block.provider_id.clone(), block.etag.clone());
        for _ in 0..MOST_STEPS {
            let step = match &id {
                Some(id) => WriteStep::Remove { id, etag: etag.as_deref() },
                None => WriteStep::Look { id: None, block: &wanted },
            };
            match self.ask(&block, &step).await? {
                Written::There(there) if id.is_none() => (id, etag) = (Some(there.id), there.etag),
                Written::Gone | Written::There(_) | Written::Taken => {
                    self.forget(rev, &block).await?;
                    return Ok(Done::Removed);
                }
                Written::Changed => match self.as_it_was_left(&block).await? {
                    Seen::Ours(there, _) => (id, etag) = (Some(there.id), there.etag),
                    // Our removal was done without an answer, or a person removed it.
                    Seen::Nothing => {
                        self.forget(rev, &block).await?;
                        return Ok(Done::Removed);
                    }
                    // A person made it their own: it stays, and is no block of ours any more.
                    Seen::Theirs => {
                        self.forget(rev, &block).await?;
                        return Ok(Done::Left);
                    }
                },
            }
        }
        Err(Failure::Refused(Refusal::Unreadable("the calendar says something else of a block at each look")))
    }

    /// What is at the provider: the block as a write of ours left it, the last one that was answered or one whose answer was
    /// lost, or as a person did.
    async fn as_it_was_left(&self, block: &Block) -> Result<Seen, Failure> {
        let mut left: Vec<Times> = [&block.written, &block.sent].into_iter().flatten().cloned().collect();
        left.dedup();
        if left.is_empty() {
            left.push(block.times());
        }
        for times in left {
            let Times { start, end } = times.clone();
            let former = self.wanted(&Block { start, end, ..block.clone() })?;
            let look = WriteStep::Look { id: block.provider_id.as_deref(), block: &former };
            match self.ask(block, &look).await? {
                Written::There(there) if there.is_as_wanted => return Ok(Seen::Ours(there, times)),
                Written::Gone => return Ok(Seen::Nothing),
                Written::There(_) | Written::Changed | Written::Taken => {}
            }
        }
        Ok(Seen::Theirs)
    }

    /// Stores what is about to be sent.
    async fn send(&self, rev: &mut u64, block: &mut Block) -> Result<(), Failure> {
        (block.state, block.sent) = (BlockState::Writing, Some(block.times()));
        self.keep(rev, block).await
    }

    /// Asks the provider.
    async fn ask(&self, block: &Block, step: &WriteStep<'_>) -> Result<Written, Failure> {
        let connection = &self.account.connection;
        let task = WriteTask {
            account: connection.account.as_deref(),
            settings: &connection.settings,
            calendar: &block.lies_in.calendar,
            api: self.account.way.as_ref().map_or("", |way| way.base.as_str()),
            now: self.now,
        };
        let asks = vec![self.target.ask(&task, step)];
        let answers = asking::ask(self.ports, self.account, (asks, Priority::Webhook), &mut 0, self.now).await?;
        let answer = answers.first().ok_or_else(|| Failure::Silent("no answer came".to_owned()))?;
        Ok(self.target.read(&task, step, answer)?)
    }

    /// The block as the provider is asked for it.
    fn wanted(&self, block: &Block) -> Result<providers::Block, Failure> {
        let times = moment(&block.start).zip(moment(&block.end));
        let (start, end) = times.ok_or_else(|| Fault::failed("a stored block has no time that can be read"))?;
        Ok(providers::Block { key: block.key(self.tenant), start, end, title: block.title.clone() })
    }

    /// Stores a block that is there, with the names by which it comes home.
    async fn there(&self, rev: u64, block: Block, there: There) -> Result<(), Failure> {
        let name = BlockName { block: Block::sort(&block.lies_in, &block.stem) };
        let id_key = block::name_key(self.tenant, &block.lies_in, &there.id);
        let mut writes = vec![records::put(&id_key, &name, block.upkeep())?];
        if let Some(uid) = &there.uid {
            writes.push(records::put(&block::uid_key(self.tenant, uid), &name, block.upkeep())?);
        }
        let next = Block {
            state: BlockState::There,
            provider_id: Some(there.id),
            etag: there.etag,
            former: block.written.clone(),
            written: Some(block.times()),
            sent: None,
            failures: 0,
            reason: None,
            ..block
        };
        writes.push(records::replace(&next.record_key(self.tenant), Some(rev), &next, next.upkeep())?);
        self.transact(writes).await
    }

    /// Stores a block that is left alone. A merged one is so at the times that it had: others are those of another block.
    async fn left(&self, mut rev: u64, mut next: Block, written: Option<Times>, reason: &str) -> Result<Done, Failure> {
        if let Some(Times { start, end }) = written.filter(|_| next.is_merged()) {
            (next.start, next.end) = (start, end);
        }
        self.keep(&mut rev, &Block { sent: None, failures: 0, reason: Some(reason.to_owned()), ..next }).await?;
        Ok(Done::Left)
    }

    /// Removes the record of a block that is no longer there, or not ours.
    async fn forget(&self, rev: u64, block: &Block) -> Result<(), Failure> {
        let condition = Some(records::unchanged(rev));
        let mut writes = vec![Write::Delete { key: block.record_key(self.tenant), condition }];
        if let Some(id) = &block.provider_id {
            let key = block::name_key(self.tenant, &block.lies_in, id);
            writes.push(Write::Delete { key, condition: None });
        }
        if block.is_merged() {
            writes.extend(pieces::slots(self, block, Some(&block.times()), None)?);
        }
        self.transact(writes).await
    }

    /// Stores a block over the one that was read.
    async fn keep(&self, rev: &mut u64, block: &Block) -> Result<(), Failure> {
        let write = records::replace(&block.record_key(self.tenant), Some(*rev), block, block.upkeep())?;
        self.ports.table.write(write).await.map_err(records::raced)?;
        *rev += 1;
        Ok(())
    }

    /// Makes several writes, or none of them.
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<(), Failure> {
        let done: Result<(), TransactFault> = self.ports.table.transact(writes).await;
        Ok(done.map_err(records::overtaken)?)
    }
}

/// A generation whose name was never used: those that are counted may all be, since blocks that are gone are forgotten.
fn fresh(generation: u32, now: Timestamp) -> u32 {
    let seconds = u32::try_from(now.as_second()).unwrap_or_default();
    seconds.max(generation.saturating_add(1))
}

/// What a block is kept as after a write that failed.
pub(super) fn failed(block: Block, reason: String, most: u32) -> Block {
    let failures = block.failures + 1;
    let state = if failures >= most { BlockState::Left } else { block.state };
    Block { failures, state, reason: Some(reason), ..block }
}
