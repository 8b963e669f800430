//! Fixtures are signed by a program of its own, so that our code is not judged by itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::evidence::{Evidence, folder, root};
use crate::keys::another;

const PROGRAM: &str = "tests/fixtures/sign.py";

fn check(root: &Path) -> Output {
    let output = Command::new("python3").arg(root.join(PROGRAM)).arg("--check").output();
    output.expect("python3 is required to check the fixtures' signatures")
}

#[test]
fn an_independent_program_makes_the_same_signatures() {
    let output = check(&root());
    assert!(output.status.success(), "{output:?}");
    let count =
        hooktide_providers::with_webhooks().map(|provider| Evidence::of(provider.id()).fixtures.len()).sum::<usize>();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("{count} fixtures")), "{count} fixtures were expected: {said}");
}

#[test]
fn the_independent_program_finds_a_wrong_signature() {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir_all(copy.path().join("tests/fixtures")).unwrap();
    fs::copy(root().join(PROGRAM), copy.path().join(PROGRAM)).unwrap();
    for provider in hooktide_providers::with_webhooks() {
        let recipe = folder(provider.id()).join("recipe.py");
        let beside = copy.path().join(recipe.strip_prefix(root()).unwrap());
        fs::create_dir_all(beside.parent().unwrap()).unwrap();
        fs::copy(recipe, beside).unwrap();
        let from = folder(provider.id()).join("fixtures");
        let to = copy.path().join(from.strip_prefix(root()).unwrap());
        fs::create_dir_all(&to).unwrap();
        // Another secret makes another signature, whatever it binds.
        let fixture =
            Evidence::of(provider.id()).fixtures.into_iter().find(|fixture| !fixture.is_unsignable()).unwrap();
        let name = format!("{}.http", fixture.name);
        let text = fs::read_to_string(from.join(&name)).unwrap();
        let (key, (name_of, secret)) = match fixture.comments.contains_key("signing") {
            true => ("signing", fixture.signing().unwrap()),
            false => ("secret", fixture.secret().unwrap()),
        };
        let line = |secret: &str| format!("# {key}: {name_of}={secret}\n");
        let changed = text.replace(&line(secret), &line(&another(secret)));
        assert_ne!(changed, text, "{name}");
        fs::write(to.join(name), changed).unwrap();
    }
    let output = check(copy.path());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(&format!("{} signed wrongly", hooktide_providers::with_webhooks().count())), "{said}");
}
