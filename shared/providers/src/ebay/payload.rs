//! eBay's bodies, read into our terms.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lenient::{Lenient, Object, fields};
use crate::reading::{part, unreadable};
use crate::verified::Verified;
use crate::{Becomes, Topic};
use hooktide_model::fault::Fault;
use hooktide_model::names::PrivacyAct;
use hooktide_model::notice::{PrivacyRequest, Subject, What};

/// The longest topic or id of a notification.
const LONGEST_NAME: usize = 256;

const LISTINGS: Becomes = Becomes::Sync("listings");
const ORDERS: Becomes = Becomes::Sync("orders");
const ADVERTISING: Becomes = Becomes::Ignored("advertising is not kept");
const FEEDBACK: Becomes = Becomes::Ignored("feedback is not kept");
const MESSAGES: Becomes = Becomes::Ignored("messages are not kept");
const METRICS: Becomes = Becomes::Ignored("figures about the seller are not kept");
const OFFERS: Becomes = Becomes::Ignored("offers are not kept until they are orders");

/// All that eBay is known to send.
pub(super) const TOPICS: &[Topic] = &[
    Topic::new("MARKETPLACE_ACCOUNT_DELETION", Becomes::Privacy),
    Topic::new(REVOCATION, Becomes::Ignored("connections are removed by their owner")),
    Topic::new("ITEM_AVAILABILITY", Becomes::Sync("stock")),
    Topic::new("ITEM_PRICE_REVISION", LISTINGS),
    Topic::new("LISTING", LISTINGS),
    Topic::new("PRIORITY_LISTING_REVISION", LISTINGS),
    Topic::new("ORDER_CONFIRMATION", ORDERS),
    Topic::new("ORDER_CANCELLATION_ACTIVITY", ORDERS),
    Topic::new("ORDER_INQUIRY_ACTIVITY", ORDERS),
    Topic::new("ORDER_RETURN_ACTIVITY", ORDERS),
    Topic::new("ITEM_COMMITMENT_CANCELLATION_ACTIVITY", ORDERS),
    Topic::new("ITEM_MARKED_SHIPPED", ORDERS),
    Topic::new("BUYER_REQUESTED_PURCHASE_QUOTE", OFFERS),
    Topic::new("PURCHASE_QUOTE_CANCELLATION_ACTIVITY", OFFERS),
    Topic::new("OFFER_ACTIVITY", OFFERS),
    Topic::new("LISTING_PREVIEW_CREATION_TASK_STATUS", Becomes::Ignored("a preview is no listing")),
    Topic::new("BUYER_QUESTION", MESSAGES),
    Topic::new("NEW_MESSAGE", MESSAGES),
    Topic::new("FEEDBACK_LEFT", FEEDBACK),
    Topic::new("FEEDBACK_RECEIVED", FEEDBACK),
    Topic::new("FEEDBACK_STAR_RATING", FEEDBACK),
    Topic::new("SELLER_CUSTOMER_SERVICE_METRIC_RATING", METRICS),
    Topic::new("SELLER_STANDARDS_PROFILE_METRICS", METRICS),
    Topic::new("PLA_CAMPAIGN_BUDGET_STATUS", ADVERTISING),
    Topic::new("PRIORITY_CAMPAIGN_STRATEGY_BUDGET_STATUS", ADVERTISING),
];

/// The one topic whose data is itself the user that it is about.
const REVOCATION: &str = "AUTHORIZATION_REVOCATION";

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
            metadata: Lenient<Object<Metadata>> = "metadata",
            notification: Lenient<Object<Notification<'a>>> = "notification",
        }
    }
    fields! {
        struct Metadata {
            topic: Lenient<String> = "topic",
        }
    }
    fields! {
        struct Notification<'a> {
            id: Lenient<String> = "notificationId",
            data: Option<&'a RawValue> = "data",
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
        username: Lenient<String> = "username",
        token: Lenient<String> = "eiasToken",
    }
}

/// An account as routes know it.
pub(super) fn account(text: &str) -> String {
    text.trim().to_owned()
}

impl User {
    /// Its account; a fault if it may name one that cannot be read.
    fn account(self) -> Result<Option<String>, Fault> {
        let odd = self.id.is_odd() || self.username.is_odd();
        let mut names = [self.id, self.username].into_iter().filter_map(Lenient::read).map(|text| account(&text));
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
                user: Lenient<Object<User>> = "user",
                seller: Lenient<Object<User>> = "seller",
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
