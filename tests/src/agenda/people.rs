//! The people of a simulation, and their calendars.

use super::account::Kind;

/// A calendar of a person, as it is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The kind.
    pub kind: Kind,
    /// The account, by a number among the person's.
    pub account: usize,
    /// The connection, by a number among the person's.
    pub connection: usize,
    /// Whether its events block time in others, and whether time is blocked in it.
    pub directions: (bool, bool),
    /// Whether blocks in it are merged.
    pub merges: bool,
}

impl Plan {
    /// The calendar with its blocks merged.
    fn merging(self) -> Self {
        Self { merges: true, ..self }
    }
}

/// A circle's calendar.
const BOTH: (bool, bool) = (true, true);
/// A source.
const BLOCKS: (bool, bool) = (true, false);
/// A target.
const BLOCKED: (bool, bool) = (false, true);

fn plan(kind: Kind, (account, connection): (usize, usize), directions: (bool, bool)) -> Plan {
    Plan { kind, account, connection, directions, merges: false }
}

/// One person: two Google calendars in one connection, and a second connection to Google.
pub fn thin() -> Vec<Vec<Plan>> {
    use Kind::Google;
    vec![vec![plan(Google, (0, 0), BOTH), plan(Google, (0, 0), BOTH), plan(Google, (1, 1), BOTH)]]
}

/// A person with a calendar of each kind.
pub fn each() -> Vec<Vec<Plan>> {
    use Kind::{Caldav, Google, Graph, Ics};
    let circle = [Google, Graph, Caldav].into_iter().enumerate().map(|(at, kind)| plan(kind, (at, at), BOTH));
    vec![circle.chain([plan(Ics, (3, 3), BLOCKS)]).collect()]
}

/// A person with calendars of three kinds, whose blocks are merged, and a feed.
pub fn merging() -> Vec<Vec<Plan>> {
    each().into_iter().map(|plans| plans.into_iter().map(Plan::merging).collect()).collect()
}

/// Six people with two to five calendars of all kinds.
pub fn six() -> Vec<Vec<Plan>> {
    use Kind::{Caldav, Google, Graph, Ics};
    let mut people = thin();
    people.extend([
        vec![plan(Google, (0, 0), BOTH), plan(Graph, (1, 1), BOTH)],
        each().remove(0),
        vec![plan(Graph, (0, 0), BOTH), plan(Graph, (0, 0), BLOCKS), plan(Caldav, (1, 1), BOTH).merging()],
        vec![
            plan(Google, (0, 0), BOTH),
            plan(Caldav, (1, 1), BOTH),
            plan(Caldav, (1, 1), BLOCKED),
            plan(Ics, (2, 2), BLOCKS),
            plan(Graph, (3, 3), BOTH).merging(),
        ],
        // Two connections to one account.
        vec![plan(Google, (0, 0), BOTH), plan(Google, (0, 1), BOTH), plan(Ics, (1, 2), BLOCKS)],
    ]);
    people
}

/// Five people, each with a calendar at Google and one at Microsoft.
pub fn five() -> Vec<Vec<Plan>> {
    let person = || vec![plan(Kind::Google, (0, 0), BOTH), plan(Kind::Graph, (1, 1), BOTH)];
    (0..5).map(|_| person()).collect()
}
