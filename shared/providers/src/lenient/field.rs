//! Types of fields, and the JSON types that each can be read from without a doubt.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::Object;

/// The longest number that is read as a text, in digits: more are not exact as floating-point numbers.
const MOST_DIGITS: usize = 15;

/// A type of fields: what of each JSON type it can be read from without a doubt.
pub(crate) trait Field<'de>: Sized {
    /// A text.
    fn text(_text: &str) -> Option<Self> {
        None
    }

    /// A text that lives as long as the body.
    fn borrowed(text: &'de str) -> Option<Self> {
        Self::text(text)
    }

    /// A number without a fraction.
    fn integer(_number: i128) -> Option<Self> {
        None
    }

    /// A number with a fraction, or a very large one.
    fn fraction(_number: f64) -> Option<Self> {
        None
    }

    /// A truth value.
    fn truth(_truth: bool) -> Option<Self> {
        None
    }

    /// A list.
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// An object.
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de> Field<'de> for String {
    fn text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn integer(number: i128) -> Option<Self> {
        Some(number.to_string())
    }

    fn fraction(number: f64) -> Option<Self> {
        let text = number.to_string();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        (number.is_finite() && digits <= MOST_DIGITS).then_some(text)
    }
}

impl<'de: 'a, 'a> Field<'de> for Cow<'a, str> {
    fn text(text: &str) -> Option<Self> {
        String::text(text).map(Cow::Owned)
    }

    fn borrowed(text: &'de str) -> Option<Self> {
        Some(Cow::Borrowed(text))
    }

    fn integer(number: i128) -> Option<Self> {
        String::integer(number).map(Cow::Owned)
    }

    fn fraction(number: f64) -> Option<Self> {
        String::fraction(number).map(Cow::Owned)
    }
}

impl<'de> Field<'de> for i64 {
    fn text(text: &str) -> Option<Self> {
        // `parse` alone would take a plus sign as well.
        let digits = text.strip_prefix('-').unwrap_or(text);
        text.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn integer(number: i128) -> Option<Self> {
        number.try_into().ok()
    }

    fn fraction(number: f64) -> Option<Self> {
        // `7.0` is 7. The text of a whole number has no point in it.
        String::fraction(number).and_then(|text| Self::text(&text))
    }
}

/// The largest amount of money, in minor units.
const MOST_MINOR: i64 = 999_999_999_999_999;

/// An amount of money in minor units (cents). One that is written with a point or an exponent is not in minor units without a
/// doubt: `10.00` may be ten of the currency. Amounts of more than fifteen digits are none, so that sums of many stay exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minor(pub(crate) i64);

fn is_money(amount: &i64) -> bool {
    (-MOST_MINOR..=MOST_MINOR).contains(amount)
}

impl<'de> Field<'de> for Minor {
    fn text(text: &str) -> Option<Self> {
        i64::text(text).filter(is_money).map(Self)
    }

    fn integer(number: i128) -> Option<Self> {
        i64::integer(number).filter(is_money).map(Self)
    }
}

impl<'de> Field<'de> for u64 {
    fn text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn integer(number: i128) -> Option<Self> {
        number.try_into().ok()
    }

    fn fraction(number: f64) -> Option<Self> {
        String::fraction(number).and_then(|text| Self::text(&text))
    }
}

impl<'de> Field<'de> for bool {
    fn truth(truth: bool) -> Option<Self> {
        Some(truth)
    }

    fn text(text: &str) -> Option<Self> {
        match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

impl<'de> Field<'de> for Timestamp {
    fn text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Anything but `null`: whether it is there is all that counts.
impl<'de> Field<'de> for IgnoredAny {
    fn text(_: &str) -> Option<Self> {
        Some(Self)
    }

    fn integer(_: i128) -> Option<Self> {
        Some(Self)
    }

    fn fraction(_: f64) -> Option<Self> {
        Some(Self)
    }
}

/// Lists are read item by item. An object whose keys are all numbers is a list as well: some languages write
/// one from which items were taken so.
impl<'de, T: Deserialize<'de>> Field<'de> for Vec<T> {
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::new();
        while let Some(item) = items.next_element()? {
            read.push(item);
        }
        Ok(Some(read))
    }

    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Option<Self>, A::Error> {
        let mut read = Some(Self::new());
        let mut places = BTreeMap::new();
        while let Some(key) = fields.next_key::<String>()? {
            let numbered = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
            let Some(read) = read.as_mut().filter(|_| numbered) else {
                fields.next_value::<IgnoredAny>()?;
                read = None;
                continue;
            };
            // A number that is written twice counts where it is last.
            match places.get(&key).and_then(|place| read.get_mut(*place)) {
                Some(item) => *item = fields.next_value()?,
                None => {
                    places.insert(key, read.len());
                    read.push(fields.next_value()?);
                }
            }
        }
        Ok(read.filter(|read| !read.is_empty()))
    }
}

impl<'de, T: Deserialize<'de>> Field<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(|read| Some(Self(read)))
    }
}
