//! The sorts of what an account has.

/// A sort of resource.
#[derive(Debug)]
pub(super) struct Sort {
    /// Its name in edits.
    what: &'static str,
    /// Its path in the API, which is the name of its lists in lower case.
    pub(super) path: &'static str,
    /// The name of its lists.
    pub(super) list: &'static str,
    /// The text that the names of its events begin with.
    event: &'static str,
    /// The statuses that are notified, and those that are not.
    statuses: [&'static [&'static str]; 2],
    /// The status that it has after it was cancelled.
    pub(super) cancelled: &'static str,
    /// Whether its answers say the currency.
    pub(super) has_currency: bool,
}

const CANCELLED: &str = "CANCELLED";

/// All sorts. Nobody cancels a handle: it expires.
pub(super) const ALL: &[Sort] = &[
    Sort {
        what: "payment-handle",
        path: "paymenthandles",
        list: "paymentHandles",
        event: "PAYMENT_HANDLE",
        statuses: [&["INITIATED", "PROCESSING", "PAYABLE", "COMPLETED", "EXPIRED", "FAILED"], &[]],
        cancelled: "EXPIRED",
        has_currency: true,
    },
    Sort {
        what: "payment",
        path: "payments",
        list: "payments",
        event: "PAYMENT",
        statuses: [&["RECEIVED", "PROCESSING", "PENDING", "HELD", "COMPLETED", "FAILED", CANCELLED, "EXPIRED"], &[]],
        cancelled: CANCELLED,
        has_currency: true,
    },
    Sort {
        what: "settlement",
        path: "settlements",
        list: "settlements",
        event: "SETTLEMENT",
        statuses: [&["RECEIVED", "PENDING", "PROCESSING", "COMPLETED", "FAILED", CANCELLED], &["INITIATED", "EXPIRED"]],
        cancelled: CANCELLED,
        has_currency: false,
    },
    Sort {
        what: "refund",
        path: "refunds",
        list: "refunds",
        event: "REFUND",
        statuses: [&["PENDING", "COMPLETED", "FAILED", CANCELLED, "ERRORED"], &["RECEIVED", "INITIATED", "EXPIRED"]],
        cancelled: CANCELLED,
        has_currency: true,
    },
    Sort {
        what: "standalone-credit",
        path: "standalonecredits",
        list: "standaloneCredits",
        event: "SA_CREDIT",
        statuses: [&["COMPLETED", "FAILED", CANCELLED, "ERRORED"], &["RECEIVED", "INITIATED", "PENDING", "EXPIRED"]],
        cancelled: CANCELLED,
        has_currency: true,
    },
];

impl Sort {
    /// The sort of that name in edits.
    pub(super) fn of_edit(what: &str) -> Option<&'static Self> {
        ALL.iter().find(|sort| sort.what == what)
    }

    /// The sort below that path.
    pub(super) fn of_path(path: &str) -> Option<&'static Self> {
        ALL.iter().find(|sort| sort.path == path)
    }

    /// Whether it can have a status.
    pub(super) fn has(&self, status: &str) -> bool {
        self.statuses.iter().any(|statuses| statuses.contains(&status))
    }

    /// The event of a status, where it is notified.
    pub(super) fn event(&self, status: &str) -> Option<String> {
        self.statuses[0].contains(&status).then(|| format!("{}_{status}", self.event))
    }
}

/// The names of all sorts in edits.
pub(super) fn names() -> Vec<&'static str> {
    ALL.iter().map(|sort| sort.what).collect()
}
