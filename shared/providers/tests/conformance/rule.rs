//! Rules, and reports of their failures.

use std::fmt;

use hooktide_providers::Webhooks;

use crate::evidence::{Evidence, Fixture};

/// How many failures are reported in full.
const TOLD: usize = 40;

/// Finds the failures of a rule.
pub(crate) type Check = fn(&dyn Webhooks, &Evidence) -> Vec<Failure>;

/// A rule that must hold for every provider.
pub(crate) struct Rule {
    /// The rule as a sentence with the provider as its subject; also the name of its test.
    pub(crate) name: &'static str,
    /// The check that finds its failures.
    pub(crate) check: Check,
}

/// One place where a rule does not hold.
#[derive(Debug)]
pub(crate) struct Failure {
    provider: &'static str,
    place: String,
    what: String,
}

impl Failure {
    /// A failure of a provider at `place`: a fixture, a topic, a file.
    pub(crate) fn new(provider: &dyn Webhooks, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { provider: provider.id(), place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.provider, self.place, self.what)
    }
}

/// The failures of one fixture.
#[derive(Default)]
pub(crate) struct Complaints(Vec<String>);

impl Complaints {
    /// Adds a failure.
    pub(crate) fn add(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    /// Converts them to failures of a provider.
    pub(crate) fn of(self, provider: &dyn Webhooks, fixture: &str) -> Vec<Failure> {
        self.0.into_iter().map(|what| Failure::new(provider, fixture, what)).collect()
    }
}

/// Runs a check on each fixture.
pub(crate) fn each(
    provider: &dyn Webhooks,
    evidence: &Evidence,
    check: impl Fn(&Fixture, &mut Complaints),
) -> Vec<Failure> {
    let mut failures = Vec::new();
    for fixture in &evidence.fixtures {
        let mut complaints = Complaints::default();
        check(fixture, &mut complaints);
        failures.extend(complaints.of(provider, &fixture.name));
    }
    failures
}

/// The webhooks of all providers.
pub(crate) fn all() -> impl Iterator<Item = &'static dyn Webhooks> {
    hooktide_providers::ALL.iter().filter_map(|provider| provider.webhooks())
}

/// Runs a rule on all providers and reports everything that it found.
pub(crate) fn hold_for_all(rule: &str, check: Check) {
    let webhooks = all().collect::<Vec<_>>();
    assert!(!webhooks.is_empty(), "there is no provider to check");
    let failures =
        webhooks.into_iter().flat_map(|provider| check(provider, &Evidence::of(provider.id()))).collect::<Vec<_>>();
    tell(rule, &failures);
}

/// Panics with the failures, if there are any.
pub(crate) fn tell(rule: &str, failures: &[impl fmt::Display]) {
    if failures.is_empty() {
        return;
    }
    let mut text = format!("{rule}: {} failures\n", failures.len());
    for failure in failures.iter().take(TOLD) {
        text.push_str(&format!("  {failure}\n"));
    }
    if failures.len() > TOLD {
        text.push_str("  ...\n");
    }
    panic!("{text}");
}

/// Declares the rules: a test for each, and the list of all, so that each rule has a provider that breaks it.
macro_rules! rules {
    ($($(#[$attribute:meta])* $name:ident: $check:path;)+) => {
        /// All of them.
        const RULES: &[$crate::rule::Rule] = &[$($crate::rule::Rule { name: stringify!($name), check: $check }),+];

        $(
            #[test]
            $(#[$attribute])*
            fn $name() {
                $crate::rule::hold_for_all(stringify!($name), $check);
            }
        )+
    };
}
pub(crate) use rules;
