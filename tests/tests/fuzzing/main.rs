//! What the fuzz targets run, without a fuzzer: over all that is recorded, and over all that fuzzing has found.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::{EntityNotice, Notice, State, Version, What};
use hooktide_providers::Label;
use hooktide_tests::fuzzing::{self, Target};

fn found() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/found")
}

/// The inputs in a folder, by name; none, if there is no such folder.
fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry of a folder").path());
    paths.map(|path| (path.display().to_string(), fs::read(&path).expect("an input"))).collect()
}

fn examine(target: &Target, input: &[u8]) -> Result<(), String> {
    let examined = catch_unwind(AssertUnwindSafe(|| target.examine(input)));
    examined.unwrap_or_else(|_| Err("it panics; the reason is above".to_owned()))
}

/// What is wrong with any of the target's seeds, seeds that are cut or changed, and what was found.
fn replay(name: &str) -> BTreeMap<String, String> {
    let target = Target::of(name).expect("a target of that name");
    let seeds = target.seeds();
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    let changed = seeds.iter().flat_map(|(seed, input)| {
        let half = (format!("the first half of {seed}"), input[..input.len() / 2].to_vec());
        let mut other = input.clone();
        other.iter_mut().step_by(61).for_each(|byte| *byte ^= 1);
        [half, (format!("{seed} with changed bytes"), other)]
    });
    let all = changed.chain(seeds.iter().cloned()).chain(inputs(&found().join(name)));
    all.filter_map(|(input, bytes)| Some((input, examine(&target, &bytes).err()?))).collect()
}

#[test]
fn nothing_recorded_and_nothing_found_breaks_a_provider() {
    for provider in hooktide_providers::with_webhooks() {
        assert_eq!(replay(provider.id()), BTreeMap::new(), "{}", provider.id());
    }
}

#[test]
fn nothing_recorded_and_nothing_found_breaks_the_edge() {
    assert_eq!(replay(fuzzing::EDGE), BTreeMap::new());
}

#[test]
fn nothing_that_was_thought_of_and_nothing_found_breaks_the_reading_of_calendars() {
    assert_eq!(replay(fuzzing::CALENDAR), BTreeMap::new());
}

#[test]
fn what_was_found_is_of_a_target() {
    let names: Vec<&str> = fuzzing::names().collect();
    for (folder, _) in folders(&found()) {
        assert!(names.contains(&folder.as_str()), "fuzz/found/{folder}");
    }
}

fn folders(path: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(path).into_iter().flatten().map(|entry| entry.expect("an entry of a folder"));
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

#[test]
fn every_recorded_delivery_that_verifies_reaches_the_queue_by_the_edge() {
    let edge = Target::of(fuzzing::EDGE).expect("the edge");
    let Target::Edge(receiver) = &edge else { panic!("the edge is no provider") };
    for provider in hooktide_providers::with_webhooks() {
        let prefix = format!("{}-fixtures-", provider.id());
        let seeds = edge.seeds().into_iter().filter(|(name, _)| name.starts_with(&prefix) && name.ends_with("-signed"));
        let accepted = seeds.filter(|(_, event)| receiver.accepts(event)).count();
        assert!(accepted > 0, "{}: nothing that is signed is accepted", provider.id());
    }
}

fn told(parsed: Result<Vec<Notice>, Fault>) -> Result<(), String> {
    let shopify = hooktide_providers::by_id("shopify").expect("shopify");
    fuzzing::check_told(shopify, &Label::default(), &Ok(()), &parsed, 1_000)
}

fn notice(account: &str, identity: &str, what: What) -> Notice {
    Notice { account: Some(account.into()), identity: identity.into(), what }
}

fn deleted(id: &str) -> What {
    let (kind, version, state) = (Kind::Product, Version(1), State::Deleted);
    What::Entity(EntityNotice::new(kind, id, version, state))
}

#[test]
fn what_must_not_be_told_is_noticed() {
    let right = notice("a.example", "1", deleted("7"));
    assert_eq!(told(Ok(vec![right.clone()])), Ok(()));
    assert_eq!(told(Err(Fault::permanent(ErrorClass::Unreadable, "why"))), Ok(()));
    for (wrong, words) in [
        (Err(Fault::failed("ours")), "parse gives Failed"),
        (Err(Fault::retryable("later")), "parse gives Retryable"),
        (Err(Fault::permanent(ErrorClass::Unreadable, "x".repeat(513))), "parse gives Permanent"),
        (Ok(vec![notice("a.example", "", deleted("7"))]), "without an identity"),
        (Ok(vec![notice("A.example", "1", deleted("7"))]), "another form"),
        (Ok(vec![notice(&"a".repeat(65_536), "1", deleted("7"))]), "are told by a delivery of 1000"),
        (Ok(vec![notice("a.example", "1", deleted(""))]), "cannot be the id"),
        (Ok(vec![notice("a.example", "1", deleted("a\nb"))]), "cannot be the id"),
        (Ok(vec![notice("a.example", "1", What::ignored(""))]), "a reason of 0 bytes"),
        (Ok(vec![notice("a.example", &"x".repeat(65_536), deleted("7"))]), "are told by a delivery of 1000"),
        (Ok(vec![right; 2_001]), "2001 notices"),
    ] {
        let said = told(wrong).expect_err(words);
        assert!(said.contains(words), "{said}");
    }
}
