//! Work that is still to be done, and why.

use super::names;

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
    /// How far a block is: a time that is taken in a calendar, since it is taken in another one.
    BlockState {
        /// To be written.
        Wanted => "wanted",
        /// A write is under way, or its answer was lost.
        Writing => "writing",
        /// In the calendar, as it should be.
        There => "there",
        /// To be removed.
        Removing => "removing",
        /// Left alone: a person deleted or changed it, or the provider does not take it.
        Left => "left",
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
