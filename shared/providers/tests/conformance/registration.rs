//! Adding a provider touches its folder and one line: nothing else in the code knows it by name.

use std::fs;
use std::path::Path;

use crate::evidence::root;
use crate::rule::tell;

/// The one file whose one line names a provider.
const REGISTRY: &str = "shared/providers/src/lib.rs";

/// Folders that are not looked at, and why. Nor are lines of comments, which may give examples, unit tests, which are
/// examples, and the `mod` line of a provider's folder, which the language asks for.
const FOLDERS: &[(&str, &str)] = &[
    ("bench", "what is measured is measured with a provider"),
    ("examples", "tools for tests are about a provider"),
    ("tests", "tests show what they mean with a provider"),
    ("target", "built, not written"),
    ("node_modules", "written by others"),
];

/// Functions that are not looked at: the file, how they begin, and why.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("shared/local/src/server.rs", "async fn demo(", "the demo is about some provider"),
    ("cli/src/serve.rs", "fn tell(", "it shows a command to try with the demo"),
    ("shared/providers/src/paysafe/simulator/ledger.rs", "fn paging(", "Paysafe has a field of that name"),
];

/// The words that would name a provider: as in URLs, as a module, as a type.
fn names(id: &str) -> [String; 3] {
    let part = |part: &str| part[..1].to_uppercase() + &part[1..];
    [id.to_owned(), id.replace('-', "_"), id.split('-').map(part).collect()]
}

/// Whether `line` has `name` as a word of its own.
fn has_word(line: &str, name: &str) -> bool {
    let of_word = |character: char| character.is_alphanumeric() || character == '_';
    // `$x:meta` is a sort of syntax, not a provider.
    let of_macro = |before: &str| before.ends_with(':') && !before.ends_with("::") && before.contains('$');
    // So is `x.meta()`, whatever `x` is, and `"x.ics"` is a file.
    let of_method = |before: &str, after: &str| before.ends_with('.') && after.starts_with(['(', '"']);
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        !before.ends_with(of_word) && !of_macro(before) && !of_method(before, after) && !after.starts_with(of_word)
    })
}

/// The lines of a file that count, from one up.
fn code<'a>(path: &str, text: &'a str) -> Vec<(usize, &'a str)> {
    let excluded = FUNCTIONS.iter().filter(|(file, ..)| *file == path).map(|(_, start, _)| *start).collect::<Vec<_>>();
    let mut within = false;
    let mut counted = Vec::new();
    for (at, line) in text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate() {
        within |= excluded.iter().any(|start| line.starts_with(start));
        if !within && !line.trim_start().starts_with("//") {
            counted.push((at + 1, line));
        }
        within &= line != "}";
    }
    counted
}

/// The Rust files under a folder, by their paths from the root.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !FOLDERS.iter().any(|(excluded, _)| *excluded == name) {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), text));
        }
    }
}

/// Where a provider is named: `path:line`, outside its own folder.
fn places(id: &str, sources: &[(String, String)]) -> Vec<String> {
    let [_, module, _] = names(id);
    let own = format!("shared/providers/src/{module}/");
    let declaration = format!("mod {module};");
    let mut places = Vec::new();
    for (path, text) in sources.iter().filter(|(path, _)| !path.starts_with(&own)) {
        let lines = code(path, text).into_iter().filter(|(_, line)| path != REGISTRY || *line != declaration);
        let named = lines.filter(|(_, line)| names(id).iter().any(|name| has_word(line, name)));
        places.extend(named.map(|(at, _)| format!("{path}:{at}")));
    }
    places
}

#[test]
fn code_outside_its_folder_names_a_provider_on_one_line() {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    let mut failures = Vec::new();
    for provider in hooktide_providers::ALL {
        let places = places(provider.id(), &found);
        if !matches!(places.as_slice(), [only] if only.starts_with(REGISTRY)) {
            failures.push(format!("{}: is named in {places:?}", provider.id()));
        }
    }
    tell("code_outside_its_folder_names_a_provider_on_one_line", &failures);
}

#[test]
fn finds_a_provider_that_is_named_elsewhere() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let sources = [
        file(
            REGISTRY,
            "mod acme_pay;\n\n/// `acme-pay` is one.\nconst ALL: &[&dyn Provider] = &[\n    &acme_pay::AcmePay,\n];",
        ),
        file("shared/providers/src/acme_pay/mod.rs", "struct AcmePay;"),
        file("cli/src/main.rs", "let id = \"acme-pay\";\nlet not = acme_payment;\nmod acme_pay;"),
        file(
            "shared/local/src/server.rs",
            "async fn demo() {\n    \"acme-pay\";\n}\nlet url = \"/webhooks/acme-pay/1\";",
        ),
        file("shared/flows/src/sync.rs", "if x {}\n#[cfg(test)]\nmod tests { const ID: &str = \"acme-pay\"; }"),
    ];
    let expected = [&format!("{REGISTRY}:5"), "cli/src/main.rs:1", "cli/src/main.rs:3", "shared/local/src/server.rs:4"];
    assert_eq!(places("acme-pay", &sources), expected);
}
