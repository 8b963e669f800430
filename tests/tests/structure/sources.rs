//! The tree's files, as texts.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the product's code is; the tests' own code is elsewhere.
pub(crate) const PRODUCT: [&str; 3] = ["shared", "cli", "functions"];

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The Rust files below a folder, with their texts, in order of their names.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                waiting.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                let name = entry.strip_prefix(root()).expect("inside").display().to_string();
                found.push((name, fs::read_to_string(&entry).expect("a file")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort();
    found
}

/// The product's files, each without its tests at the end.
pub(crate) fn product() -> Vec<(String, String)> {
    let is_test =
        |name: &str| ["/tests/", "/tests.rs", "/benches/", "/examples/"].iter().any(|part| name.contains(part));
    let files = PRODUCT.iter().flat_map(|folder| sources(folder)).filter(|(name, _)| !is_test(name));
    files.map(|(name, text)| (name, without_tests(&text).to_owned())).collect()
}

/// The text before the tests of a file.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}
