//! Google's OAuth: the token to refresh with stays the same, and comes only with a consent that is asked for.

use crate::Base;
use crate::protocols::oauth2::{ConsentPage, OAuth};

/// The scope that allows everything.
const WHOLE: &str = "https://www.googleapis.com/auth/calendar";
/// The scope that allows to read everything.
const WHOLE_READING: &str = "https://www.googleapis.com/auth/calendar.readonly";
/// The end of the scopes that allow to read and no more.
const READING: &str = ".readonly";

/// How access tokens are got.
pub(super) const OAUTH: OAuth = OAuth::of(
    Base::Fixed("https://oauth2.googleapis.com/token"),
    ConsentPage {
        parameters: &[("access_type", "offline"), ("prompt", "consent")],
        implies: |granted, wanted| {
            granted == WHOLE || wanted.strip_suffix(READING).is_some_and(|of| granted == of || granted == WHOLE_READING)
        },
        ..ConsentPage::of(
            Base::Fixed("https://accounts.google.com/o/oauth2/v2/auth"),
            &[
                "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
                // Blocks are written as well. What was granted for reading alone still reads.
                "https://www.googleapis.com/auth/calendar.events",
            ],
        )
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_scope_stands_for_a_narrower_one_and_none_for_writing_that_reads_alone() {
        let scope = |name: &str| format!("https://www.googleapis.com/auth/{name}");
        for (granted, wanted, expected) in [
            ("calendar", "calendar.events", true),
            ("calendar", "calendar.calendarlist.readonly", true),
            ("calendar.readonly", "calendar.calendarlist.readonly", true),
            ("calendar.calendarlist", "calendar.calendarlist.readonly", true),
            ("calendar.readonly", "calendar.events", false),
            ("calendar.events.readonly", "calendar.events", false),
            ("calendar.events", "calendar.calendarlist.readonly", false),
        ] {
            let implied = (OAUTH.consent.implies)(&scope(granted), &scope(wanted));
            assert_eq!(implied, expected, "{granted} for {wanted}");
        }
    }
}
