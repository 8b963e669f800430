//! What a provider's folder holds: its README, recorded requests and snapshots.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use hooktide_providers::{Covers, Proof, Scheme, Webhooks};
use jiff::Timestamp;

/// The time at which fixtures are checked that were not signed at a certain one: 2026-11-23T12:00:00Z.
const NOW: i64 = 1_795_435_200;

/// A provider's folder.
#[derive(Clone)]
pub(crate) struct Evidence {
    pub(crate) readme: Option<String>,
    pub(crate) fixtures: Vec<Fixture>,
    pub(crate) handshakes: Vec<Fixture>,
    pub(crate) snapshots: Vec<String>,
}

impl Evidence {
    /// Reads the folder of the provider of that id.
    pub(crate) fn of(id: &str) -> Self {
        let folder = folder(id);
        let stems = |directory: &str, extension: &str| -> Vec<String> {
            let Ok(entries) = fs::read_dir(folder.join(directory)) else { return Vec::new() };
            let paths = entries.map(|entry| entry.unwrap().path());
            let mut stems = paths
                .filter(|path| path.extension().is_some_and(|found| found == extension))
                .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
                .collect::<Vec<_>>();
            stems.sort();
            stems
        };
        let read = |directory: &'static str| {
            let folder = &folder;
            move |name: String| {
                let path = folder.join(directory).join(format!("{name}.http"));
                let read = Fixture::read(id, name, &fs::read(&path).unwrap());
                read.unwrap_or_else(|| panic!("{path:?} is not a fixture"))
            }
        };
        Self {
            readme: fs::read_to_string(folder.join("README.md")).ok(),
            fixtures: stems("fixtures", "http").into_iter().map(read("fixtures")).collect(),
            handshakes: stems("handshakes", "http").into_iter().map(read("handshakes")).collect(),
            snapshots: stems("snapshots", "snap"),
        }
    }
}

/// The folder of the provider of that id: its Rust module.
pub(crate) fn folder(id: &str) -> PathBuf {
    root().join("shared/providers/src").join(id.replace('-', "_"))
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Where a proof stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this header.
    Header(String),
    /// In this field of the body's JSON.
    Field(String),
}

/// A recorded request. `tests/fixtures/sign.py` describes the form.
#[derive(Debug, Clone)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) comments: BTreeMap<String, String>,
    pub(crate) method: String,
    /// Path and query of the request line.
    pub(crate) target: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Fixture {
    fn read(provider: &str, name: String, raw: &[u8]) -> Option<Self> {
        let blank = raw.windows(2).position(|two| two == b"\n\n")?;
        let (head, body) = (std::str::from_utf8(&raw[..blank]).ok()?, &raw[blank + 2..]);
        let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut lines = head.lines().peekable();
        let mut comments = BTreeMap::new();
        while let Some(comment) = lines.next_if(|line| line.starts_with('#')) {
            comments.extend([pair(comment.strip_prefix("# ")?)?]);
        }
        let mut request = lines.next()?.split(' ').map(str::to_owned);
        let (method, target) = (request.next()?, request.next()?);
        let headers = lines.map(pair).collect::<Option<Vec<_>>>()?;
        let url = comments.get("url").cloned();
        let url = url.unwrap_or_else(|| format!("https://hooks.example.com/webhooks/{provider}/recorded"));
        Some(Self { name, comments, method, target, url, headers, body: Bytes::copy_from_slice(body) })
    }

    /// What proves it, and where that stands, if the fixture says where.
    pub(crate) fn signature(&self) -> Option<(Place, String)> {
        let name = self.comments.get("signature")?;
        if let Some(field) = name.strip_prefix("body ") {
            let body = std::str::from_utf8(&self.body).ok()?;
            let (_, rest) = body.split_once(&format!("\"{field}\":\""))?;
            return Some((Place::Field(field.to_owned()), rest.split('"').next()?.to_owned()));
        }
        let (name, value) = self.headers.iter().find(|(header, _)| header == name)?;
        Some((Place::Header(name.clone()), value.clone()))
    }

    /// Which of the provider's schemes it is proved by.
    pub(crate) fn scheme(&self, provider: &dyn Webhooks) -> Option<&'static Scheme> {
        let (place, _) = self.signature()?;
        provider.profile().schemes.iter().find(|scheme| match (scheme.proof, &place) {
            (Proof::Header(name), Place::Header(header)) => name == header,
            (Proof::Field(name), Place::Field(field)) => name == field,
            (Proof::Header(_) | Proof::Field(_), _) => false,
        })
    }

    /// What its proof binds, as declared.
    pub(crate) fn covers(&self, provider: &dyn Webhooks) -> Covers {
        self.scheme(provider).map_or(Covers::NOTHING, |scheme| scheme.covers)
    }

    /// Whether nobody but the provider has what it is signed with, so that it cannot be written again.
    pub(crate) fn is_unsignable(&self) -> bool {
        self.comments.contains_key("unsignable")
    }

    /// The name and the text of the secret that signed it, if the fixture says them.
    pub(crate) fn secret(&self) -> Option<(&str, &str)> {
        self.comments.get("secret")?.split_once('=')
    }

    /// The name and the text of the secret that the provider's own hand signs it with: another one where keys have two
    /// halves.
    pub(crate) fn signing(&self) -> Option<(&str, &str)> {
        self.comments.get("signing").and_then(|signing| signing.split_once('=')).or_else(|| self.secret())
    }

    /// The id of the secret that verifies it.
    pub(crate) fn key_id(&self) -> &str {
        self.comments.get("key-id").map_or("right", String::as_str)
    }

    /// The time that it was signed at, for providers that sign one.
    pub(crate) fn signed_at(&self) -> Option<Timestamp> {
        Some(self.comments.get("signed-at")?.parse().unwrap())
    }

    /// The time at which it is checked.
    pub(crate) fn now(&self) -> Timestamp {
        self.signed_at().unwrap_or_else(|| Timestamp::from_second(NOW).unwrap())
    }

    /// Its topic, as the provider reads it; `None` if it is refused.
    pub(crate) fn topic(&self, provider: &dyn Webhooks) -> Option<String> {
        provider.label(&self.attempt().open(provider).ok()?).topic
    }
}
