//! How large the receiver is: a new provider must not make every start slower.

use std::path::Path;
use std::process::Command;

use crate::report::{Report, Verdict, grouped};

/// What the receiver had as a deployment package while it knew one provider, in bytes.
const OF_ONE: f64 = 7.6e6;
/// How many times that it may have.
const MOST: f64 = 1.10;

/// Measures. `scripts/bench` builds the receiver first.
pub(crate) fn measure(report: &mut Report) {
    let what = "receiver with all providers, optimised and stripped, as a deployment package";
    let asked = format!("{} (one provider: {}, and 10 %)", grouped(OF_ONE * MOST), grouped(OF_ONE));
    match sizes() {
        Ok([program, package]) => {
            let figure = format!("{} bytes, zipped {}", grouped(program), grouped(package));
            report.judge(
                "N6",
                what,
                figure,
                &format!("zipped at most {asked}"),
                Verdict::Required(package <= OF_ONE * MOST),
            );
        }
        Err(reason) => report.show("N6", what, format!("not measured: {reason}")),
    }
}

/// The bytes of the program and of its package, as `scripts/artifacts.py` makes it.
fn sizes() -> Result<[f64; 2], String> {
    // Cargo puts this program into `deps` beside it.
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let receiver = this.parent().and_then(Path::parent).map(|folder| folder.join("receiver"));
    let receiver = receiver.filter(|path| path.exists()).ok_or("the receiver is not built")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let output = Command::new("python3")
        .env("PYTHONPATH", scripts)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-c", "import artifacts, sys; program = open(sys.argv[1], 'rb').read(); print(len(program), artifacts.zipped(program))"])
        .arg(receiver)
        .output()
        .map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = printed.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    figures
        .try_into()
        .map_err(|_| String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned())
}
