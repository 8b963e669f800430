//! Whether the store's file is damaged: what SQLite's own check says.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, InterruptHandle, OpenFlags};
use tokio::sync::oneshot;

/// What is wrong with a file, as far as can be seen in so much time; `None` if nothing was found.
///
/// The check reads the file over a connection of its own, beside those that write.
pub(crate) async fn damage(path: PathBuf, time: Duration) -> Option<String> {
    let (give, given) = oneshot::channel::<InterruptHandle>();
    let mut check = tokio::task::spawn_blocking(move || match check(&path, give) {
        Ok(verdict) => (verdict != "ok").then_some(verdict),
        Err(error) => damages(&error).then(|| error.to_string()),
    });
    match tokio::time::timeout(time, &mut check).await {
        Ok(found) => found.ok().flatten(),
        Err(_) => {
            given.await.ok()?.interrupt();
            check.await.ok().flatten()
        }
    }
}

fn check(path: &std::path::Path, give: oneshot::Sender<InterruptHandle>) -> Result<String, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // Nobody waits for it any more.
    drop(give.send(connection.get_interrupt_handle()));
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// Whether an error says that the file is no longer what was written.
fn damages(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn a_file_that_was_overwritten_is_damaged_and_a_whole_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        let rows = "CREATE TABLE a (b TEXT PRIMARY KEY) STRICT; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1
                    FROM n WHERE i < 5000) INSERT INTO a SELECT hex(randomblob(40)) FROM n;";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        let time = Duration::from_secs(20);
        assert_eq!(damage(path.clone(), time).await, None);
        let mut bytes = fs::read(&path).unwrap();
        let half = bytes.len() / 2;
        bytes[half..half + 8_192].fill(0x5a);
        fs::write(&path, &bytes).unwrap();
        assert!(damage(path.clone(), time).await.is_some());
        fs::write(&path, "not a database at all, but long enough to have a header of one".repeat(20)).unwrap();
        assert!(damage(path, time).await.is_some());
    }
}
