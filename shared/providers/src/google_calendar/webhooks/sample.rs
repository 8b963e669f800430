//! Realistic headers, for samples and simulations.

use jiff::{SignedDuration, Timestamp};

use super::payload::{is_channel, is_number};
use hooktide_model::signing;

/// The life of a channel: Google's default.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The channel and the number of a message: those of a delivery id of Google's, else made of what is given. Also a
/// sample that opens a channel has a number of its own, where Google's has always 1: else a second would be a repeat.
pub(super) fn message(delivery: &str, account: &str) -> (String, String) {
    if let Some((channel, number)) = delivery.rsplit_once('/')
        && is_channel(channel)
        && is_number(number)
    {
        return (channel.to_owned(), number.to_owned());
    }
    (channel(account), number(delivery))
}

/// A channel's id, in the form of a UUID; the same for the same account.
fn channel(account: &str) -> String {
    let hash = signing::sha256_hex(account.as_bytes());
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}

/// A message's number, the same for the same text.
fn number(text: &str) -> String {
    let [a, b, c, d, e, f, ..] = signing::sha256(&[text.as_bytes()]);
    u64::from_be_bytes([0, 0, a, b, c, d, e, f]).saturating_add(1).to_string()
}

/// Google's id of the calendar that is watched.
pub(super) fn resource(account: &str) -> String {
    let hash = signing::sha256_hex(format!("resource of {account}").as_bytes());
    hash[..27].to_owned()
}

/// The time at which the channel ends, in the form of HTTP dates.
pub(super) fn expiration(now: Timestamp) -> String {
    now.checked_add(LIFE).unwrap_or(now).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_id_of_google_is_kept_and_any_other_text_makes_one() {
        assert_eq!(message("a/b/7", "x"), ("a/b".to_owned(), "7".to_owned()));
        for other in ["01JCF0000000000000000000A1", "", "/7", "a/", "a/b", "é/7", "a/-7", "a/123456789012345678901"] {
            let (made, number) = message(other, "somebody");
            assert!(is_channel(&made) && is_number(&number), "{other}");
            assert_eq!(message(&format!("{made}/{number}"), "another"), (made, number), "{other}");
        }
        assert_ne!(message("one", "x").1, message("two", "x").1);
    }

    #[test]
    fn a_channel_ends_a_week_later() {
        assert_eq!(expiration(Timestamp::UNIX_EPOCH), "Thu, 08 Jan 1970 00:00:00 GMT");
    }
}
