//! Emulated AWS services for the tests of the adapters: DynamoDB by dynoxide's own server, the others by MiniStack, which
//! `scripts/python-tools` installs into `.venv`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use tokio::process::{Child, Command};

use crate::server::eventually;

/// A running emulator; it ends when this is dropped.
pub struct Emulator {
    /// Where it is.
    pub url: String,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Emulator {
    /// Starts MiniStack on a free port of the loopback interface.
    pub async fn start() -> Self {
        let program = checkout().join(".venv/bin/ministack");
        assert!(program.exists(), "{} is not there; run scripts/python-tools first", program.display());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        let log = std::fs::File::create(folder.path().join("log")).expect("a file for the log");
        let child = Command::new(program)
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LANG", "C.UTF-8"), ("BIND_HOST", "127.0.0.1")])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_ENDPOINT_URL", &url)])
            .env("AWS_DEFAULT_REGION", REGION)
            .env("GATEWAY_PORT", port.to_string())
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .current_dir(folder.path())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("MiniStack starts");
        let ready = format!("{url}/_ministack/ready");
        eventually("MiniStack is ready", async || {
            reqwest::get(&ready).await.ok().filter(|answer| answer.status().is_success()).map(drop)
        })
        .await;
        Self { url, _child: child, _folder: folder }
    }

    /// What the SDKs' clients are made from.
    pub async fn configuration(&self) -> SdkConfig {
        configuration(&self.url).await
    }
}

/// The region of everything emulated.
pub const REGION: &str = "us-east-1";

/// What the SDKs' clients are made from, to speak to `url`.
pub async fn configuration(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .load()
        .await
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout").to_owned()
}
