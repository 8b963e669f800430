//! What the queue does to its tables. Runs on the writer thread, inside its transaction.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use hooktide_store::ports::{MAX_DELAY, Outgoing, QueueName, Source};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::pace::Pace;
use super::{Depth, MAX_HIDDEN, QueueSettings, Received};

/// How many messages become ready at once, so that no receive takes long: sends wait behind it.
const PROMOTED: i64 = 1000;
/// How often, in milliseconds, is looked for what a clock that was ahead holds back.
const CLAMP_EVERY: i64 = 60_000;

// The partial indexes are named, so that a query which no longer fits them fails in the tests instead of being slow.
pub(super) const PROMOTE: &str = "
    UPDATE message
    SET state = 0,
        receipt = receipt + (receives >= ?3),
        source = CASE WHEN receives >= ?3 THEN 0 ELSE source END
    WHERE id IN (
        SELECT id FROM message INDEXED BY hidden
        WHERE source = ?1 AND state > 0 AND due <= ?2 ORDER BY due LIMIT ?4
    )
    RETURNING source";
pub(super) const FIRST: &str = "
    SELECT id, due, fair_group FROM message INDEXED BY ready
    WHERE source = ?1 AND state = 0 ORDER BY fair_group, due, id LIMIT 1";
pub(super) const NEXT: &str = "
    SELECT id, due, fair_group FROM message INDEXED BY ready
    WHERE source = ?1 AND state = 0 AND fair_group > ?2 ORDER BY fair_group, due, id LIMIT 1";
/// What is invisible for longer than it could have been made so by a clock that is right: received, sent with a delay
/// and never received, or released.
pub(super) const CLAMP: &str = "
    UPDATE message INDEXED BY hidden
    SET due = ?1 + CASE WHEN state = 2 THEN ?2 WHEN receives = 0 THEN ?3 ELSE ?4 END
    WHERE source = ?5 AND state > 0 AND due > ?1 + min(?2, ?3, ?4)
        AND due > ?1 + CASE WHEN state = 2 THEN ?2 WHEN receives = 0 THEN ?3 ELSE ?4 END";
// Two statements: for RETURNING, SQLite would build a table for each message.
const TAKE: &str =
    "UPDATE message SET state = 2, due = ?2, receipt = receipt + 1, receives = receives + 1 WHERE id = ?1";
const TAKEN: &str = "SELECT receipt, receives, sent_at, body FROM message JOIN body USING (id) WHERE id = ?1";
const READY: &str = "SELECT count(*) FROM message INDEXED BY ready WHERE source = ?1 AND state = 0";
const HIDDEN: &str = "
    SELECT count(*) FILTER (WHERE due <= ?2),
           count(*) FILTER (WHERE due > ?2 AND state = 1),
           count(*) FILTER (WHERE due > ?2 AND state = 2)
    FROM message INDEXED BY hidden WHERE source = ?1 AND state > 0";
/// In the order of ids, which is that of sending.
const OLDEST: &str = "SELECT sent_at FROM message WHERE source = ?1 ORDER BY id LIMIT 1";
pub(super) const NEXT_DUE: &str = "SELECT min(due) FROM message INDEXED BY hidden WHERE source = ?1 AND state > 0";

/// The connection, and what a round of operations shares.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    settings: QueueSettings,
    /// The round's time, in Unix milliseconds.
    now: i64,
    /// The group that had the last turn. Forgotten at a restart, which costs nobody more than a turn.
    turns: HashMap<Source, String>,
    /// When each source was last looked through for what a clock that was ahead holds back.
    clamped: HashMap<Source, i64>,
    /// What each source handed out lately.
    paces: HashMap<Source, Pace>,
    /// Whether this round gave receivers something to look at.
    changed: bool,
    /// How many messages this round moved to the dead queue.
    buried: usize,
}

impl Store {
    pub(super) fn new(connection: Connection, settings: QueueSettings) -> Self {
        let (turns, clamped, paces) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { connection, settings, now: 0, turns, clamped, paces, changed: false, buried: 0 }
    }

    /// Begins a round.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.now = now.as_millisecond();
        self.changed = false;
        self.buried = 0;
    }

    /// Whether the round, now committed, gave receivers something to look at.
    pub(super) fn finish(&self) -> bool {
        if self.buried > 0 {
            tracing::warn!(
                messages = self.buried,
                "messages went to the dead queue: received too often, never deleted"
            );
        }
        self.changed || self.buried > 0
    }

    pub(super) fn send(&mut self, messages: &[Outgoing]) -> Result<()> {
        let mut head = self.connection.prepare_cached(
            "INSERT INTO message (source, fair_group, state, due, receipt, receives, sent_at)
             VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)",
        )?;
        let mut body = self.connection.prepare_cached("INSERT INTO body (id, body) VALUES (?1, ?2)")?;
        for message in messages {
            let delay = millis(message.delay, MAX_DELAY);
            let source = code(Source::Queue(message.queue));
            head.execute(params![source, message.group, i64::from(delay > 0), self.now + delay, self.now])?;
            body.execute(params![self.connection.last_insert_rowid(), message.body])?;
        }
        self.changed = true;
        Ok(())
    }

    pub(super) fn receive(&mut self, from: Source, max: usize) -> Result<Vec<Received>> {
        Ok(self.receive_of(from, max, &|_| true)?.0)
    }

    /// Receives of the groups that are `free`; also which groups that were.
    pub(super) fn receive_of(
        &mut self,
        from: Source,
        max: usize,
        free: &dyn Fn(&str) -> bool,
    ) -> Result<(Vec<Received>, Vec<String>)> {
        self.clamp(from)?;
        let mut received: Vec<(i64, Received)> = Vec::new();
        let mut groups = BTreeSet::new();
        loop {
            let promoted = self.promote(from)?;
            while received.len() < max {
                let Some((id, due)) = self.next_of(from, free)? else { break };
                groups.extend(self.turns.get(&from).cloned());
                received.push((due, self.take(id, from)?));
            }
            if received.len() >= max || promoted < PROMOTED {
                break;
            }
        }
        received.sort_by_key(|(due, message)| (*due, message.id));
        self.paces.entry(from).or_default().count(received.len(), self.now);
        Ok((received.into_iter().map(|(_, message)| message).collect(), groups.into_iter().collect()))
    }

    /// The oldest message of the next group that is free, looking at each group once at the most.
    fn next_of(&mut self, from: Source, free: &dyn Fn(&str) -> bool) -> Result<Option<(i64, i64)>> {
        let mut passed_over: BTreeSet<String> = BTreeSet::new();
        loop {
            let Some(found) = self.next(from)? else { return Ok(None) };
            match self.turns.get(&from) {
                Some(group) if !free(group) => {
                    if !passed_over.insert(group.clone()) {
                        return Ok(None);
                    }
                }
                Some(_) | None => return Ok(Some(found)),
            }
        }
    }

    /// Brings nearer what a clock that was ahead has put too far off; once a minute, and when the clock was set back.
    fn clamp(&mut self, from: Source) -> Result<()> {
        if self.clamped.get(&from).is_some_and(|at| (*at..at + CLAMP_EVERY).contains(&self.now)) {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(CLAMP)?;
        let visibility = millis(self.settings.visibility_of(from), MAX_HIDDEN);
        let (delay, hidden) = (millis(MAX_DELAY, MAX_DELAY), millis(MAX_HIDDEN, MAX_HIDDEN));
        let nearer = statement.execute(params![self.now, visibility, delay, hidden, code(from)])?;
        if nearer > 0 {
            tracing::warn!(messages = nearer, "messages were held back by a clock that was ahead; they come sooner");
        }
        self.clamped.insert(from, self.now);
        Ok(())
    }

    /// Makes ready what has become due, or moves it to the dead queue; returns how many messages it looked at.
    fn promote(&mut self, from: Source) -> Result<i64> {
        let limit = match from {
            Source::Queue(_) => i64::from(self.settings.max_receives.max(1)),
            Source::Dead => i64::MAX,
        };
        let mut statement = self.connection.prepare_cached(PROMOTE)?;
        let mut rows = statement.query(params![code(from), self.now, limit, PROMOTED])?;
        let mut promoted = 0;
        while let Some(row) = rows.next()? {
            promoted += 1;
            self.buried += usize::from(row.get::<_, i64>(0)? != code(from));
        }
        Ok(promoted)
    }

    /// The oldest message of the group whose turn it is.
    fn next(&mut self, from: Source) -> Result<Option<(i64, i64)>> {
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let mut found = None;
        if let Some(last) = self.turns.get(&from) {
            let mut next = self.connection.prepare_cached(NEXT)?;
            found = next.query_row(params![code(from), last], row).optional()?;
        }
        if found.is_none() {
            let mut first = self.connection.prepare_cached(FIRST)?;
            found = first.query_row(params![code(from)], row).optional()?;
        }
        let Some((id, due, group)) = found else { return Ok(None) };
        self.turns.insert(from, group);
        Ok(Some((id, due)))
    }

    fn take(&self, id: i64, from: Source) -> Result<Received> {
        let until = self.now + millis(self.settings.visibility_of(from), MAX_HIDDEN);
        self.connection.prepare_cached(TAKE)?.execute(params![id, until])?;
        self.connection.prepare_cached(TAKEN)?.query_row(params![id], |row| {
            Ok(Received {
                id,
                receipt: row.get(0)?,
                receive_count: row.get(1)?,
                sent_at: timestamp(row.get(2)?),
                body: row.get(3)?,
            })
        })
    }

    pub(super) fn delete(&mut self, messages: &[(i64, u64)]) -> Result<()> {
        let mut head = self.connection.prepare_cached("DELETE FROM message WHERE id = ?1 AND receipt = ?2")?;
        let mut body = self.connection.prepare_cached("DELETE FROM body WHERE id = ?1")?;
        for (id, receipt) in messages {
            if head.execute(params![id, column(*receipt)])? > 0 {
                body.execute(params![id])?;
            }
        }
        Ok(())
    }

    pub(super) fn release(&mut self, messages: &[(i64, u64)], after: Duration) -> Result<()> {
        let due = self.now + millis(after, MAX_HIDDEN);
        // Held back even if it is due now: the next receive makes it ready, and sees whether it came too often.
        let mut statement = self
            .connection
            .prepare_cached("UPDATE message SET state = 1, due = ?3 WHERE id = ?1 AND receipt = ?2 AND receipt > 0")?;
        for (id, receipt) in messages {
            self.changed |= statement.execute(params![id, column(*receipt), due])? > 0;
        }
        Ok(())
    }

    pub(super) fn depth(&mut self) -> Result<Vec<Depth>> {
        Source::ALL.into_iter().map(|source| self.depth_of(source)).collect()
    }

    fn depth_of(&mut self, source: Source) -> Result<Depth> {
        let source_code = code(source);
        let waiting: u64 = self.connection.prepare_cached(READY)?.query_row([source_code], |row| row.get(0))?;
        let (due, delayed, in_flight): (u64, u64, u64) = self
            .connection
            .prepare_cached(HIDDEN)?
            .query_row([source_code, self.now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let ready = waiting + due;
        // A source without messages would be looked for through all the others.
        let oldest_sent_at = if ready + delayed + in_flight > 0 {
            let mut statement = self.connection.prepare_cached(OLDEST)?;
            statement.query_row([source_code], |row| row.get(0)).optional()?.map(timestamp)
        } else {
            None
        };
        let lately = self.paces.entry(source).or_default().lately(self.now);
        Ok(Depth { source, ready, delayed, in_flight, oldest_sent_at, lately })
    }

    pub(super) fn next_due(&self, from: Source) -> Result<Option<Timestamp>> {
        let mut statement = self.connection.prepare_cached(NEXT_DUE)?;
        let due: Option<i64> = statement.query_row(params![code(from)], |row| row.get(0))?;
        Ok(due.map(timestamp))
    }
}

/// How the file names a source. Never changes.
fn code(source: Source) -> i64 {
    match source {
        Source::Dead => 0,
        Source::Queue(QueueName::Notices) => 1,
        Source::Queue(QueueName::Priority) => 2,
        Source::Queue(QueueName::Jobs) => 3,
    }
}

fn millis(duration: Duration, longest: Duration) -> i64 {
    i64::try_from(duration.min(longest).as_millis()).unwrap_or(i64::MAX)
}

/// Only what was a timestamp is ever stored.
fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// A receipt that no column can hold was never given out, as -1 never is.
fn column(receipt: u64) -> i64 {
    i64::try_from(receipt).unwrap_or(-1)
}
