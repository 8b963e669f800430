//! The topics of Meta: objects, and of a catalog its fields.

use crate::{Becomes, Topic};

const MESSAGES: &str = "messages and posts are not kept";

/// The objects that Meta is known to send; of a catalog, the fields.
pub(super) const TOPICS: &[Topic] = &[
    Topic::new("catalog/items_batch", Becomes::Sync("products")),
    Topic::new(FEED, Becomes::Sync("products")),
    Topic::new("page", Becomes::Ignored(MESSAGES)),
    Topic::new("instagram", Becomes::Ignored(MESSAGES)),
    Topic::new("whatsapp_business_account", Becomes::Ignored(MESSAGES)),
    Topic::new("permissions", Becomes::Ignored("connections are removed by their owner")),
    Topic::new("user", Becomes::Ignored("what people change of themselves is not kept")),
    Topic::new("ad_account", Becomes::Ignored("advertising is not kept")),
    Topic::new("application", Becomes::Ignored("what concerns the app itself is not kept")),
    Topic::new("payments", Becomes::Ignored("payments in games are not kept")),
];

/// The topic of an upload of a feed, whose body is the same every time.
pub(super) const FEED: &str = "catalog/product_feed";
