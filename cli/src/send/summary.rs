//! The results of the deliveries that were sent.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::failure::Failure;
use crate::output::{Output, facts, harmless};

/// The answer to one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The delivery was accepted.
    Accepted(StatusCode),
    /// The delivery was refused with this text.
    Refused(StatusCode, String),
    /// Nobody answered, for this reason.
    None(String),
}

/// The results of all deliveries.
#[derive(Debug, Default)]
pub(super) struct Summary {
    accepted: u64,
    unanswered: u64,
    refused: BTreeMap<u16, u64>,
    by_status: BTreeMap<u16, u64>,
    first_trouble: Option<String>,
}

impl Summary {
    /// Counts an answer.
    pub(super) fn add(&mut self, answer: Answer) {
        match answer {
            Answer::Accepted(status) => {
                self.accepted += 1;
                *self.by_status.entry(status.as_u16()).or_default() += 1;
            }
            Answer::Refused(status, message) => {
                *self.refused.entry(status.as_u16()).or_default() += 1;
                *self.by_status.entry(status.as_u16()).or_default() += 1;
                self.first_trouble.get_or_insert(message);
            }
            Answer::None(reason) => {
                self.unanswered += 1;
                self.first_trouble.get_or_insert(format!("no answer: {}", harmless(&reason)));
            }
        }
    }

    fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    fn sent(&self) -> u64 {
        self.accepted + self.refused() + self.unanswered
    }

    /// Shows it.
    pub(super) fn show(&self, elapsed: Duration, output: &Output) -> Result<(), Failure> {
        let seconds = elapsed.as_secs_f64();
        if output.json {
            return output.value(&json!({
                "sent": self.sent(),
                "accepted": self.accepted,
                "refused": self.refused(),
                "unanswered": self.unanswered,
                "by_status": self.by_status,
                "seconds": seconds,
            }));
        }
        let statuses: Vec<String> = self.by_status.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        let mut told = vec![
            ("sent", self.sent().to_string()),
            ("accepted", self.accepted.to_string()),
            ("refused", self.refused().to_string()),
        ];
        if self.unanswered > 0 {
            told.push(("no answer", self.unanswered.to_string()));
        }
        if !statuses.is_empty() {
            told.push(("by status", statuses.join(", ")));
        }
        let rate = self.sent() as f64 / seconds;
        let rate = if self.sent() > 1 { format!(", {rate:.0} a second") } else { String::new() };
        told.push(("time", format!("{seconds:.3} s{rate}")));
        output.line(&facts(told))
    }

    /// Whether the results are as they should be: all accepted or, if tampered with, all refused for their signature.
    pub(super) fn verdict(&self, tampered: bool) -> Result<(), Failure> {
        let sent = self.sent();
        let trouble = self.first_trouble.as_deref().unwrap_or("none was sent");
        if !tampered {
            let failed = sent - self.accepted;
            let message = || format!("{failed} of {sent} were not accepted; the first: {trouble}");
            return if failed == 0 && sent > 0 { Ok(()) } else { Err(Failure::Failed(message())) };
        }
        // After many of them, the server answers 429 without looking any closer.
        let expected = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
        let caught: u64 = expected.iter().filter_map(|status| self.refused.get(&status.as_u16())).sum();
        match (self.accepted, sent - caught) {
            (0, 0) if sent > 0 => Ok(()),
            (0, others) => Err(Failure::Failed(format!(
                "{others} of {sent} were not refused for their signature; the first trouble: {trouble}"
            ))),
            (accepted, _) => Err(Failure::Failed(format!(
                "{accepted} of {sent} were accepted although they were changed after signing."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(answers: impl IntoIterator<Item = Answer>) -> Summary {
        let mut summary = Summary::default();
        answers.into_iter().for_each(|answer| summary.add(answer));
        summary
    }

    fn accepted() -> Answer {
        Answer::Accepted(StatusCode::OK)
    }

    fn refused(status: StatusCode) -> Answer {
        Answer::Refused(status, format!("the server answered {status}"))
    }

    #[test]
    fn genuine_deliveries_must_all_be_accepted() {
        assert_eq!(summary([accepted(), accepted()]).verdict(false), Ok(()));
        let mixed = summary([accepted(), refused(StatusCode::NOT_FOUND), Answer::None("gone".to_owned())]);
        let expected = "2 of 3 were not accepted; the first: the server answered 404 Not Found";
        assert_eq!(mixed.verdict(false), Err(Failure::Failed(expected.to_owned())));
        assert_eq!((mixed.sent(), mixed.refused(), mixed.by_status.get(&404)), (3, 1, Some(&1)));
    }

    #[test]
    fn tampered_deliveries_must_all_be_refused_for_their_signature() {
        let unauthorized = || refused(StatusCode::UNAUTHORIZED);
        assert_eq!(summary([unauthorized(), refused(StatusCode::TOO_MANY_REQUESTS)]).verdict(true), Ok(()));
        assert!(summary([unauthorized(), accepted()]).verdict(true).is_err());
        assert!(summary([unauthorized(), refused(StatusCode::NOT_FOUND)]).verdict(true).is_err());
        assert!(summary([Answer::None("gone".to_owned())]).verdict(true).is_err());
    }

    #[test]
    fn sending_nothing_is_no_success() {
        assert!(summary([]).verdict(false).is_err());
        assert!(summary([]).verdict(true).is_err());
    }
}
