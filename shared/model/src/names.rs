//! Names that never change: users, records and metrics rely on them.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($(#[doc = $about:literal])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in their documented order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        // The derived one knows the variants, and not the names that a macro gives them.
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                described(&[$($about),*], Self::ALL.iter().map(|one| one.as_str()))
            }
        }

        impl ToSchema for $name {}
    };
}

/// The description of a text that is one of these.
fn described(about: &[&str], names: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let about: Vec<&str> = about.iter().map(|line| line.trim()).collect();
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about.join("\n")));
    text.enum_values(Some(names)).into()
}

names! {
    /// How the changes of a connection are found.
    SyncMode {
        /// By webhooks where the provider sends them, else by polling.
        Auto => "auto",
        /// By polling alone.
        Polling => "polling",
    }
}

names! {
    /// Who decides how the changes of a connection are found.
    ModeSource {
        /// The connection's own setting.
        Connection => "connection",
        /// The tenant's switch for a share of its connections.
        Tenant => "tenant",
        /// The operator's switch for a share of all connections.
        Operator => "operator",
        /// Nobody: it is as usual.
        Default => "default",
    }
}

names! {
    /// Whether a connection can ask its provider's API.
    CredentialsState {
        /// There are credentials, and the provider has not refused them.
        Ok => "ok",
        /// There are no credentials that the API can be asked with.
        Missing => "missing",
        /// The provider refuses the credentials: somebody has to authorise the connection again, or give it others.
        NeedsReauthorization => "needs_reauthorization",
    }
}

names! {
    /// How the changes of a resource are found.
    ResourceMode {
        /// By webhooks.
        Webhook => "webhook",
        /// By polling on a schedule.
        Polling => "polling",
        /// Not at all.
        Off => "off",
    }
}

names! {
    /// How a subscription is doing.
    SubscriptionState {
        /// The subscription is being registered.
        Pending => "pending",
        /// The provider sends webhooks.
        Active => "active",
        /// One to four failures in a row, or silence where changes were.
        Degraded => "degraded",
        /// Five failures or more in a row: its resource is polled while it is repaired.
        Suspended => "suspended",
        /// Ten failures in a row: polling only, until somebody enables it or the daily probe succeeds.
        Disabled => "disabled",
        /// The subscription is made in the provider's dashboard.
        Manual => "manual",
    }
}

names! {
    /// How a sync of a resource ended.
    ReadOutcome {
        /// Everything that was asked for was read.
        Done => "done",
        /// The provider refuses the credentials, for this or at all, or there are none.
        Refused => "refused",
        /// The provider limits our calls.
        Limited => "limited",
        /// The provider does not answer, or not as documented.
        Unavailable => "unavailable",
        /// The provider does not accept the question: the resource may be gone, or closed to us.
        Invalid => "invalid",
    }
}

names! {
    /// How a webhook address learns of changes.
    FeedMode {
        /// By deliveries.
        Webhook => "webhook",
        /// By polling.
        Polling => "polling",
    }
}

names! {
    /// How a webhook address is doing.
    AddressHealth {
        /// A delivery was verified.
        Receiving => "receiving",
        /// Nothing was verified yet.
        Waiting => "waiting",
        /// A subscription is not well: changes are found later than usual until it is repaired.
        Degraded => "degraded",
    }
}

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

names! {
    /// Why a job is to be done.
    MarkReason {
        /// A notice said that something changed.
        Hint => "hint",
        /// A notice did not settle the state of an entity.
        Unsettled => "unsettled",
        /// Somebody asked for the job itself, such as a replay.
        Asked => "asked",
        /// Somebody asked that everything is read and compared.
        Full => "full",
        /// A scheduled poll is due.
        Poll => "poll",
        /// A single check is due, because nothing was heard for long.
        Probe => "probe",
        /// The comparison of everything, each night, is due.
        Nightly => "nightly",
        /// The provider wants a subscription to be authorised again before it ends.
        Reauthorize => "reauthorize",
        /// The provider removed a subscription.
        Removed => "removed",
        /// The provider did not send some of the notifications of a subscription.
        Missed => "missed",
    }
}

impl MarkReason {
    /// Whether it says no more than that something changed.
    pub fn is_hint(&self) -> bool {
        *self == Self::Hint
    }

    /// Whether somebody asks for the job, whatever is scheduled.
    pub fn is_asked(&self) -> bool {
        matches!(self, Self::Asked | Self::Full)
    }
}

names! {
    /// The action that a request about personal data asks for.
    PrivacyAct {
        /// Disclose the data.
        Disclose => "disclose",
        /// Erase the data.
        Erase => "erase",
    }
}

names! {
    /// What a principal may do. Each scope includes those above it.
    Scope {
        /// Follow the feed of changes.
        Feed => "feed",
        /// Read everything of the tenant except secrets.
        Read => "read",
        /// Manage connections, dead letters and syncs.
        Operate => "operate",
        /// Manage endpoints and tokens as well.
        Admin => "admin",
    }
}

names! {
    /// The `type` of an error answer (RFC 9457), after the base [`ProblemType::BASE`].
    ProblemType {
        /// 400: the request is not of the documented form.
        BadRequest => "bad-request",
        /// 401: no token, or one that is not valid.
        Unauthorized => "unauthorized",
        /// 403: the token lacks the scope.
        Forbidden => "forbidden",
        /// 404: there is no such resource, or it is not yours.
        NotFound => "not-found",
        /// 405: the resource does not allow this method.
        MethodNotAllowed => "method-not-allowed",
        /// 409: it exists already, or is in use.
        Conflict => "conflict",
        /// 410: the cursor is older than the oldest entry kept; start afresh.
        CursorExpired => "cursor-expired",
        /// 413: the body is too large.
        TooLarge => "too-large",
        /// 422: a field is invalid; `errors` says which.
        Invalid => "invalid",
        /// 429: too many failures from this address.
        Limited => "limited",
        /// 500: our own fault.
        Internal => "internal",
        /// 503: try again later.
        Unavailable => "unavailable",
    }
}

impl ProblemType {
    /// The beginning of every `type`.
    pub const BASE: &'static str = "urn:hooktide:problem:";
}
