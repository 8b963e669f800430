//! Tokens that are for one person: they see and change what is of that person's accounts, and nothing else is there for
//! them.

use hooktide_flows::connect;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::token::Principal;

use crate::access::{May, Needs};
use crate::answer::{Answer, Refused};

/// The longest id of a connection, in bytes: one that is longer, or empty, is none.
const LONGEST_ID: usize = 255;

/// Whether what is asked for at a path minds whom a token is for. Nothing else is open to tokens that are for one person.
pub(crate) fn is_about_a_person(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    matches!(parts[..], ["v1", "busy" | "tokens", ..] | ["v1", "connections", _, "calendars", ..])
}

/// Whether what is asked for at a path minds which companies a token is for. Nothing else is open to tokens that are for some.
pub(crate) fn is_about_companies(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    matches!(parts[..], ["v1", "transactions" | "accounts" | "analytics" | "tokens", ..])
}

impl<S: Needs> May<S> {
    /// The person whose blocks a request is about, by what it says and whom its token is for; everybody's if neither
    /// names one.
    pub(crate) fn person(&self, asked: Option<String>) -> Answer<Option<String>> {
        let own = self.principal.user.as_ref();
        match (asked, own) {
            (Some(asked), Some(own)) if asked != *own => Err(Refused::not_found("user")),
            (asked, own) => Ok(asked.or_else(|| own.cloned())),
        }
    }

    /// Whether a token of this principal is theirs to see and to revoke.
    pub(crate) fn minds(&self, other: &Principal) -> bool {
        let (own, theirs) = (&self.principal.companies, &other.companies);
        let of_companies = own.is_empty() || !theirs.is_empty() && theirs.iter().all(|company| own.contains(company));
        of_companies && (self.principal.user.is_none() || self.principal.user == other.user)
    }

    /// The connection of this id, if it is of the person that the token is for.
    pub(crate) async fn connection(&self, id: &str) -> Answer<Connection> {
        if !(1..=LONGEST_ID).contains(&id.len()) {
            return Err(Refused::not_found("connection"));
        }
        let connection = connect::connection_of(self.context(), id).await?.record;
        match self.principal.user.as_deref() {
            Some(own) if connection.user() != Some(own) => Err(Refused::not_found("connection")),
            Some(_) | None => Ok(connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_for_one_person_is_for_calendars_and_blocks_alone() {
        for (path, expected) in [
            ("/v1/busy", true),
            ("/v1/busy/plan", true),
            ("/v1/tokens", true),
            ("/v1/connections/c1/calendars", true),
            ("/v1/connections/c1/calendars/a%2Fb", true),
            ("/v1/connections/c1", false),
            ("/v1/connections", false),
            ("/v1/connections/calendars", false),
            ("/v1/connections/c1/sync/calendars", false),
            ("/v1/changes", false),
            ("/v1/busyness", false),
            ("/v1", false),
        ] {
            assert_eq!(is_about_a_person(path), expected, "{path}");
        }
    }
}
