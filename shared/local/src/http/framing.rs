//! What a request's header says of its body's length. A header that gives two (`Content-Length` and
//! `Transfer-Encoding`) is read in two ways by whoever stands in between, and how a request is smuggled through.
//! hyper goes by one of them and hides the other, so it is looked for here, in the bytes.

/// The longer one of the names that are looked for, with its colon.
const LONGEST: usize = b"transfer-encoding:".len();

/// Reads a header as it comes, keeping no more of it than the beginning of a line.
#[derive(Debug, Default)]
pub(super) struct Framing {
    line: [u8; LONGEST],
    /// How long the line is so far.
    length: usize,
    content_length: bool,
    transfer_encoding: bool,
    begun: bool,
    ended: bool,
}

impl Framing {
    /// Reads on, to the header's end.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.ended => return,
                b'\r' => {}
                b'\n' => self.end_line(),
                byte => {
                    if let Some(place) = self.line.get_mut(self.length) {
                        *place = byte.to_ascii_lowercase();
                    }
                    self.length += 1;
                    self.begun = true;
                }
            }
        }
    }

    /// Whether nothing has come.
    pub(super) fn is_empty(&self) -> bool {
        !self.begun
    }

    /// Whether two lengths were given.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.content_length && self.transfer_encoding
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.length.min(LONGEST)];
        self.content_length |= line.starts_with(b"content-length:");
        self.transfer_encoding |= line.starts_with(b"transfer-encoding:");
        // Empty lines before the first one are passed over.
        self.ended = self.length == 0 && self.begun;
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_two_lengths_is_noticed_however_it_comes() {
        for (header, ambiguous) in [
            ("POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", true),
            ("\r\nPOST / HTTP/1.1\nTRANSFER-encoding:chunked\na: b\nContent-LENGTH: 3\n\n", true),
            ("POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\ntransfer-encoding: chunked\r\n\r\n", false),
            ("POST /content-length: HTTP/1.1\r\nx-content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", false),
            ("POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\n", false),
            ("POST / HTTP/1.1\r\ntransfer-encodings: a\r\ncontent-length: 3\r\n\r\n", false),
        ] {
            for size in [1, 7, header.len()] {
                let mut framing = Framing::default();
                assert!(framing.is_empty());
                header.as_bytes().chunks(size).for_each(|bytes| framing.read(bytes));
                assert_eq!(framing.is_ambiguous(), ambiguous, "{header:?}");
                assert!(!framing.is_empty());
            }
        }
    }
}
