//! Cursors of the list of what waits.

use data_encoding::BASE64URL_NOPAD;

use crate::answer::{Answer, Refused};

/// The place where a page ended: in the order of the list, jobs, then what is held by endpoints with many accounts, then by those of
/// connections.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the job mark that sorts so.
    Job(String),
    /// At an account of the shared endpoint whose reference sorts so; before all of them if it is empty.
    Shared(String, String),
    /// At an account held by the own endpoint of this connection; before all of them if it is empty.
    Own(String, String),
}

impl Place {
    pub(super) fn to_text(&self) -> String {
        let text = match self {
            Self::Job(sort) => format!("job\n{sort}"),
            Self::Shared(reference, account) => format!("shared\n{reference}\n{account}"),
            Self::Own(connection, account) => format!("own\n{connection}\n{account}"),
        };
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    pub(super) fn parse(text: &str) -> Answer<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        match text.splitn(3, '\n').collect::<Vec<_>>()[..] {
            ["job", sort] => Ok(Self::Job(sort.to_owned())),
            ["shared", reference, account] => Ok(Self::Shared(reference.to_owned(), account.to_owned())),
            ["own", connection, account] => Ok(Self::Own(connection.to_owned(), account.to_owned())),
            _ => Err(Refused::invalid("after", "it is not the `next` of an earlier answer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_any_other_text_is_refused() {
        for place in [
            Place::Job("sync#stock/c".into()),
            Place::Shared("shopify#e".into(), "a.example.com".into()),
            Place::Own("c".into(), String::new()),
        ] {
            assert_eq!(Place::parse(&place.to_text()).unwrap(), place);
        }
        for text in ["", "x", "am9i", "\u{fc}"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
