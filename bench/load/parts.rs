//! The local mode's rates and latencies as parts of what a bare server answers in the same run.

use super::generator::Sent;
use super::{CONNECTIONS, MEASURED, per_second};
use crate::report::{Report, Verdict, grouped};
use crate::rounds::middle;

/// A turn of the bare server and of ours.
pub(super) struct Round {
    /// What the bare server answered.
    pub(super) floor: Sent,
    /// What ours accepted.
    pub(super) accepted: Sent,
    /// How many of those were processed to the feed in a second.
    pub(super) processed: f64,
}

/// The median of a figure over all rounds.
pub(super) fn middle_of(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    middle(rounds.iter().map(figure).collect())
}

/// Judges the medians of the rounds' ratios, and shows the rates.
pub(super) fn judge(report: &mut Report, rounds: &[Round], peer: Option<&Sent>) {
    let floor = middle_of(rounds, |round| round.floor.per_second());
    let accepted = middle_of(rounds, |round| round.accepted.per_second());
    let processed = middle_of(rounds, |round| round.processed);
    let latencies = |sent: fn(&Round) -> &Sent| {
        let [half, most, nearly_all] =
            [0.5, 0.99, 0.999].map(|share| middle_of(rounds, |round| sent(round).milliseconds(share)));
        format!("{half:.2} / {most:.2} / {nearly_all:.2} ms")
    };
    let what = format!("bare axum server, 4 KB, closed loop at {CONNECTIONS} connections");
    report.show("N3", &what, per_second(floor));
    report.show("N3", "  p50 / p99 / p99.9", latencies(|round| &round.floor));
    let what = "peer: Debian's webhook, HMAC rule, starts /bin/true; keeps nothing";
    match peer {
        Some(sent) => {
            report.show("N3", what, per_second(sent.per_second()));
            report.show("N3", "  p50 / p99 / p99.9", sent.in_words());
        }
        None => report.show("N3", what, "not installed".to_owned()),
    }
    let taken = [
        ("bare axum server", Some(floor)),
        ("Debian's webhook", peer.map(Sent::per_second)),
        ("Hooktide: accepted", Some(accepted)),
        ("Hooktide: processed", Some(processed)),
    ];
    report.rates.extend(taken.into_iter().filter_map(|(name, rate)| Some((name.to_owned(), rate?))));

    let what = format!("local mode: accepted, queue on disk, closed loop at {CONNECTIONS} connections");
    report.show("N3", &what, per_second(accepted));
    let part = middle_of(rounds, |round| round.floor.per_second() / round.accepted.per_second());
    judge_part(report, part, [6.0, 3.0]);
    report.show("N3", "  p50 / p99 / p99.9", latencies(|round| &round.accepted));
    let times = middle_of(rounds, |round| round.accepted.milliseconds(0.99) / round.floor.milliseconds(0.99));
    for (most, verdict) in [(12.0, Verdict::Required as fn(bool) -> Verdict), (5.0, Verdict::Aim)] {
        let asked = format!("at most {most}");
        report.judge("N3", "  p99 to the bare server's", format!("{times:.1}"), &asked, verdict(times <= most));
    }
    let what = format!("processed to the feed, first send to last of {}", grouped(MEASURED as f64));
    report.show("N3", &what, per_second(processed));
    judge_part(report, middle_of(rounds, |round| round.floor.per_second() / round.processed), [24.0, 12.0]);
}

/// Judges how many times the rate the bare server's is: what is required, and what is aimed at.
fn judge_part(report: &mut Report, times: f64, [required, aim]: [f64; 2]) {
    for (most, verdict) in [(required, Verdict::Required as fn(bool) -> Verdict), (aim, Verdict::Aim)] {
        let (figure, asked) = (format!("1 / {times:.1}"), format!("at least 1 / {most}"));
        report.judge("N3", "  part of the bare server's", figure, &asked, verdict(times <= most));
    }
}
