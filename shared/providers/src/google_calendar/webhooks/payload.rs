//! Google's messages: headers, and nothing else.

use jiff::fmt::rfc2822::DateTimeParser;

use crate::google_calendar::channel::{Opened, latest};
use crate::json::unreadable;
use crate::verified::Verified;
use hooktide_model::fault::Fault;

/// The longest id of a channel that Google takes.
const LONGEST_CHANNEL: usize = 64;
/// The longest id of what a channel watches that is believed to be Google's.
const LONGEST_RESOURCE: usize = 256;
/// Digits of the largest message number: it is a 64-bit integer at most.
const LONGEST_NUMBER: usize = 20;

/// A message.
pub(super) struct Message<'a> {
    /// The channel's id, which is ours.
    pub(super) channel: &'a str,
    /// Which of the channel's messages it is.
    pub(super) number: &'a str,
    /// The topic.
    pub(super) state: &'a str,
}

impl<'a> Message<'a> {
    /// Reads the headers; a [`Fault::Permanent`] if one of them is missing or of another form.
    pub(super) fn of(verified: &'a Verified) -> Result<Self, Fault> {
        let header = |name, is_well: fn(&str) -> bool| {
            let value = verified.header(name).filter(|value| is_well(value));
            value.ok_or_else(|| unreadable(format!("`{name}` is not of its form")))
        };
        Ok(Self {
            channel: header(super::CHANNEL, is_channel)?,
            number: header(super::NUMBER, is_number)?,
            state: header(super::STATE, |state| !state.is_empty())?,
        })
    }

    /// The message among all messages of all channels: a retry has the same number.
    pub(super) fn identity(&self) -> String {
        [self.channel, "/", self.number].concat()
    }
}

/// The channel of a message, as the steps of a subscription know it; `None` if the message does not say what it watches.
pub(super) fn opened(verified: &Verified, message: &Message<'_>) -> Option<String> {
    let is_resource = |text: &&str| (1..=LONGEST_RESOURCE).contains(&text.len()) && text.bytes().all(is_visible);
    let resource = verified.header(super::RESOURCE).filter(is_resource)?.to_owned();
    let ends_at = verified.header(super::EXPIRATION).and_then(|at| DateTimeParser::new().parse_timestamp(at).ok());
    let ends_at = ends_at.unwrap_or_else(|| latest(verified.received_at()));
    Some(Opened { channel: message.channel.to_owned(), resource, ends_at }.to_string())
}

/// Whether a text can be a channel's id.
pub(super) fn is_channel(text: &str) -> bool {
    (1..=LONGEST_CHANNEL).contains(&text.len()) && text.bytes().all(is_visible)
}

/// Whether a text can be a message's number.
pub(super) fn is_number(text: &str) -> bool {
    (1..=LONGEST_NUMBER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic()
}
