//! What each provider is: `docs/providers.md`, and a row each in the table of `README.md`.

use std::fmt::Write as _;

use hooktide_providers::{ALL, Becomes, Proof, Provider, Scheme};

use super::{check, root};

/// Between these lines the README has its table.
const MARKS: [&str; 2] = ["<!-- Providers, written by `make generate`. -->\n", "<!-- End of the providers. -->\n"];

#[test]
fn the_description_of_providers_is_current() {
    let mut text = String::from(
        "<!-- Written by `make generate`. -->\n# Providers\n\nEach provider's own README says how its deliveries are \
         verified, and why. [How to add one](adding-a-provider.md).\n",
    );
    for provider in ALL {
        let id = provider.id();
        writeln!(text, "\n## {id}\n\n[README](../{})\n", readme(*provider)).expect("text");
        if provider.webhooks().is_none() {
            let (shortest, longest) = provider.profile().polled_every.unwrap_or_default();
            let (shortest, longest) = (shortest.as_secs() / 60, longest.as_secs() / 60);
            writeln!(text, "- no webhooks: it is polled every {shortest} to {longest} minutes").expect("text");
            continue;
        }
        writeln!(text, "- webhook address: `/webhooks/{id}/<id>`").expect("text");
        for scheme in provider.profile().schemes {
            writeln!(text, "- proof: {}", proof(scheme)).expect("text");
        }
        for line in keys(*provider) {
            writeln!(text, "- {line}").expect("text");
        }
        writeln!(text, "- what tells deliveries apart: {}", provider.profile().identity).expect("text");
        let needed = quoted(provider.profile().needed);
        writeln!(text, "- fields that must be right, since they say what changed: {needed}").expect("text");
        if !provider.profile().optional.is_empty() {
            let optional = quoted(provider.profile().optional);
            writeln!(text, "- fields that may be missing: {optional}; any other that is missing is named in `unread`")
                .expect("text");
        }
        for list in provider.profile().items {
            writeln!(text, "- each item of `{list}` is read on its own").expect("text");
        }
        for mark in provider.profile().own_marks {
            writeln!(text, "- a hint whose body has `{mark}` is a repeat wherever that body comes again")
                .expect("text");
        }
        let window = provider.profile().window.as_secs() / 3600;
        writeln!(text, "- a delivery without an entity is remembered for {window} hours").expect("text");
        let (accepted, refused) = (provider.profile().accepted.as_u16(), provider.profile().refused.as_u16());
        writeln!(text, "- answer: {accepted} when it is on the queue, {refused} when it is not verified")
            .expect("text");
        for need in provider.profile().needs {
            let optional = if need.required { "" } else { ", optional" };
            writeln!(text, "- secret `{}`{optional}: {}", need.name, need.about).expect("text");
        }
        writeln!(text, "\n| topic | becomes |\n|---|---|").expect("text");
        for topic in provider.profile().topics {
            let becomes = match topic.becomes {
                Becomes::Kind(kind) => format!("a change of a {kind}"),
                Becomes::Sync(resource) => format!("a sync of {resource}"),
                Becomes::Privacy => "a request about personal data".to_owned(),
                Becomes::Ignored(reason) => format!("nothing: {reason}"),
            };
            writeln!(text, "| `{}` | {becomes} |", topic.name).expect("text");
        }
    }
    check("docs/providers.md", &text);
}

#[test]
fn the_table_of_providers_in_the_readme_is_current() {
    let mut table = String::from("| provider | changes of | hints to fetch | proof |\n|---|---|---|---|\n");
    for provider in ALL {
        if provider.webhooks().is_none() {
            let polled = listed(provider.profile().resources.iter().map(|(kind, _)| kind.collection()));
            writeln!(table, "| [{}]({}) | {polled}, polled | - | - |", provider.id(), readme(*provider)).expect("text");
            continue;
        }
        let becomes = || provider.profile().topics.iter().map(|topic| topic.becomes);
        let changes = becomes().filter_map(|becomes| match becomes {
            Becomes::Kind(kind) => Some(kind.collection()),
            Becomes::Sync(_) | Becomes::Privacy | Becomes::Ignored(_) => None,
        });
        let hints = becomes().filter_map(|becomes| match becomes {
            Becomes::Sync(resource) => Some(resource),
            Becomes::Kind(_) | Becomes::Privacy | Becomes::Ignored(_) => None,
        });
        let proofs = provider.profile().schemes.iter().map(bound).collect::<Vec<_>>();
        let cells = [listed(changes), listed(hints), each_once(proofs.iter().map(String::as_str)).join("; ")];
        writeln!(table, "| [{}]({}) | {} |", provider.id(), readme(*provider), cells.join(" | ")).expect("text");
    }
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let (before, rest) = readme.split_once(MARKS[0]).expect("where the table begins");
    let (_, after) = rest.split_once(MARKS[1]).expect("where the table ends");
    check("README.md", &format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1]));
}

/// A provider's README, from the root.
fn readme(provider: &dyn Provider) -> String {
    format!("shared/providers/src/{}/README.md", provider.id().replace('-', "_"))
}

/// In order, each once.
fn each_once<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for word in words {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

/// Paths of fields.
fn quoted(paths: &[&str]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    if quoted.is_empty() { "none".to_owned() } else { quoted.join(", ") }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words = each_once(words);
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// What proves a delivery, and what that binds.
fn proof(scheme: &Scheme) -> String {
    let place = match scheme.proof {
        Proof::Header(name) => format!("header `{name}`"),
        Proof::Field(name) => format!("field `{name}` of each item"),
    };
    format!("{place}, {}{}", bound(scheme), if scheme.list { "; of several, one suffices" } else { "" })
}

/// What a proof binds.
fn bound(Scheme { covers, .. }: &Scheme) -> String {
    let signed = [("the body", covers.body), ("the address", covers.url), ("the time", covers.time)];
    let signed: Vec<&str> = signed.iter().filter(|(_, covered)| *covered).map(|(name, _)| *name).collect();
    if signed.is_empty() { "a token, which signs nothing".to_owned() } else { format!("signs {}", signed.join(", ")) }
}

/// Where its keys come from, if they are not all the operator's.
fn keys(provider: &dyn Provider) -> Vec<&'static str> {
    let fetched =
        provider.api().and_then(|api| api.keys()).map(|_| "the keys of its signatures are fetched from it, or pinned");
    let derived =
        provider.profile().derives_tokens.then_some("the token is derived for each subscription from a key of ours");
    fetched.into_iter().chain(derived).collect()
}
