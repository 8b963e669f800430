//! How large DynamoDB takes an item to be:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.

use crate::ports::{AttributeValue, Item};

/// The size of an item in bytes: its attributes' names and values.
pub fn item_size(item: &Item) -> u64 {
    item.iter().map(|(name, value)| name.len() as u64 + value_size(value)).sum()
}

/// The size of a value in bytes.
pub fn value_size(value: &AttributeValue) -> u64 {
    /// What a list or a map costs in itself, and what each of its elements does.
    const NESTING: u64 = 3;
    const ELEMENT: u64 = 1;
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(bytes) => bytes.len() as u64,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::Ss(texts) => texts.iter().map(|text| text.len() as u64).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| number_size(number)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|bytes| bytes.len() as u64).sum(),
        AttributeValue::L(list) => NESTING + list.iter().map(|value| ELEMENT + value_size(value)).sum::<u64>(),
        AttributeValue::M(map) => {
            NESTING + map.iter().map(|(name, value)| ELEMENT + name.len() as u64 + value_size(value)).sum::<u64>()
        }
    }
}

/// A byte for each two significant digits and one more; another one for the sign.
fn number_size(number: &str) -> u64 {
    let (negative, magnitude) = match number.strip_prefix('-') {
        Some(magnitude) => (1, magnitude),
        None => (0, number),
    };
    let mantissa = magnitude.split(['e', 'E']).next().unwrap_or_default();
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let significant =
        match (digits.iter().position(|digit| *digit != b'0'), digits.iter().rposition(|digit| *digit != b'0')) {
            (Some(first), Some(last)) => (last - first + 1) as u64,
            _ => return 1,
        };
    significant.div_ceil(2) + 1 + negative
}
