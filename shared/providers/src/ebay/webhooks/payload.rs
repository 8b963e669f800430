//! eBay's bodies, read into our terms.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ebay::topics::REVOCATION;
use crate::json::{part, unreadable};
use crate::lenient::{Lenient, Object, fields};
use crate::reading::trimmed;
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::names::PrivacyAct;
use hooktide_model::notice::{PrivacyRequest, Subject, What};

/// The longest topic or id of a notification.
const LONGEST_NAME: usize = 256;

/// A notification.
pub(super) struct Message<'a> {
    /// Its topic.
    pub(super) topic: String,
    /// Its id, the same at every attempt.
    pub(super) id: String,
    data: Option<&'a RawValue>,
}

/// Reads the envelope that all notifications have.
pub(super) fn message(verified: &Verified) -> Result<Message<'_>, Fault> {
    fields! {
        struct Envelope<'a> {
            metadata: Lenient<Object<Metadata>>,
            notification: Lenient<Object<Notification<'a>>>,
        }
    }
    fields! {
        struct Metadata {
            topic: Lenient<String>,
        }
    }
    fields! {
        struct Notification<'a> {
            id: Lenient<String> = "notificationId",
            data: Option<&'a RawValue>,
        }
    }
    let Object(Envelope { metadata, notification }) = verified.json()?;
    let (Object(metadata), Object(notification)) = (metadata.needed("metadata")?, notification.needed("notification")?);
    let topic = metadata.topic.needed("metadata.topic")?;
    let id = notification.id.needed("notification.notificationId")?;
    let fits = |text: &String| (1..=LONGEST_NAME).contains(&text.len());
    let data = notification.data;
    if fits(&topic) && fits(&id) { Ok(Message { topic, id, data }) } else { Err(unreadable("no topic or no id")) }
}

fields! {
    /// A user, as the topics name one. The id never changes; the name may, and is left out for some.
    struct User {
        id: Lenient<String> = "userId" | "publicUserId",
        username: Lenient<String>,
        token: Lenient<String> = "eiasToken",
    }
}

impl User {
    /// Its account; a fault if it may name one that cannot be read.
    fn account(self) -> Result<Option<String>, Fault> {
        let odd = self.id.is_odd() || self.username.is_odd();
        let mut names = [self.id, self.username].into_iter().filter_map(Lenient::read).map(|text| trimmed(&text));
        match names.find(|text| !text.is_empty()) {
            None if odd => Err(unreadable("the user that it is about cannot be read")),
            found => Ok(found),
        }
    }
}

impl Message<'_> {
    /// The seller that it is about, if it names one.
    pub(super) fn account(&self) -> Result<Option<String>, Fault> {
        fields! {
            struct Named {
                user: Lenient<Object<User>>,
                seller: Lenient<Object<User>>,
                shipped: Lenient<Object<User>> = "itemMarkedShipped",
            }
        }
        if self.topic == REVOCATION {
            return self.data::<User>()?.account();
        }
        let named = self.data::<Named>()?;
        for (path, user) in [("user", named.user), ("seller", named.seller), ("itemMarkedShipped", named.shipped)] {
            let user = user.needed_if_there(format_args!("notification.data.{path}"))?;
            if let Some(account) = user.map(|Object(user)| user.account()).transpose()?.flatten() {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// A request to erase what is held about a user of eBay.
    pub(super) fn privacy(&self) -> Result<What, Fault> {
        let User { id, username, token } = self.data()?;
        let marks = [id, username, token].into_iter().filter_map(Lenient::read).filter(|text| !text.is_empty());
        let marks: Vec<String> = marks.collect();
        if marks.is_empty() {
            return Err(unreadable("it names no user to erase"));
        }
        Ok(What::Privacy(PrivacyRequest { act: PrivacyAct::Erase, subject: Subject::Person(marks) }))
    }

    fn data<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        part::<Object<T>>(self.data, "notification.data").map(|Object(data)| data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_with_space_around_it_is_the_one_that_routes_know() {
        let account = |json: &str| serde_json::from_str::<User>(json).unwrap().account().unwrap();
        assert_eq!(account(r#"{"userId":" ma8vp1jySJC\n","username":"a"}"#).as_deref(), Some("ma8vp1jySJC"));
        assert_eq!(account(r#"{"userId":" ","username":" a"}"#).as_deref(), Some("a"));
        assert_eq!(account(r#"{"userId":" "}"#), None);
    }
}
