//! Answers that are kept in a process: bounded by their bytes, those that nobody asked for in the longest time give way.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use lru::LruCache;

use super::answers::Versions;

/// How many bytes of answers a process keeps.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What an answer needs besides its body.
const OVERHEAD: usize = 512;

/// An answer, and what it was made from.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The versions of its tags, read before its data.
    pub(super) versions: Versions,
    /// Its body.
    pub(super) body: Bytes,
    /// The strong entity tag.
    pub(super) etag: String,
    /// When it was made.
    pub(super) made_at: Timestamp,
}

/// Kept answers by what was asked.
#[derive(Debug)]
pub(super) struct KeptAnswers(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    by_question: LruCache<String, Kept>,
    bytes: usize,
}

impl Default for KeptAnswers {
    fn default() -> Self {
        Self(Mutex::new(Inner { by_question: LruCache::unbounded(), bytes: 0 }))
    }
}

impl KeptAnswers {
    /// The answer to a question, whatever it was made from.
    pub(super) fn get(&self, question: &str) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_question.get(question).cloned()
    }

    /// Keeps an answer.
    pub(super) fn put(&self, question: &str, kept: Kept) {
        // One that would take the place of most others is made each time.
        if size(question, &kept) > MOST_BYTES / 4 {
            return;
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that took longer may be older.
        if inner.by_question.peek(question).is_some_and(|other| other.made_at > kept.made_at) {
            return;
        }
        inner.bytes += size(question, &kept);
        if let Some((question, former)) = inner.by_question.push(question.to_owned(), kept) {
            inner.bytes -= size(&question, &former);
        }
        while inner.bytes > MOST_BYTES
            && let Some((question, former)) = inner.by_question.pop_lru()
        {
            inner.bytes -= size(&question, &former);
        }
    }
}

fn size(question: &str, kept: &Kept) -> usize {
    question.len() + kept.body.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        let (versions, etag) = (Versions::default(), String::new());
        Kept { versions, body: vec![0; bytes].into(), etag, made_at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn what_nobody_asked_for_gives_way_to_what_is_new() {
        let answers = KeptAnswers::default();
        for question in ["a", "b", "c", "d", "a"] {
            answers.put(question, kept(MOST_BYTES / 5));
        }
        assert!(answers.get("b").is_some());
        answers.put("e", kept(MOST_BYTES / 5));
        answers.put("f", kept(MOST_BYTES / 5));
        let there = ["a", "b", "c", "d", "e", "f"].map(|question| answers.get(question).is_some());
        assert_eq!(there, [true, true, false, false, true, true]);
        answers.put("g", kept(MOST_BYTES / 2));
        assert!(answers.get("g").is_none() && answers.get("f").is_some(), "one that is too large is not kept");
    }
}
