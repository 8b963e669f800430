//! Links to further pages. Only what is below the API's own address is taken of one: nothing leads elsewhere.

use http::Uri;

use crate::Refusal;
use crate::lenient::Lenient;
use crate::protocols::query::decoded_path;

/// The longest link, in bytes: those that were seen have some hundreds.
const LONGEST: usize = 8 * 1024;
/// The path that all links are below.
const BELOW: &str = "/v1.0/";
/// How the path of a page of a round ends.
pub(super) const OF_ROUND: &str = "/calendarview/delta";
/// How the path of a page of the list of calendars ends.
pub(super) const OF_LIST: &str = "/calendars";

/// The path and the query of a link, if there is one. Its path ends as expected, and names no other calendar than the one that
/// is read: Graph writes keys after a slash or in brackets.
pub(super) fn path(link: Lenient<String>, ends: &str, calendar: Option<&str>) -> Result<Option<String>, Refusal> {
    if !link.is_there() {
        return Ok(None);
    }
    let link = link.read().filter(|link| link.len() <= LONGEST);
    let uri: Option<Uri> = link.and_then(|link| link.parse().ok());
    let uri = uri.ok_or(Refusal::Unreadable("a link that is none"))?;
    let elsewhere = Refusal::Unreadable("a link that leads elsewhere");
    let path = decoded_path(uri.path()).ok_or(elsewhere)?;
    let is_plain = !path.split('/').any(|part| part == "..") && !path.contains(char::is_control);
    // `delta()` is the same function.
    let named = path.strip_suffix("()").unwrap_or(&path).to_ascii_lowercase();
    let is_ours = calendar.is_none_or(|calendar| !named.contains("/calendars") || path.contains(calendar));
    let fits = is_plain && path.starts_with(BELOW) && named.ends_with(ends) && is_ours;
    let query = uri.query().filter(|query| fits && !query.is_empty()).ok_or(elsewhere)?;
    Ok(Some(format!("{}?{query}", uri.path())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_below_the_api_is_taken_of_a_link() {
        let read = |link: &str| path(Lenient::Read(link.to_owned()), OF_ROUND, Some("AQ-_=="));
        for (link, expected) in [
            (
                "https://graph.microsoft.com/v1.0/me/calendars/AQ-_==/calendarView/delta?$skiptoken=a_b-c",
                Some("/v1.0/me/calendars/AQ-_==/calendarView/delta?$skiptoken=a_b-c"),
            ),
            (
                "https://elsewhere.example.com/v1.0/me/calendars('AQ-_%3D%3D')/calendarView/delta()?$deltatoken=a%2B",
                Some("/v1.0/me/calendars('AQ-_%3D%3D')/calendarView/delta()?$deltatoken=a%2B"),
            ),
            (
                "https://graph.microsoft.com/v1.0/me/calendarView/delta?$skiptoken=a",
                Some("/v1.0/me/calendarView/delta?$skiptoken=a"),
            ),
            ("https://graph.microsoft.com/v1.0/me/calendars/other/calendarView/delta?$skiptoken=a", None),
            ("https://graph.microsoft.com/v1.0/me/calendars/AQ-_==/events?$skiptoken=a", None),
            ("https://graph.microsoft.com/beta/me/calendars/AQ-_==/calendarView/delta?$skiptoken=a", None),
            ("https://graph.microsoft.com/v1.0/../x/AQ-_==/calendarView/delta?$skiptoken=a", None),
            ("https://graph.microsoft.com/v1.0/%2E%2E/AQ-_==/calendarView/delta?$skiptoken=a", None),
            ("https://graph.microsoft.com/v1.0/me/calendars/AQ-_==/calendarView/delta", None),
            ("a link", None),
            ("", None),
        ] {
            let read = read(link);
            assert_eq!(read.clone().ok().flatten().as_deref(), expected, "{link}");
            assert_eq!(read.is_err(), expected.is_none(), "{link}");
        }
        assert_eq!(path(Lenient::Missing, OF_ROUND, None), Ok(None));
        assert!(path(Lenient::Null, OF_ROUND, None).is_err() && path(Lenient::Odd, OF_ROUND, None).is_err());
        assert!(read(&format!("https://graph.microsoft.com/v1.0/calendarView/delta?{}", "a".repeat(LONGEST))).is_err());
    }
}
