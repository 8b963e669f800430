//! An input as a request: the form of the recorded ones, but whatever the bytes are.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use jiff::Timestamp;

/// When an input comes that does not say it: 2026-11-23T12:00:00Z.
pub(super) const NOW: i64 = 1_795_435_200;
/// From 2001 to 2096: a clock may be wrong, but not by ages.
const CLOCKS: std::ops::Range<i64> = 1_000_000_000..4_000_000_000;

/// A request, and when it comes.
pub(super) struct Attempt {
    pub(super) request: Request<Bytes>,
    pub(super) url: String,
    pub(super) now: Timestamp,
}

impl Attempt {
    /// Reads `<method> <address> <seconds>`, lines of headers, an empty line, and the body. What is not of that form is left out.
    pub(super) fn read(input: &[u8]) -> Self {
        let blank = input.windows(2).position(|two| two == b"\n\n");
        let (head, body) = blank.map_or((input, &b""[..]), |at| (&input[..at], &input[at + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let mut first = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
        let mut word = || first.next().unwrap_or_default();
        let method = Method::from_bytes(word()).unwrap_or(Method::POST);
        let uri = Uri::try_from(word()).unwrap_or_default();
        let seconds = std::str::from_utf8(word()).ok().and_then(|word| word.parse().ok());
        let mut request = Request::new(Bytes::copy_from_slice(body));
        for line in lines {
            let Some(colon) = line.windows(2).position(|two| two == b": ") else { continue };
            let (name, value) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 2..]));
            if let (Ok(name), Ok(value)) = (name, value) {
                request.headers_mut().append(name, value);
            }
        }
        let url = uri.to_string().split('?').next().unwrap_or_default().to_owned();
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        Self { request, url, now: clock(seconds) }
    }
}

/// A time that a clock may show.
pub(super) fn clock(seconds: Option<i64>) -> Timestamp {
    let seconds = seconds.filter(|seconds| CLOCKS.contains(seconds)).unwrap_or(NOW);
    Timestamp::from_second(seconds).expect("a time within this century")
}
