//! Signed deliveries as bytes to send: each with its own id and version, about many entities.

use std::ops::Range;
use std::time::Duration;

use hooktide_tests::world::Shop;
use http::Request;
use jiff::Timestamp;

use crate::bodies;

/// The size of a body, in bytes.
pub(crate) const SIZE: usize = 4 * 1024;
/// How many products they are about.
const ENTITIES: u64 = 20_000;
/// The time of the first version.
const FIRST: Timestamp = Timestamp::constant(1_767_600_000, 0);

/// Makes deliveries of one shop.
pub(crate) struct Deliveries {
    shop: Shop,
    text: String,
    id: String,
}

impl Deliveries {
    /// Deliveries of this shop.
    pub(crate) fn of(shop: Shop) -> Self {
        let text = bodies::product(&shop.account, 0, FIRST, SIZE);
        let id = text.split("\"id\":").filter_map(|rest| rest.split([',', '}']).next()).min_by_key(|id| id.len());
        Self { id: id.expect("the product's id").to_owned(), text, shop }
    }

    /// The bytes of the deliveries of these numbers, each with `more` as further header lines.
    pub(crate) fn requests(&self, numbers: Range<u64>, more: impl Fn(&[u8]) -> String) -> Vec<Vec<u8>> {
        numbers.map(|number| self.request(number, &more)).collect()
    }

    fn request(&self, number: u64, more: impl Fn(&[u8]) -> String) -> Vec<u8> {
        let entity = self.id.parse::<u64>().expect("a number") + number % ENTITIES;
        let version = FIRST + Duration::from_secs(number / ENTITIES + 1);
        let body = self.text.replace(&self.id, &entity.to_string());
        let body = body.replace(&FIRST.to_string(), &version.to_string());
        // Each version is newer than the one before it.
        let body = body.replacen("First flush No. 0", &format!("Flush No {number:08}"), 1);
        let signed = self.shop.signed("products/update", &format!("delivery-{number:012}"), body);
        let further = more(signed.body());
        bytes_of(&signed, &further)
    }
}

fn bytes_of(request: &Request<bytes::Bytes>, further: &str) -> Vec<u8> {
    let mut head = format!("POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\n{further}", request.uri().path());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    [head.as_bytes(), request.body()].concat()
}
