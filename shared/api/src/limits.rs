//! Tokens that are for one person, or for some companies: they see and change what is of these, and nothing else is there for
//! them.

use hooktide_flows::connect;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::token::Principal;

use crate::access::{May, Needs};
use crate::answer::{Answer, Refused};

/// The longest id of a connection, in bytes: one that is longer, or empty, is none.
const LONGEST_ID: usize = 255;

/// Why what is asked for at a path is not open to a principal whose token is for one person, or for some companies; none if it
/// is. Paths that mind neither are closed to both.
pub(crate) fn refused(principal: &Principal, path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if principal.user.is_some() {
        let is_open = matches!(parts[..], ["v1", "busy" | "tokens", ..] | ["v1", "connections", _, "calendars", ..]);
        return (!is_open).then_some(
            "The token is for one person: it is for their calendars and blocks, and for nothing else. Make one without \
             `--user`.",
        );
    }
    let is_open = matches!(parts[..], ["v1", "transactions" | "accounts" | "analytics" | "tokens", ..]);
    (!principal.companies.is_empty() && !is_open).then_some(
        "The token is for some companies: it is for their transactions, accounts and figures, and for nothing else. Make one \
         without `--company`.",
    )
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
    use hooktide_model::tenant::Tenant;

    #[test]
    fn a_token_for_one_person_or_some_companies_is_for_theirs_alone() {
        let principal = |user: Option<&str>, companies: &[&str]| Principal {
            user: user.map(str::to_owned),
            companies: companies.iter().map(|&company| company.to_owned()).collect(),
            ..Principal::operator(Tenant::system())
        };
        let (anybody, person, companies) =
            (principal(None, &[]), principal(Some("anna"), &[]), principal(None, &["4711"]));
        for (path, is_of_person, is_of_companies) in [
            ("/v1/busy", true, false),
            ("/v1/busy/plan", true, false),
            ("/v1/tokens", true, true),
            ("/v1/connections/c1/calendars", true, false),
            ("/v1/connections/c1/calendars/a%2Fb", true, false),
            ("/v1/connections/c1", false, false),
            ("/v1/connections", false, false),
            ("/v1/connections/calendars", false, false),
            ("/v1/connections/c1/sync/calendars", false, false),
            ("/v1/transactions", false, true),
            ("/v1/transactions/4711", false, true),
            ("/v1/accounts/4711", false, true),
            ("/v1/analytics/rebuild", false, true),
            ("/v1/status", false, false),
            ("/v1/changes", false, false),
            ("/v1/busyness", false, false),
            ("/v1", false, false),
        ] {
            let is_open = |principal| refused(principal, path).is_none();
            assert_eq!([&anybody, &person, &companies].map(is_open), [true, is_of_person, is_of_companies], "{path}");
        }
    }
}
