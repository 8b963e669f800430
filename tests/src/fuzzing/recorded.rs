//! The recorded requests of a provider, as inputs to begin with. `tests/fixtures/sign.py` describes their form.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hooktide_model::secret::{KeyId, LiveSecret, Secret};
use jiff::Timestamp;

use super::attempt::NOW;

/// A recorded request.
pub(super) struct Recorded {
    pub(super) name: String,
    comments: BTreeMap<String, String>,
    /// The request line, the headers, an empty line, and the body.
    request: Vec<u8>,
    address: String,
}

impl Recorded {
    /// All deliveries and handshakes of the provider of that id.
    pub(super) fn all(provider: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/providers/src");
        let folder = folder.join(provider.replace('-', "_"));
        let mut all = Vec::new();
        for part in ["fixtures", "handshakes"] {
            // Not every provider has handshakes.
            let Ok(entries) = fs::read_dir(folder.join(part)) else { continue };
            for path in entries.map(|entry| entry.expect("an entry of a folder").path()) {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
                let raw = fs::read(&path).expect("a recorded request");
                all.push(Self::read(provider, format!("{part}-{stem}"), &raw));
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    fn read(provider: &str, name: String, mut raw: &[u8]) -> Self {
        let mut comments = BTreeMap::new();
        while let Some(rest) = raw.strip_prefix(b"# ") {
            let end = rest.iter().position(|byte| *byte == b'\n').expect("a request after the comments");
            let (key, value) = std::str::from_utf8(&rest[..end]).expect("text").split_once(": ").expect("a comment");
            comments.insert(key.to_owned(), value.to_owned());
            raw = &rest[end + 1..];
        }
        let address = comments.get("url").cloned();
        let address = address.unwrap_or_else(|| format!("https://hooks.example.com/webhooks/{provider}/recorded"));
        Self { name, comments, request: raw.to_vec(), address }
    }

    /// The body.
    pub(super) fn body(&self) -> &[u8] {
        let blank = self.request.windows(2).position(|two| two == b"\n\n").expect("an end of the headers");
        &self.request[blank + 2..]
    }

    /// The secret under the name of a comment, which verifies or signs it.
    fn live(&self, comment: &str) -> Option<LiveSecret> {
        let (name, text) = self.comments.get(comment)?.split_once('=')?;
        let id = KeyId(self.comments.get("key-id").map_or("right", String::as_str).to_owned());
        Some(LiveSecret { name: name.to_owned(), id, secret: Secret::new(text), retires_at: None })
    }

    /// The secret that verifies it.
    pub(super) fn verifying(&self) -> Option<LiveSecret> {
        self.live("secret")
    }

    /// The secret that signs it.
    pub(super) fn signing(&self) -> Option<LiveSecret> {
        self.live("signing").or_else(|| self.verifying()).filter(|_| !self.comments.contains_key("unsignable"))
    }

    /// The request as an input of [`super::attempt::Attempt::read`]: with its whole address and its time.
    pub(super) fn input(&self) -> Vec<u8> {
        let end = self.request.iter().position(|byte| *byte == b'\n').expect("a request line");
        let line = std::str::from_utf8(&self.request[..end]).expect("text");
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let query = target.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        let signed_at = self.comments.get("signed-at").map(|time| time.parse::<Timestamp>().expect("a time"));
        let seconds = signed_at.map_or(NOW, |time| time.as_second());
        let line = format!("{method} {}{query} {seconds}", self.address);
        [line.as_bytes(), &self.request[end..]].concat()
    }
}
