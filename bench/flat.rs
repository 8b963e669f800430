//! Memory of a receiver over deliveries of all providers: what it keeps is bounded.

use hooktide_tests::memory::{anonymous, resident};
use hooktide_tests::receiving::Mixed;

use crate::report::{Report, Verdict, grouped};

/// After how many deliveries memory is looked at.
const LOOKS: [usize; 2] = [20_000, 100_000];
/// How much more it may be at the second look.
const FLAT: f64 = 1.10;

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let looks = runtime.block_on(look());
    let asked = "flat: at most 10 % more";
    let what = format!(
        "receiver's process after {} and {} mixed deliveries (of it no file's)",
        grouped(LOOKS[0] as f64),
        grouped(LOOKS[1] as f64)
    );
    match looks.as_slice() {
        [(first, first_anonymous), (last, last_anonymous)] => {
            let figure = format!("{first:.1} ({first_anonymous:.1}), {last:.1} ({last_anonymous:.1}) MB");
            report.judge("N3", &what, figure, asked, Verdict::Required(*last <= first * FLAT));
        }
        _ => report.show("N3", &what, "not measured: there is no /proc".to_owned()),
    }
}

/// What this process holds after so many deliveries.
async fn look() -> Vec<(f64, f64)> {
    let mixed = Mixed::new().await;
    let mut looks = Vec::new();
    for number in 0..LOOKS[1] {
        mixed.receive(number).await;
        if LOOKS.contains(&(number + 1)) {
            looks.extend(resident(std::process::id()).zip(anonymous(std::process::id())));
        }
    }
    looks
}
