//! The real `hooktide` command as a process: started, spoken to, killed and started again on the same folder and port.
#![allow(clippy::expect_used, clippy::panic, reason = "what does not work here fails the test")]

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::client::Client;

/// How long anything that should happen soon may take.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// How often is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(25);

/// A server, its folder and how to speak to it.
pub struct Server {
    /// The data folder.
    pub home: PathBuf,
    /// What is set in its environment.
    pub environment: Vec<(&'static str, OsString)>,
    /// How to speak to it.
    pub client: Client,
    folder: TempDir,
    listen: SocketAddr,
    child: Option<Child>,
    launch: Launch,
}

/// How the command is started.
#[derive(Default)]
pub struct Launch {
    /// What a shell does first, such as `ulimit -n 256`.
    pub first: Option<&'static str>,
    /// Where its log goes, if not to the file that [`Server::log`] reads.
    pub stderr: Option<fn() -> Stdio>,
}

impl Server {
    /// Starts one on an empty folder and a free port.
    pub async fn start() -> Self {
        Self::start_with(|_| Vec::new()).await
    }

    /// Starts one with an environment, made from a folder that is there for files beside the data folder.
    pub async fn start_with(environment: impl FnOnce(&Path) -> Vec<(&'static str, OsString)>) -> Self {
        Self::launch(environment, Launch::default()).await
    }

    /// Starts one with an environment, in another way.
    pub async fn launch(environment: impl FnOnce(&Path) -> Vec<(&'static str, OsString)>, launch: Launch) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let beside = folder.path().canonicalize().expect("the temporary folder's path");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let (environment, home) = (environment(&beside), beside.join("home"));
        let mut server = Self { home, environment, client: Client::new(), folder, listen, child: None, launch };
        server.start_again().await;
        server
    }

    /// Starts it again where it was.
    pub async fn start_again(&mut self) {
        let told = self.folder.path().join("stdout");
        let log = || file(&self.log_path(), false).into();
        let child = command(&self.home, self.listen, self.launch.first)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdout(file(&told, true))
            .stderr(self.launch.stderr.map_or_else(log, |stderr| stderr()))
            .kill_on_drop(true)
            .spawn()
            .expect("the hooktide command starts");
        self.child = Some(child);
        let ready = eventually("the server says where it listens", async || {
            if let Ok(Some(status)) = self.child.as_mut().expect("a child").try_wait() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            serde_json::from_slice::<Value>(&std::fs::read(&told).ok()?).ok()
        })
        .await;
        let address = ready["address"].as_str().and_then(|text| text.parse().ok());
        self.listen = address.expect("the server says its address");
        let token = std::fs::read_to_string(self.home.join("admin-token")).expect("the admin key's file");
        self.client = self.client.at(self.listen, token.trim());
        eventually("the server is healthy", async || {
            let answer = self.client.try_call(Method::GET, "/v1/health", None).await?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// Ends it as a crash would: at once, without a word.
    pub async fn kill_nine(&mut self) {
        let mut child = self.child.take().expect("a running server");
        child.kill().await.expect("the server is killed");
    }

    /// Asks it to end, by a signal (`TERM`, `INT`), and waits till it has.
    pub async fn stop(&mut self, signal: &str) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let id = child.id().expect("a running server");
        let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().await;
        assert!(kill.expect("sh runs").success());
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("the server ends");
        ended.expect("the server's status")
    }

    /// The id of its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listen
    }

    /// What it wrote to stdout and stderr, over all its starts.
    pub fn log(&self) -> String {
        let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        read(self.log_path()) + &read(self.folder.path().join("stdout"))
    }

    /// A path beside the data folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("stderr")
    }
}

/// Starts one that cannot serve: how it ended and what it said.
pub async fn start_in_vain(home: &Path, listen: SocketAddr) -> (ExitStatus, String) {
    let output = command(home, listen, None).kill_on_drop(true).stdin(Stdio::null()).output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("the server ends");
    let output = output.expect("the hooktide command starts");
    (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn command(home: &Path, listen: SocketAddr, first: Option<&str>) -> Command {
    let mut command = match first {
        None => Command::new(binary()),
        Some(first) => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]).arg(binary());
            shell
        }
    };
    command.args(["serve", "--json", "--listen", &listen.to_string(), "--home"]).arg(home);
    for name in
        ["HOOKTIDE_HOME", "HOOKTIDE_DEMO", "HOOKTIDE_LISTEN", "HOOKTIDE_PUBLIC_URL", "HOOKTIDE_LOG", "HOOKTIDE_TOKEN"]
    {
        command.env_remove(name);
    }
    command
}

/// The `hooktide` command that was built with these tests: `target/<profile>/hooktide`, beside `deps/`.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let binary = test.parent().and_then(Path::parent).expect("the folder of the profile").join("hooktide");
    assert!(binary.exists(), "{} is not there; run `cargo build --bin hooktide` first", binary.display());
    binary
}

fn file(path: &Path, anew: bool) -> std::fs::File {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(anew).append(!anew);
    options.open(path).expect("a file for the server's output")
}

/// Asks again and again until there is an answer.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    patiently(ask).await.unwrap_or_else(|| panic!("waited in vain: {what}"))
}

/// Asks again and again until there is an answer, or patience ends.
pub async fn patiently<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.ok()
}
