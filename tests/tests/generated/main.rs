//! What is generated is current: `make generate` writes it, and here it is compared.

mod answers;
mod events;
mod providers;
mod receivers;
mod subscriptions;
mod usage;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hooktide_flows::settings::{PRIVATE_HOSTS, SETTINGS, Setting, TRUSTED_PROXIES};
use hooktide_functions::environment::{OPTIONAL, REQUIRED, Variable};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "`make generate` asks by this variable to write instead of comparing")]
fn check(path: &str, current: &str) {
    let path = root().join(path);
    if std::env::var_os("HOOKTIDE_GENERATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, current).expect("the file");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "{} is not current; run `make generate`", path.display());
}

#[test]
fn the_description_of_the_api_is_current() {
    let document = hooktide_api::openapi().to_pretty_json().expect("the description");
    check("docs/openapi.json", &format!("{document}\n"));
}

#[test]
fn every_operation_of_the_api_has_a_name_of_its_own() {
    let document = serde_json::to_value(hooktide_api::openapi()).expect("the description");
    let mut names = Vec::new();
    for operations in document["paths"].as_object().expect("paths").values() {
        for operation in operations.as_object().expect("operations").values() {
            names.push(operation["operationId"].as_str().expect("a name").to_owned());
            assert!(operation["responses"]["default"].is_object(), "errors are described");
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_table_of_settings_is_current() {
    let mut text = String::from(
        "<!-- Written by `make generate`. -->\n# Settings\n\nSettings are environment variables. What is missing or \
         malformed is named at the start, all in one message. `hooktide serve --help` has the local server's own: its \
         data folder, address, public address, origins, test tools and log.\n\n## Numbers, for functions and the local \
         server\n\n| variable | default | from | to | what |\n|---|---|---|---|---|\n",
    );
    for Setting { name, about, range: (least, most), default, .. } in SETTINGS {
        writeln!(text, "| `{name}` | {default} | {least} | {most} | {about} |").expect("text");
    }
    writeln!(
        text,
        "\n## From the environment alone\n\n| variable | what |\n|---|---|\n| `{TRUSTED_PROXIES}` | \
         the proxies in front of it whose `X-Forwarded-For` is believed: addresses and ranges such as 10.0.0.0/8, \
         separated by commas. Failed verifications are then limited by the rightmost address there that is no such \
         proxy's; unless it is set, by the address that connects |\n| `{PRIVATE_HOSTS}` | hosts in your own network \
         that may be called although their addresses are not public, such as `shop.internal:8080`, separated by commas: \
         without it, an address that a user gave leads to public addresses only |\n| `HOOKTIDE_<PROVIDER>_API` | another origin \
         of a provider's API, such as its sandbox: `HOOKTIDE_GOOGLE_CALENDAR_API` |\n| `HOOKTIDE_<PROVIDER>_OAUTH` | another \
         origin of its token and consent pages; without it, the API's where both are at one: \
         `HOOKTIDE_GOOGLE_CALENDAR_OAUTH` |"
    )
    .expect("text");
    text.push_str("\n## Of a function's deployment, set by the template\n\n| variable | what |\n|---|---|\n");
    for Variable { name, about } in REQUIRED.iter().chain(&OPTIONAL) {
        writeln!(text, "| `{name}` | {about} |").expect("text");
    }
    check("docs/settings.md", &text);
}
