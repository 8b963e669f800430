//! How the changes of a connection are found, and how well.

use super::names;

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
