//! Changes: what changed, how that became known, and what became of it.

use super::names;

names! {
    /// The kind of an entity.
    Kind {
        /// A product with its variants and images.
        Product => "product",
        /// The quantity of a variant at a location.
        Stock => "stock",
        /// A payment, refund or settlement.
        Transaction => "transaction",
        /// A merchant account.
        Account => "account",
        /// An order.
        Order => "order",
        /// A customer.
        Customer => "customer",
        /// An entry of a calendar.
        CalendarEvent => "calendar-event",
        /// An image.
        Image => "image",
        /// A shopping cart.
        Cart => "cart",
        /// A request to disclose or erase somebody's data.
        Privacy => "privacy",
    }
}

impl Kind {
    /// The tag of the whole collection, raised by every change of this kind.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Product => "products",
            Self::Stock => "stock",
            Self::Transaction => "transactions",
            Self::Account => "accounts",
            Self::Order => "orders",
            Self::Customer => "customers",
            Self::CalendarEvent => "calendar-events",
            Self::Image => "images",
            Self::Cart => "carts",
            Self::Privacy => "privacy",
        }
    }

    /// The channels that a change of this kind is published on, in order.
    pub fn channels(self) -> &'static [Channel] {
        match self {
            Self::Product => &[Channel::ProductUpdates, Channel::ProductCacheInvalidation],
            Self::Stock => &[Channel::StockUpdates],
            Self::Transaction | Self::Order => &[Channel::PaymentUpdates],
            Self::Account | Self::Customer => &[Channel::AccountUpdates],
            Self::CalendarEvent => &[Channel::CalendarUpdates],
            Self::Image => &[Channel::ImageUpdates],
            Self::Cart => &[Channel::CartUpdates],
            // No front end shows them; they are in the activity.
            Self::Privacy => &[],
        }
    }
}

names! {
    /// A channel of the bus and of the server-sent events.
    Channel {
        /// Products, with their documents.
        ProductUpdates => "product-updates",
        /// The tags that a product's change makes stale.
        ProductCacheInvalidation => "product-cache-invalidation",
        /// Quantities.
        StockUpdates => "stock-updates",
        /// Payments and orders.
        PaymentUpdates => "payment-updates",
        /// Accounts and customers.
        AccountUpdates => "account-updates",
        /// Images.
        ImageUpdates => "image-updates",
        /// Calendars.
        CalendarUpdates => "calendar-updates",
        /// Carts.
        CartUpdates => "cart-updates",
    }
}

impl Channel {
    /// Whether it carries only the tags to invalidate, not the change.
    pub fn is_invalidation(self) -> bool {
        matches!(self, Self::ProductCacheInvalidation)
    }
}

names! {
    /// What happened to the entity.
    Operation {
        /// The entity was not known before.
        Created => "created",
        /// The entity was known and has changed.
        Updated => "updated",
        /// The entity was deleted.
        Deleted => "deleted",
    }
}

names! {
    /// What became of a notice.
    Outcome {
        /// The state was changed and the change published.
        Processed => "processed",
        /// The same delivery, or the same state, had been processed before.
        Duplicate => "duplicate",
        /// The entity already had a newer state, or one of the same version that was reported later.
        Stale => "stale",
        /// Nothing is done about it; the reason says why.
        Ignored => "ignored",
        /// Recorded; the work that it asks for is still to be done.
        Waiting => "waiting",
        /// A try failed; the reason says when the next one comes.
        Failed => "failed",
        /// Moved to the dead letters.
        Dead => "dead",
    }
}

names! {
    /// How a change became known.
    Via {
        /// The provider sent a notice.
        Webhook => "webhook",
        /// A scheduled poll found it.
        Polling => "polling",
        /// A comparison of everything found it.
        Full => "full",
        /// A single check found it.
        Probe => "probe",
        /// A list that a person gave us.
        Import => "import",
        /// We did it ourselves.
        Own => "own",
    }
}
