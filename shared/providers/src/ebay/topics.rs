//! The topics of eBay.

use crate::{Becomes, Topic};

const LISTINGS: Becomes = Becomes::Sync("listings");
const ORDERS: Becomes = Becomes::Sync("orders");
const ADVERTISING: Becomes = Becomes::Ignored("advertising is not kept");
const FEEDBACK: Becomes = Becomes::Ignored("feedback is not kept");
const MESSAGES: Becomes = Becomes::Ignored("messages are not kept");
const METRICS: Becomes = Becomes::Ignored("figures about the seller are not kept");
const OFFERS: Becomes = Becomes::Ignored("offers are not kept until they are orders");

/// The topics that eBay is known to send.
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
pub(super) const REVOCATION: &str = "AUTHORIZATION_REVOCATION";
