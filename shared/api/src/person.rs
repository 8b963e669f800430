//! Tokens that are for one person: they see and change what is of that person's accounts, and nothing else is there for
//! them.

use hooktide_flows::connect;
use hooktide_store::records::connection::Connection;

use crate::access::{May, Needs};
use crate::answer::{Answer, Refused};

/// The longest id of a connection, in bytes: one that is longer, or empty, is none.
const LONGEST_ID: usize = 255;

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
