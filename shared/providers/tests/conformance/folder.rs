//! The folder is complete: README, fixtures, snapshots.

use hooktide_model::signing::SUBSCRIPTION_KEY;
use hooktide_providers::{Becomes, Webhooks};

use crate::evidence::Evidence;
use crate::rule::{Failure, each};

/// Where a fixture may be from: the form that a page prints, made to show one property, or recorded.
const SOURCES: &[&str] = &["documented", "constructed", "captured"];

/// What stands before the resource that is fetched.
const SYNC: &str = "sync of";

/// A table of the README has a row for each topic, and its second cell says what the code does.
pub(crate) fn readme_lists_topics(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let Some(readme) = &evidence.readme else {
        return vec![Failure::new(provider, "README.md", "is missing")];
    };
    let rows = readme.lines().filter_map(|line| line.strip_prefix('|')?.split_once('|')).collect::<Vec<_>>();
    let mut failures = Vec::new();
    for topic in provider.profile().topics {
        let says = match topic.becomes {
            Becomes::Kind(kind) => kind.as_str().to_owned(),
            Becomes::Sync(resource) => format!("{SYNC} `{resource}`"),
            Becomes::Privacy => "privacy".to_owned(),
            Becomes::Ignored(_) => "ignored".to_owned(),
        };
        let fits = |cell: &str| match topic.becomes {
            Becomes::Sync(_) => cell.contains(&says),
            // A sync of `products` makes no product.
            Becomes::Kind(_) | Becomes::Privacy | Becomes::Ignored(_) => {
                cell.find(&says).is_some_and(|at| !cell[..at].contains(SYNC))
            }
        };
        let becomes = rows.iter().filter(|(topics, _)| topics.contains(&format!("`{}`", topic.name)));
        let mut becomes = becomes.map(|(_, cells)| cells.split('|').next().unwrap_or_default());
        if !becomes.any(fits) {
            let what = format!("has no row that says of `{}` that it becomes {says}", topic.name);
            failures.push(Failure::new(provider, "README.md", what));
        }
    }
    failures
}

/// Each topic that is declared was recorded.
pub(crate) fn topics_have_fixtures(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let recorded = evidence.fixtures.iter().filter_map(|fixture| fixture.topic(provider)).collect::<Vec<_>>();
    let topics = provider.profile().topics.iter().filter(|topic| !recorded.iter().any(|name| name == topic.name));
    topics.map(|topic| Failure::new(provider, topic.name, "was not recorded")).collect()
}

/// Each fixture says where it is from, what signed it, and which header proves it.
pub(crate) fn fixtures_say_their_origin(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    each(provider, evidence, |fixture, complaints| {
        let source = fixture.comments.get("source").map(String::as_str).unwrap_or_default();
        if source.split_once(' ').is_none_or(|(sort, place)| !SOURCES.contains(&sort) || place.trim().is_empty()) {
            complaints.add(format!("`# source` must be one of {SOURCES:?} and a place"));
        }
        match fixture.secret() {
            Some((name, text)) if !text.is_empty() => {
                let derived = provider.profile().derives_tokens && name == SUBSCRIPTION_KEY;
                if !derived && !provider.profile().needs.iter().any(|need| need.name == name) {
                    complaints.add(format!("is signed by `{name}`, which the provider does not need"));
                }
            }
            _ => complaints.add("`# secret` must be a name, `=` and a text"),
        }
        if fixture.scheme(provider).is_none() {
            complaints.add(
                "`# signature` must name one of its headers, or a field after `body `, of a scheme of the provider",
            );
        }
        if fixture.comments.get("covers").is_none_or(|covers| covers.trim().is_empty()) {
            complaints.add("`# covers` must say what it shows");
        }
        if fixture.covers(provider).url && !fixture.comments.contains_key("url") {
            complaints.add("`# url` must say where it was sent, since that is signed");
        }
        if fixture.covers(provider).time && fixture.signed_at().is_none() {
            complaints.add("`# signed-at` must say when it was sent, since that is signed");
        }
    })
}

/// No snapshot is left of a fixture that is gone.
pub(crate) fn snapshots_have_fixtures(provider: &dyn Webhooks, evidence: &Evidence) -> Vec<Failure> {
    let gone = |name: &&String| !evidence.fixtures.iter().any(|fixture| &fixture.name == *name);
    let gone = evidence.snapshots.iter().filter(gone);
    gone.map(|name| Failure::new(provider, format!("snapshots/{name}.snap"), "has no fixture")).collect()
}
