//! From the start of a function's process to its first question for work, against an empty function that builds the same
//! clients, in one run. Fails where a ratio is missed.
//!
//! The Runtime API is a stand-in on the loopback interface: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot measure ends")]
#![expect(clippy::disallowed_methods, reason = "a benchmark asks what time it is")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use hooktide_functions::environment::REQUIRED;

/// How often each is started.
const ROUNDS: usize = 21;
/// How many times as long as the floor a function may take.
const MOST: f64 = 1.5;
/// What a function asks when it is ready.
const FIRST_POLL: &[u8] = b"GET /2018-06-01/runtime/invocation/next";

fn main() -> ExitCode {
    let receiver = Path::new(env!("CARGO_BIN_EXE_receiver"));
    let floor = receiver.parent().expect("a folder").join("examples/floor");
    assert!(floor.exists(), "{} is not there; build it with --example floor first", floor.display());
    let programs: [(&str, PathBuf); 7] = [
        ("floor", floor),
        ("receiver", receiver.to_owned()),
        ("processor", env!("CARGO_BIN_EXE_processor").into()),
        ("syncer", env!("CARGO_BIN_EXE_syncer").into()),
        ("renewer", env!("CARGO_BIN_EXE_renewer").into()),
        ("api", env!("CARGO_BIN_EXE_api").into()),
        ("poller", env!("CARGO_BIN_EXE_poller").into()),
    ];
    let mut times: [Vec<Duration>; 7] = Default::default();
    // In turns, so that whatever else the machine does meets all alike; the first round only warms the page cache.
    for round in 0..=ROUNDS {
        for (times, (_, program)) in times.iter_mut().zip(&programs) {
            let time = start(program);
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    println!("{:10} {:>12} {:>10}  at most", "start", "median", "to floor");
    let mut missed = false;
    for ((name, _), median) in programs.iter().zip(medians) {
        let ratio = median / medians[0];
        // The requirement is for the two that webhooks wait for; the others are shown.
        let bound = matches!(*name, "receiver" | "processor").then_some(MOST);
        let judged = bound.map_or(String::new(), |bound| format!("{bound:.1}"));
        println!("{name:10} {:>9.2} ms {ratio:>10.2}  {judged}", median * 1e3);
        missed |= bound.is_some_and(|bound| ratio > bound);
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Starts a program, waits for its first poll, and ends it; how long that took.
fn start(program: &Path) -> Duration {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let began = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .envs(REQUIRED.iter().map(|variable| (variable.name, "https://example.com/x")))
        .envs([("AWS_LAMBDA_RUNTIME_API", address.as_str()), ("AWS_LAMBDA_FUNCTION_NAME", "bench")])
        .envs([("AWS_LAMBDA_FUNCTION_VERSION", "1"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")])
        .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let (mut connection, _) = listener.accept().expect("a connection");
    let mut asked = [0; FIRST_POLL.len()];
    connection.read_exact(&mut asked).expect("a request");
    let took = began.elapsed();
    assert_eq!(asked, FIRST_POLL, "{} asks something else", program.display());
    drop(connection.write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"));
    drop(child.kill());
    drop(child.wait());
    took
}
