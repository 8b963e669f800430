//! S8: what calendars that block each other read, beside polling, and how long blocks take, over weeks of virtual time.

use hooktide_tests::agenda::{Agenda, POLLED, run};
use hooktide_tests::seasons::percentile;

use crate::planning;
use crate::report::{Report, Verdict, grouped};

/// The seeds of the weeks.
const SEEDS: [u64; 3] = [1, 2, 3];
/// How many days each lasts.
const DAYS: u32 = 14;
/// The least share of polling's reads that are not made.
const FEWER: f64 = 95.0;
/// How many seconds a block may take from its notification on.
const MOST_SECONDS: u64 = 60;

/// Lets the weeks go by.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut reads, mut told, mut lost, mut wrong) = (0, Vec::new(), Vec::new(), Vec::new());
    for seed in SEEDS {
        let outcome = runtime.block_on(run(Agenda::reference(seed, DAYS)));
        reads += outcome.reads();
        told.extend(outcome.told);
        lost.extend(outcome.lost);
        wrong.extend(outcome.broken);
    }
    let a_day = reads as f64 / (SEEDS.len() as f64 * f64::from(DAYS));
    let fewer = 100.0 - 100.0 * a_day / POLLED as f64;
    let what = format!("reads a day of ten calendars, in place of {}", grouped(POLLED as f64));
    let figure = format!("{a_day:.0} ({fewer:.1} % fewer)");
    report.judge("S8", &what, figure, "95 % fewer", Verdict::Required(fewer >= FEWER));
    let [half, most] = [50, 99].map(|percent| percentile(&told, percent));
    let what = format!("seconds from a notification to all blocks, p50 and p99 of {}", told.len());
    let verdict = Verdict::Required(most <= MOST_SECONDS && wrong.is_empty());
    report.judge("S8", &what, format!("{half}, {most}"), "at most 60", verdict);
    let hours = percentile(&lost, 100) as f64 / 3_600.0;
    report.show("S8", &format!("hours to the last block of {} lost notifications", lost.len()), format!("{hours:.1}"));
    planning::measure(report);
    wrong.iter().for_each(|wrong| println!("wrong: {wrong}"));
}
