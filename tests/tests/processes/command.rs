//! The `hooktide` command as a person runs it beside a server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hooktide_tests::server::{Server, binary};
use serde_json::Value;

/// What a command did.
pub struct Done {
    pub code: Option<i32>,
    pub out: String,
    pub error: String,
}

impl Done {
    /// Its JSON, if it succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.error);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs `hooktide` as the owner of the server's folder.
pub fn hooktide(server: &Server, arguments: &[&str], input: &str) -> Done {
    hooktide_at(&server.home, arguments, input)
}

/// Runs `hooktide` as the owner of a data folder.
pub fn hooktide_at(home: &Path, arguments: &[&str], input: &str) -> Done {
    let mut child = Command::new(binary())
        .args(arguments)
        .env_remove("HOOKTIDE_TOKEN")
        .env_remove("HOOKTIDE_URL")
        .env("HOOKTIDE_HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("its input is taken");
    let output = child.wait_with_output().expect("the command ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Done { code: output.status.code(), out: text(output.stdout), error: text(output.stderr) }
}
