//! Providers and folders with one flaw each. Every flaw is caught by the rules that are named beside it, and every rule
//! catches a flaw; a provider without a flaw is let through, also one whose signature binds more or less.

mod flaws;
mod folders;
mod provider;
mod scheme;
mod several;
mod verify;

use std::collections::BTreeSet;

use hooktide_providers::Webhooks;

use self::flaws::{FLAWS, Flaw};
use self::folders::FOLDERS;
use self::provider::Broken;
use self::scheme::{Scheme, Schemed};
use self::several::Several;
use crate::RULES;
use crate::evidence::Evidence;
use crate::rule::{Rule, tell};

/// Bodies up to this size are enough to show a flaw, and quick.
const LARGEST: usize = 2048;

/// The provider that is broken here: its scheme is the plainest.
fn sound() -> &'static dyn Webhooks {
    hooktide_providers::webhooks_by_id("shopify").unwrap()
}

fn evidence() -> Evidence {
    let mut evidence = Evidence::of(sound().id());
    evidence.fixtures.retain(|fixture| fixture.body.len() <= LARGEST);
    evidence.snapshots.retain(|snapshot| evidence.fixtures.iter().any(|fixture| fixture.name == *snapshot));
    evidence
}

fn rule(name: &str) -> &'static Rule {
    RULES.iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("there is no rule {name}"))
}

/// The names of those of `rules` that let the provider through.
fn blind<'a>(provider: &dyn Webhooks, evidence: &Evidence, rules: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    rules.iter().copied().filter(|name| (rule(name).check)(provider, evidence).is_empty())
}

#[test]
fn every_flaw_of_a_provider_is_caught() {
    let mut missed = Vec::new();
    for (flaw, rules) in FLAWS {
        let broken = Broken::new(sound(), *flaw, evidence());
        missed.extend(blind(&broken, &evidence(), rules).map(|rule| format!("{flaw:?} is not caught by {rule}")));
    }
    tell("every_flaw_of_a_provider_is_caught", &missed);
}

#[test]
fn every_flaw_of_a_folder_is_caught() {
    let mut missed = Vec::new();
    for (flaw, damage, rules) in FOLDERS {
        let mut damaged = evidence();
        damage(&mut damaged);
        missed.extend(blind(sound(), &damaged, rules).map(|rule| format!("{flaw} is not caught by {rule}")));
    }
    tell("every_flaw_of_a_folder_is_caught", &missed);
}

#[test]
fn every_flaw_of_a_scheme_is_caught() {
    let mut missed = Vec::new();
    for (scheme, flaw, rules) in scheme::FLAWS {
        let broken = Schemed::new(sound(), *scheme, Some(*flaw));
        let blind = blind(&broken, &broken.evidence(evidence()), rules).collect::<Vec<_>>();
        missed.extend(blind.into_iter().map(|rule| format!("{scheme:?} that {flaw:?} is not caught by {rule}")));
    }
    tell("every_flaw_of_a_scheme_is_caught", &missed);
}

#[test]
fn every_flaw_in_reading_several_items_is_caught() {
    let mut missed = Vec::new();
    let evidence = Evidence::of(Several::sound().id());
    for (flaw, rules) in several::FLAWS {
        let blind = blind(&Several(Some(*flaw)), &evidence, rules).collect::<Vec<_>>();
        missed.extend(blind.into_iter().map(|rule| format!("{flaw:?} is not caught by {rule}")));
    }
    tell("every_flaw_in_reading_several_items_is_caught", &missed);
    passes(&Several(None), &evidence, &[]);
}

#[test]
fn every_rule_catches_a_flaw() {
    let providers = FLAWS.iter().map(|(_, rules)| *rules);
    let folders = FOLDERS.iter().map(|(_, _, rules)| *rules);
    let schemes = scheme::FLAWS.iter().map(|(_, _, rules)| *rules);
    let several = several::FLAWS.iter().map(|(_, rules)| *rules);
    let catching = providers.chain(folders).chain(schemes).chain(several).flatten().copied().collect::<BTreeSet<_>>();
    let worthless = RULES.iter().map(|rule| rule.name).filter(|rule| !catching.contains(rule)).collect::<Vec<_>>();
    tell("every_rule_catches_a_flaw", &worthless);
}

/// All rules hold, but for those that the provider in question cannot keep for a reason that is no flaw of it.
fn passes(provider: &dyn Webhooks, evidence: &Evidence, except: &[&str]) {
    let rules = RULES.iter().filter(|rule| !except.contains(&rule.name));
    let failures = rules.flat_map(|rule| {
        let failures = (rule.check)(provider, evidence);
        failures.into_iter().map(|failure| format!("{}: {failure}", rule.name))
    });
    tell("a provider without a flaw", &failures.collect::<Vec<_>>());
}

/// So what is caught is the flaw, not the wrapper.
#[test]
fn a_wrapper_without_a_flaw_breaks_no_rule() {
    passes(&Broken::new(sound(), Flaw::None, evidence()), &evidence(), &[]);
}

/// The wrapped provider is documented to cover the body only.
const NOT_DOCUMENTED: &[&str] = &["covers_what_its_documentation_says"];

#[test]
fn a_provider_that_signs_address_and_time_breaks_no_rule() {
    let provider = Schemed::new(sound(), Scheme::AddressAndTime, None);
    passes(&provider, &provider.evidence(evidence()), NOT_DOCUMENTED);
}

#[test]
fn a_provider_that_sends_a_fixed_token_breaks_no_rule() {
    let provider = Schemed::new(sound(), Scheme::Token, None);
    passes(&provider, &provider.evidence(evidence()), NOT_DOCUMENTED);
}
