//! The table of invalidation: for each topic of each provider, the tags that its sample raises and the answers that are stale
//! after it. Seen, not said: each sample is sent, processed, and the answers are asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Provider;
use hooktide_store::records::tag;
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::{Request, StatusCode};

use super::check;

/// What is asked for again.
const ANSWERS: [&str; 3] = ["/v1/transactions", "/v1/accounts", "/v1/analytics"];
const HEAD: &str = "<!-- Written by `make generate`. -->\n# Which answers a webhook makes stale\n\n\
    Answers are kept by the versions of tags ([ADR 17](adr/0017-answers-are-kept-by-versions.md)): an answer is given only while \
    none of the tags that it was made from was raised. Here is, for each topic, which tags a new state raises, and which of \
    `/v1/transactions`, `/v1/accounts` and `/v1/analytics` are stale after it; all others stay valid. What repeats a delivery or \
    says an older state raises nothing. Topics that raise nothing are left out: they are ignored, or ask for a sync, whose changes \
    raise what a webhook with them would.\n\n\
    Narrower questions depend on narrower tags: those about one connection on `<kind>/<connection>/*`, those about companies on \
    `company/<company>`, one transaction on itself. What connections and companies are called raises `connections`, on which all \
    of these depend.\n";

#[tokio::test]
async fn the_table_of_stale_answers_is_current() {
    let mut text = String::from(HEAD);
    for provider in hooktide_providers::with_webhooks() {
        let rows = rows_of(provider).await;
        if rows.is_empty() {
            continue;
        }
        write!(text, "\n## {}\n\n| topics | raise | stale |\n|---|---|---|\n", provider.id()).expect("text");
        for ((raised, stale), topics) in rows {
            let topics: Vec<String> = topics.iter().map(|topic| format!("`{topic}`")).collect();
            writeln!(text, "| {} | {} | {} |", topics.join(", "), raised.join(", "), stale.join(", ")).expect("text");
        }
    }
    check("docs/answers.md", &text);
}

/// The topics of a provider by what their samples raise and make stale.
async fn rows_of(provider: &'static dyn Provider) -> BTreeMap<(Vec<String>, Vec<String>), Vec<&'static str>> {
    let world = World::new().await;
    let to = world.connect(provider).await;
    let (mut rows, mut companies) = (BTreeMap::<_, Vec<&'static str>>::new(), BTreeMap::new());
    for (number, topic) in provider.profile().topics.iter().enumerate() {
        let before = tags(&world, &to).await;
        let mut etags = Vec::new();
        for path in ANSWERS {
            etags.push(world.get(path).await.headers["etag"].clone());
        }
        let sample = world.sample_of(&to, &topic.name.replace('/', "%2F"), 100 + number as u64).await;
        assert!(world.request(sample).await.status.is_success(), "{}: {}", provider.id(), topic.name);
        world.tick().await;
        let raised = tags(&world, &to).await.into_iter().zip(before);
        let mut raised: Vec<String> =
            raised.filter(|((_, after), (_, before))| after > before).map(|((name, _), _)| name).collect();
        let former = std::mem::replace(&mut companies, of_companies(&world).await);
        if companies != former {
            raised.push("`company/<company>`".to_owned());
        }
        let mut stale = Vec::new();
        for (path, etag) in ANSWERS.iter().zip(etags) {
            let request = Request::get(*path).header("authorization", format!("Bearer {}", world.operator));
            let request = request.header("if-none-match", etag).body(Bytes::new()).expect("a request");
            if world.request(request).await.status != StatusCode::NOT_MODIFIED {
                stale.push(format!("`{path}`"));
            }
        }
        assert!(
            stale.is_empty() || !raised.is_empty(),
            "{}: {} makes answers stale by nothing",
            provider.id(),
            topic.name
        );
        if !raised.is_empty() {
            rows.entry((raised, stale)).or_default().push(topic.name);
        }
    }
    rows
}

/// The versions of all tags that a delivery to a connection may raise, by what they are called in the table.
async fn tags(world: &World, to: &Connected) -> Vec<(String, u64)> {
    let of_kinds = Kind::ALL.iter().flat_map(|kind| {
        let collection = kind.collection().to_owned();
        [(format!("`{collection}`"), collection), (format!("`{kind}/<connection>/*`"), tag::prefix(*kind, &to.id))]
    });
    let all: Vec<(String, String)> = of_kinds
        .chain([
            (format!("`{}`", tag::FAILURES), tag::FAILURES.to_owned()),
            (format!("`{}/<connection>`", tag::FAILURES), tag::failures(&to.id)),
            (format!("`{}`", tag::FIGURES), tag::FIGURES.to_owned()),
            (format!("`{}`", tag::CONNECTIONS), tag::CONNECTIONS.to_owned()),
        ])
        .collect();
    let names: Vec<String> = all.iter().map(|(_, name)| name.clone()).collect();
    all.into_iter().map(|(shown, _)| shown).zip(versions(world, &names).await).collect()
}

/// The versions of the tags of all companies that transactions name.
async fn of_companies(world: &World) -> BTreeMap<String, u64> {
    let listed = world.get("/v1/transactions?limit=1000").await.expect(200);
    let companies = listed["items"].as_array().expect("items").iter().map(|item| item["company"].as_str());
    let companies: BTreeSet<&str> = companies.map(|company| company.expect("a company")).collect();
    let names: Vec<String> = companies.into_iter().map(tag::company).collect();
    let versions = versions(world, &names).await;
    names.into_iter().zip(versions).collect()
}

async fn versions(world: &World, names: &[String]) -> Vec<u64> {
    let (table, lanes) = (&*world.host.ports.table, world.host.settings.lanes);
    tag::versions(table, &Tenant::default_local(), names, lanes).await.expect("the versions of tags")
}
