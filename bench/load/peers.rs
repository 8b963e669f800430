//! Peers that are installed: other servers that verify a webhook and answer it, under the same load.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use hooktide_model::signing;
use hooktide_tests::world::SECRET;
use serde_json::json;

use super::generator::{Sent, send};
use super::{Running, free_address};

/// The header that [`webhook`] reads the signature from: it knows hexadecimal ones only.
const SIGNATURE: &str = "X-Hub-Signature-256";

/// The further header line that the peer needs.
pub(super) fn signature(body: &[u8]) -> String {
    let mac = signing::hmac_sha256(SECRET.as_bytes(), &[body]);
    format!("{SIGNATURE}: sha256={}\r\n", HEXLOWER.encode(&mac))
}

/// Debian's `webhook`, a server in Go that starts a command for each webhook: with an HMAC rule and `/bin/true`, the least
/// that it can do. `id` is the last part of the path. `None` where it is not installed.
pub(super) fn webhook(id: &str, requests: &[Vec<u8>], connections: usize, folder: &Path) -> Option<Sent> {
    let rule = json!({ "match": {
        "type": "payload-hmac-sha256", "secret": SECRET, "parameter": { "source": "header", "name": SIGNATURE },
    }});
    let hook = json!({
        "id": id, "execute-command": "/bin/true", "trigger-rule": rule,
        "trigger-rule-mismatch-http-response-code": 401,
    });
    let hooks = folder.join("hooks.json");
    std::fs::write(&hooks, json!([hook]).to_string()).expect("the peer's rules");
    let address = free_address();
    let child = Command::new("webhook")
        .args(["-ip", "127.0.0.1", "-port", &address.port().to_string(), "-urlprefix", "webhooks/shopify", "-hooks"])
        .arg(&hooks)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let _running = Running(child);
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "webhook listens");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut forged = requests.first()?.clone();
    if let Some(last) = forged.last_mut() {
        *last = b' ';
    }
    assert_eq!(send(address, &[forged], 1, None).refused, 1, "a forged webhook is refused");
    Some(send(address, requests, connections, None))
}
