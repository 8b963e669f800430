//! The queue's file: how it is opened, what is in it, and when it is refused.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};

/// The version of the schema below; a change of it needs a step in [`prepare`] that brings older files up to it.
const VERSION: i64 = 1;

/// The size of a page in a new file, in bytes.
const PAGE_BYTES: i64 = 8192;

/// `message` holds what changes and stays small; bodies lie apart, so that a receive does not rewrite them.
///
/// `source` is 0 for the dead queue, else as `store::code` says. `state` is 0 for ready, 1 for held back, 2 for in
/// flight; what is not ready is made so by the first receive after `due`. Times are Unix milliseconds. An id is never
/// used twice (`AUTOINCREMENT`), so a late delete cannot hit another message.
const SCHEMA: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source INTEGER NOT NULL,
        fair_group TEXT NOT NULL,
        state INTEGER NOT NULL,
        due INTEGER NOT NULL,
        receipt INTEGER NOT NULL,
        receives INTEGER NOT NULL,
        sent_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE body (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE INDEX ready ON message (source, fair_group, due) WHERE state = 0;
    CREATE INDEX hidden ON message (source, due, state) WHERE state > 0;
    PRAGMA user_version = 1;
";

/// The file had one owner, and that one is gone: what it was working on goes back to its old place, to be handed out
/// at once, whatever the clock said that it was sent by. Its receives count on, so what kills every owner still ends in the dead queue.
const RECLAIM: &str = "
    UPDATE message INDEXED BY hidden SET state = 1, due = min(sent_at, ?1) WHERE state > 0 AND state = 2";

/// Why a queue could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has the file open.
    #[error(
        "the queue {path} is in use by another process, perhaps a second server on the same data folder; \
         stop that one, or use another data folder"
    )]
    Locked {
        /// Which file.
        path: String,
    },
    /// A newer version of the program wrote the file.
    #[error(
        "the queue {path} has version {found}, and this program knows versions up to {known}: a newer version of it \
         wrote the file; run that version, or use another data folder"
    )]
    Newer {
        /// Which file.
        path: String,
        /// The version that it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is a database of something else.
    #[error("{path} is a database, but not a queue; use another data folder, or move the file away")]
    Foreign {
        /// Which file.
        path: String,
    },
    /// The file or the folder cannot be used.
    #[error("the queue {path} cannot be opened: {detail}. If it is damaged, restore the data folder from a backup")]
    Unusable {
        /// Which file.
        path: String,
        /// What SQLite says.
        detail: String,
    },
    /// The system gives no thread.
    #[error("the queue's writer thread cannot be started: {detail}")]
    NoThread {
        /// What the system says.
        detail: String,
    },
}

/// Opens a file, making it if need be.
pub(super) fn open(path: &Path, now: Timestamp) -> Result<Connection, OpenError> {
    let name = path.display().to_string();
    let connection = Connection::open(path).map_err(|error| refusal(&name, &error))?;
    let mode = prepare(&connection, &name, now)?;
    if mode != "wal" {
        let detail = format!("its file system allows no write-ahead log, only the journal mode \"{mode}\"");
        return Err(OpenError::Unusable { path: name, detail });
    }
    Ok(connection)
}

/// Opens a database that nobody else sees.
pub(super) fn in_memory(now: Timestamp) -> Result<Connection, OpenError> {
    let name = ":memory:";
    let connection = Connection::open_in_memory().map_err(|error| refusal(name, &error))?;
    prepare(&connection, name, now)?;
    Ok(connection)
}

/// Locks, checks and sets up; returns the journal mode.
fn prepare(connection: &Connection, path: &str, now: Timestamp) -> Result<String, OpenError> {
    let sql = |error: rusqlite::Error| refusal(path, &error);
    // The time that a queue which was just dropped needs to close the file.
    connection.busy_timeout(Duration::from_secs(2)).map_err(sql)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(sql)?;

    // Before anything is written: a file that is not ours stays as it is.
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
    if found > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
    }
    if found < VERSION && tables > 0 {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }

    if tables == 0 {
        // Several messages on a page. A file that is there keeps the size that it has.
        connection.pragma_update(None, "page_size", PAGE_BYTES).map_err(sql)?;
    }
    let mode =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)).map_err(sql)?;
    // The log goes into the file every 16 MiB, in older files every 8: fewer than one sender in a hundred waits for it.
    // `fullfsync` makes an fsync reach the disk on macOS; elsewhere it does nothing.
    let tuning = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 2000;
                  PRAGMA journal_size_limit = 33554432; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";
    connection.execute_batch(tuning).map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else statements that name a partial index are planned anew for each value that they are given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(sql)?;

    if found < VERSION {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;")).map_err(sql)?;
    } else {
        // Takes the lock now, not at the first send.
        connection.execute_batch("BEGIN IMMEDIATE").map_err(sql)?;
        connection.execute(RECLAIM, [now.as_millisecond()]).map_err(sql)?;
        connection.execute_batch("COMMIT").map_err(sql)?;
    }
    Ok(mode)
}

fn refusal(path: &str, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked { path },
        _ => OpenError::Unusable { path, detail: error.to_string() },
    }
}
