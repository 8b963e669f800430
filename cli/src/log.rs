//! The local server's log: written beside the server by a thread of its own. Where it cannot be written, because the
//! disk is full or whoever read it is gone or rests, lines are lost and counted, and nothing else happens.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use jiff::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// How many lines wait to be written.
const WAITING: usize = 8_192;
/// How long the end of the process waits for them.
const FLUSH: Duration = Duration::from_secs(1);

/// Starts the log: JSON, or text if `people` read it. What waits is written when the result is dropped.
pub(crate) fn start(filter: &str, people: bool) -> Result<Flush, Failure> {
    let filter = if filter.is_empty() { "info" } else { filter };
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::Usage(format!("--log or HOOKTIDE_LOG is not a log filter: {error}.")))?;
    let (sender, waiting) = sync_channel(WAITING);
    let lines = Lines { sender, lost: Arc::default() };
    let flush = Flush(lines.sender.clone());
    let pen = Pen { out: io::stderr(), lost: Arc::clone(&lines.lost), people, torn: false };
    let failed = |error: String| Failure::Failed(format!("The log cannot be started: {error}."));
    let thread = std::thread::Builder::new().name("hooktide-log".to_owned());
    thread.spawn(move || pen.write_all_of(&waiting)).map_err(|error| failed(error.to_string()))?;
    // The library reports a line that it cannot format on stderr, by a macro that panics when stderr is gone.
    let log = tracing_subscriber::fmt().log_internal_errors(false).with_writer(move || lines.clone());
    let log = log.with_env_filter(filter).with_ansi(people);
    let started = if people { log.try_init() } else { log.json().try_init() };
    started.map_err(|error| failed(error.to_string()))?;
    Ok(flush)
}

enum Message {
    Line(Vec<u8>),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

/// Where lines are handed over. Never fails and never waits.
#[derive(Clone)]
struct Lines {
    sender: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Write for Lines {
    /// Takes a line; each is written by one call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits at its end until what was logged is written, or for a second.
pub(crate) struct Flush(SyncSender<Message>);

impl Drop for Flush {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        if self.0.try_send(Message::Flush(done)).is_ok() {
            // Whether or not: the process ends.
            written.recv_timeout(FLUSH).ok();
        }
    }
}

/// Writes lines, and how many were lost once it can write again.
struct Pen<W> {
    out: W,
    lost: Arc<AtomicU64>,
    people: bool,
    /// Whether the last line was not written to its end.
    torn: bool,
}

impl<W: Write> Pen<W> {
    fn write_all_of(mut self, waiting: &Receiver<Message>) {
        for message in waiting {
            match message {
                Message::Line(line) => self.line(&line),
                // Nobody may wait for it any more.
                Message::Flush(done) => drop(done.try_send(())),
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        let lost = self.lost.load(Ordering::Relaxed);
        let written = if lost == 0 { Ok(()) } else { self.say(lost) };
        if written.and_then(|()| self.out.write_all(line)).is_err() {
            self.torn = true;
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn say(&mut self, lost: u64) -> io::Result<()> {
        let (now, target) = (Timestamp::now(), "hooktide::log");
        let told = if self.people {
            format!("{now} ERROR {target}: lines of the log could not be written lines={lost}\n")
        } else {
            let fields = serde_json::json!({ "message": "lines of the log could not be written", "lines": lost });
            let told = serde_json::json!({ "timestamp": now, "level": "ERROR", "fields": fields, "target": target });
            format!("{told}\n")
        };
        let told = if self.torn { format!("\n{told}") } else { told };
        self.out.write_all(told.as_bytes())?;
        self.torn = false;
        self.lost.fetch_sub(lost, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has room for so many bytes.
    struct Disk<'a>(&'a mut Vec<u8>, &'a mut usize);

    impl Write for Disk<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fitting = bytes.len().min(*self.1);
            if fitting == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *self.1 -= fitting;
            self.0.extend_from_slice(&bytes[..fitting]);
            Ok(fitting)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_could_not_be_written_are_counted_and_told_of_when_there_is_room_again() {
        let (lost, mut written, mut room) = (Arc::new(AtomicU64::new(0)), Vec::new(), 10);
        let mut write = |room: &mut usize, line: &str| {
            let torn = written.last().is_some_and(|byte| *byte != b'\n');
            let mut pen = Pen { out: Disk(&mut written, room), lost: Arc::clone(&lost), people: false, torn };
            pen.line(line.as_bytes());
        };
        for line in ["one\n", "two and a half\n", "three\n"] {
            write(&mut room, line);
        }
        assert_eq!(lost.load(Ordering::Relaxed), 2);
        room = 1_000;
        write(&mut room, "four\n");
        write(&mut room, "five\n");
        let written = String::from_utf8(written).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!((lines[0], lines[1], &lines[3..]), ("one", "two an", ["four", "five"].as_slice()));
        let told: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
        assert_eq!(told["fields"]["lines"], 2);
    }

    #[test]
    fn a_log_that_is_not_read_holds_nobody_up() {
        let (sender, waiting) = sync_channel(2);
        let mut lines = Lines { sender, lost: Arc::default() };
        for _ in 0..5 {
            lines.write_all(b"a line\n").unwrap();
        }
        assert_eq!(lines.lost.load(Ordering::Relaxed), 3);
        drop(waiting);
        lines.write_all(b"a line\n").unwrap();
    }
}
