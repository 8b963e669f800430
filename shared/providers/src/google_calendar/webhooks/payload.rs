//! Google's messages: headers, and nothing else.

use crate::json::unreadable;
use crate::verified::Verified;
use hooktide_model::fault::Fault;

/// The longest id of a channel that Google takes.
const LONGEST_CHANNEL: usize = 64;
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

/// Whether a text can be a channel's id.
pub(super) fn is_channel(text: &str) -> bool {
    (1..=LONGEST_CHANNEL).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text can be a message's number.
pub(super) fn is_number(text: &str) -> bool {
    (1..=LONGEST_NUMBER).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
