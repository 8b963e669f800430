//! The tree is what ARCHITECTURE.md says: imports point one way, and names say what they mean.

mod circles;
mod prose;
mod repetition;
mod sizes;
mod sources;

use std::fs;

use hooktide_flows::jobs::run::RUNNERS;
use hooktide_model::job_kind::JobKind;

use crate::sources::{root, sources, without_tests};

/// The lines of a folder's sources, tests left out, that contain one of `words`.
fn mentions(folder: &str, words: &[&str]) -> Vec<String> {
    let mut mentions = Vec::new();
    for (name, text) in sources(folder) {
        for line in without_tests(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            if words.iter().any(|word| line.contains(word)) {
                mentions.push(format!("{name}: {}", line.trim()));
            }
        }
    }
    mentions
}

fn dependencies(manifest: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let section = text.split("[dependencies]").nth(1).expect("dependencies");
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

/// The parts of the pure core.
const CORE: [&str; 4] = ["model", "providers", "store", "flows"];

#[test]
fn the_core_names_no_host_clock_socket_file_or_environment() {
    let words = [
        "std::env",
        "std::net",
        "std::fs",
        "std::process",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "tokio::",
        "axum",
        "rusqlite",
        "dynoxide",
        "aws_sdk",
        "aws_config",
        "lambda_",
        "reqwest",
    ];
    for part in CORE {
        assert_eq!(mentions(&format!("shared/{part}/src"), &words), Vec::<String>::new());
    }
    let hosts =
        ["tokio", "axum", "rusqlite", "dynoxide-rs", "reqwest", "lambda_http", "hooktide-local", "hooktide-api"];
    for part in CORE {
        let dependencies = dependencies(&format!("shared/{part}/Cargo.toml"));
        let found: Vec<_> = dependencies.iter().filter(|name| hosts.contains(&name.as_str())).collect();
        assert!(found.is_empty(), "{part}: {found:?}");
    }
}

#[test]
fn a_kind_of_job_is_named_in_its_own_file_and_in_one_line_of_the_table() {
    // The renewer does its own job. Hints ask for a sync, so that its name belongs to the words.
    let mut named = mentions("shared", &["JobKind::named(\""]);
    named.retain(|place| !place.starts_with("shared/flows/src/watch/"));
    let runners = || RUNNERS.iter().copied().filter(|runner| runner.kind != JobKind::SYNC);
    assert_eq!(named.len(), runners().count(), "one name a runner: {named:#?}");
    for runner in runners() {
        let places = mentions("shared", &[&format!("JobKind::named(\"{}\")", runner.kind)]);
        let [place] = &places[..] else { panic!("{} is named in {places:#?}", runner.kind) };
        let file = place.split(':').next().unwrap_or_default();
        let path = file.trim_start_matches("shared/flows/src/").trim_end_matches(".rs");
        // The table names the file, or a folder around it.
        let modules: Vec<&str> = path.split('/').collect();
        let paths = (1..=modules.len()).map(|depth| format!("&crate::{}::RUNNER,", modules[..depth].join("::")));
        let lines: Vec<String> = paths.flat_map(|path| mentions("shared", &[&path])).collect();
        assert!(matches!(&lines[..], [line] if line.starts_with("shared/flows/src/jobs/run.rs:")), "{lines:#?}");
    }
}

#[test]
fn imports_point_one_way() {
    let uses = |manifest: &str, name: &str| dependencies(manifest).iter().any(|dependency| dependency == name);
    for (part, may) in [
        ("model", &[][..]),
        ("providers", &["hooktide-model"]),
        ("store", &["hooktide-model"]),
        ("flows", &["hooktide-model", "hooktide-providers", "hooktide-store"]),
    ] {
        let dependencies = dependencies(&format!("shared/{part}/Cargo.toml"));
        let ours: Vec<&str> =
            dependencies.iter().map(String::as_str).filter(|name| name.starts_with("hooktide")).collect();
        assert_eq!(ours, may, "{part}");
    }
    assert!(uses("shared/api/Cargo.toml", "hooktide-flows"));
    assert!(!uses("shared/api/Cargo.toml", "hooktide-local"), "the API knows no host");
    assert!(!uses("shared/local/Cargo.toml", "hooktide"), "the host knows no command");
    assert!(!uses("cli/Cargo.toml", "hooktide-tests"));
}

#[test]
fn secrets_are_compared_in_one_place_only() {
    let found = mentions("shared", &["ct_eq", "ConstantTimeEq"]);
    assert!(found.iter().all(|line| line.starts_with("shared/model/src/signing/mac.rs:")), "{found:#?}");
}

#[test]
fn nothing_is_called_by_what_it_is_not() {
    for folder in ["shared", "cli", "tests"] {
        for (name, _) in sources(folder) {
            for vague in ["util", "common", "helper", "misc"] {
                assert!(!name.contains(vague), "{name} says nothing about what it holds");
            }
        }
    }
}

#[test]
fn every_promise_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/promises.md")).expect("the promises");
    let code: String =
        ["shared", "cli", "tests"].iter().flat_map(|folder| sources(folder)).map(|(_, text)| text).collect();
    let python = ["tests/infra", "tests/judges"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("tests in Python"))
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default());
    let code = code + &python.collect::<String>();
    let named = text.lines().filter(|line| line.starts_with('|')).flat_map(|line| {
        let shown = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        shown.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    });
    let named: Vec<String> = named.collect();
    assert!(named.len() > 50, "the table was not read");
    let exists = |name: &str| {
        code.contains(&format!("fn {name}("))
            || code.contains(&format!("def {name}("))
            || code.contains(&format!("    {name}: "))
    };
    let missing: Vec<String> = named.into_iter().filter(|name| !exists(name)).collect();
    assert_eq!(missing, Vec::<String>::new());
}
