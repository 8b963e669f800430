//! How subscriptions fare: `docs/subscriptions.md`, drawn from the function that decides it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hooktide_flows::watch::health::{Action, Observation, observe};
use hooktide_model::names::SubscriptionState as State;
use hooktide_store::records::subscription::Subscription;
use jiff::Timestamp;

use super::check;

/// The states that a subscription is kept in, each with numbers of failures between which something changes.
const STATES: [(State, &[u32]); 5] = [
    (State::Pending, &[0, 4, 9]),
    (State::Active, &[0]),
    (State::Degraded, &[1, 4]),
    (State::Suspended, &[5, 9]),
    (State::Disabled, &[10]),
];

fn in_state(state: State, failures: u32) -> Subscription {
    Subscription {
        id: String::new(),
        connection: String::new(),
        resource: String::new(),
        part: None,
        topic: String::new(),
        url: String::new(),
        state,
        failures,
        since: Timestamp::UNIX_EPOCH,
        reason: None,
        provider_id: (state != State::Pending).then(String::new),
        expires_at: None,
        renew_at: None,
        next_at: Timestamp::UNIX_EPOCH,
        checked_at: None,
        replaced_by: None,
    }
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Repair => "register or renew it",
        Action::Probe => "check that it exists",
        Action::Sync => "read what changed",
        Action::Poll => "poll its resource",
        Action::StopPolling => "stop polling",
    }
}

#[test]
fn the_state_diagram_of_subscriptions_is_current() {
    let mut text = String::from(
        "<!-- Written by `make generate`. -->\n# How subscriptions fare\n\nWhat is observed of a subscription leads from \
         state to state, by one pure function (`shared/flows/src/watch/health.rs`). A resource is in mode webhook as long as \
         each of its topics has a subscription that is active or degraded, and is polled otherwise. `manual` is for providers \
         whose webhooks are set up in their dashboard.\n\n```mermaid\nstateDiagram-v2\n    [*] --> pending\n",
    );
    let mut arrows: BTreeMap<(State, State), Vec<String>> = BTreeMap::new();
    let mut rows = String::new();
    for (state, counts) in STATES {
        for failures in counts {
            for (observation, _) in Observation::ALL {
                let (next, actions) = observe(&in_state(state, *failures), observation, Timestamp::UNIX_EPOCH);
                let name = format!("{observation:?}");
                if next.state != state {
                    let names = arrows.entry((state, next.state)).or_default();
                    let name = if next.failures > 1 { format!("{name} {}", next.failures) } else { name.clone() };
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                let actions: Vec<&str> = actions.iter().map(action).collect();
                writeln!(rows, "| {state} | {failures} | {name} | {} | {} |", next.state, actions.join(", "))
                    .expect("text");
            }
        }
    }
    for ((from, to), names) in arrows {
        writeln!(text, "    {from} --> {to}: {}", names.join(", ")).expect("text");
    }
    text.push_str("```\n\n| observation | when |\n|---|---|\n");
    for (observation, when) in Observation::ALL {
        writeln!(text, "| {observation:?} | {when} |").expect("text");
    }
    text.push_str("\n| state | failures in a row | observation | next state | what is done |\n|---|---|---|---|---|\n");
    text.push_str(&rows);
    check("docs/subscriptions.md", &text);
}
