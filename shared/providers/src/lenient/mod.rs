//! Lenient reading: a field that is not needed to know what changed costs nobody a delivery, whatever its type.
//!
//! A [`Lenient`] field reads every JSON value. Values that can be read unambiguously are read (`12345` as the text
//! `"12345"`, `"7"` as the number 7); anything else is odd: left out of the document, and named in [`Unread`]. A body is
//! read once: nothing is parsed again because a field is odd.

mod field;
mod fields;

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

pub(super) use self::field::{Field, Minor};
pub(super) use self::fields::{Fields, fields, read};
use crate::json::unreadable;
use hooktide_model::fault::Fault;

/// The most fields that are named as unread; one line stands for any others.
const MOST_NAMED: usize = 20;

/// A field of any type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Lenient<T> {
    /// There is no such field.
    #[default]
    Missing,
    /// The field is `null`.
    Null,
    /// The field has a type that cannot be read unambiguously.
    Odd,
    /// The value.
    Read(T),
}

/// The fields that were not read, by their paths.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<String>);

impl Unread {
    /// Names a field.
    pub(super) fn note(&mut self, path: impl Display) {
        match self.0.len() {
            0..MOST_NAMED => self.0.push(path.to_string()),
            MOST_NAMED => self.0.push("and more".to_owned()),
            _ => {}
        }
    }

    /// The fields that were named.
    pub(super) fn into_paths(self) -> Vec<String> {
        self.0
    }
}

impl<T> Lenient<T> {
    /// Whether there is such a field, of whatever type.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// Whether the field is there, but has no value that can be read.
    pub(super) fn is_odd(&self) -> bool {
        matches!(self, Self::Odd)
    }

    /// The value, if it can be read. Names nothing as unread.
    pub(super) fn read(self) -> Option<T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Missing | Self::Null | Self::Odd => None,
        }
    }

    /// A reference to the value, if it can be read.
    pub(super) fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            Self::Missing | Self::Null | Self::Odd => None,
        }
    }

    /// The value of a field that may be left out or `null` to say that there is none; an odd one is named as unread.
    pub(super) fn or_note(self, unread: &mut Unread, path: impl Display) -> Option<T> {
        if self.is_odd() {
            unread.note(path);
        }
        self.read()
    }

    /// The value of a field that is always sent and may be `null`; an odd or missing one is named as unread.
    pub(super) fn sent_or_note(self, unread: &mut Unread, path: impl Display) -> Option<T> {
        if matches!(self, Self::Odd | Self::Missing) {
            unread.note(path);
        }
        self.read()
    }

    /// The value of a field that is always sent and never `null`; one that is odd, `null` or missing is named as unread.
    pub(super) fn value_or_note(self, unread: &mut Unread, path: impl Display) -> Option<T> {
        if !matches!(self, Self::Read(_)) {
            unread.note(path);
        }
        self.read()
    }

    /// The value of a field that is needed to know what changed.
    pub(super) fn needed(self, path: impl Display) -> Result<T, Fault> {
        match self {
            Self::Read(value) => Ok(value),
            Self::Missing => Err(unreadable(format!("there is no `{path}`"))),
            Self::Null | Self::Odd => Err(unreadable(format!("`{path}` is not of its type"))),
        }
    }

    /// The value of a field that is needed to know what changed, but may be missing or `null`.
    pub(super) fn needed_if_there(self, path: impl Display) -> Result<Option<T>, Fault> {
        match self {
            Self::Odd => Err(unreadable(format!("`{path}` is not of its type"))),
            Self::Missing | Self::Null | Self::Read(_) => Ok(self.read()),
        }
    }

    /// The value, if it passes this check; otherwise the field is odd.
    pub(super) fn fitting(self, fits: impl FnOnce(&T) -> bool) -> Self {
        match self {
            Self::Read(value) if !fits(&value) => Self::Odd,
            other => other,
        }
    }
}

impl<T> Lenient<Vec<T>> {
    /// The items of a list that is always sent. A value that is missing or not a list is noted as unread and has no items.
    pub(super) fn items_or_note(self, unread: &mut Unread, path: impl Display) -> Vec<T> {
        self.value_or_note(unread, path).unwrap_or_default()
    }
}

impl<'de, T: Field<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

/// Reads a value of any type.
struct Any<T>(PhantomData<T>);

impl<'de, T: Field<'de>> Visitor<'de> for Any<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Lenient<T>, E> {
        Ok(Lenient::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::truth(truth)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::integer(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::integer(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::fraction(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::text(text)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Lenient<T>, E> {
        Ok(read_or_odd(T::borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Lenient<T>, A::Error> {
        T::list(items).map(read_or_odd)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Lenient<T>, A::Error> {
        T::object(fields).map(read_or_odd)
    }
}

fn read_or_odd<T>(read: Option<T>) -> Lenient<T> {
    read.map_or(Lenient::Odd, Lenient::Read)
}

/// A `T` that must be written as a JSON object; serde's derived code would also accept an array of the fields' values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
            }
        }

        deserializer.deserialize_map(Only(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads<'de, T: Field<'de> + PartialEq + fmt::Debug>(cases: impl IntoIterator<Item = (&'de str, Option<T>)>) {
        for (json, expected) in cases {
            let read: Lenient<T> = serde_json::from_str(json).unwrap();
            assert_eq!(read.read(), expected, "{json}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_read_where_there_is_no_doubt() {
        let text = |text: &str| Some(text.to_owned());
        reads([
            (r#""a""#, text("a")),
            ("12345", text("12345")),
            ("-7", text("-7")),
            ("12.5", text("12.5")),
            ("19.00", text("19")),
            ("0.1", text("0.1")),
            ("1234567.891", text("1234567.891")),
            ("12345678901234567890123", None),
            ("0.1234567890123456", None),
            ("1e300", None),
            ("false", None),
            ("[]", None),
            (r#"{"a":{"b":[1]}}"#, None),
        ]);
        reads([
            ("7", Some(7_i64)),
            (r#""7""#, Some(7)),
            (r#""-7""#, Some(-7)),
            ("7.0", Some(7)),
            ("2.5", None),
            (r#""2.5""#, None),
            (r#""+7""#, None),
            (r#""""#, None),
            (r#""-""#, None),
            ("9223372036854775808", None),
            ("true", None),
        ]);
        reads([("7", Some(7_u64)), (r#""7""#, Some(7)), ("-7", None), (r#""x""#, None), (r#""""#, None)]);
        reads([
            ("1850", Some(Minor(1850))),
            (r#""1850""#, Some(Minor(1850))),
            ("-7", Some(Minor(-7))),
            ("999999999999999", Some(Minor(999_999_999_999_999))),
            ("1000000000000000", None),
            ("-9223372036854775808", None),
            ("10.00", None),
            ("10.50", None),
            (r#""10.00""#, None),
            ("1e3", None),
            (r#""1e3""#, None),
            ("9223372036854775808", None),
            ("true", None),
        ]);
        let list = |items: &[u64]| Some(items.iter().map(|item| Lenient::Read(*item)).collect::<Vec<_>>());
        reads([
            ("[5,6]", list(&[5, 6])),
            ("[]", list(&[])),
            (r#"{"0":5,"2":6}"#, list(&[5, 6])),
            (r#"{"0":7,"2":6,"0":5}"#, list(&[5, 6])),
            ("{}", None),
            (r#"{"0":5,"a":6}"#, None),
            (r#"{"a":5,"0":6}"#, None),
            ("7", None),
        ]);
    }

    #[test]
    fn what_is_odd_is_named_and_what_is_null_or_missing_only_where_it_never_is() {
        let mut unread = Unread::default();
        let given = [Lenient::Missing, Lenient::Null, Lenient::Odd, Lenient::Read(1)];
        for (number, field) in given.into_iter().enumerate() {
            field.clone().or_note(&mut unread, format_args!("a[{number}]"));
            field.clone().sent_or_note(&mut unread, format_args!("b[{number}]"));
            field.value_or_note(&mut unread, format_args!("c[{number}]"));
        }
        assert_eq!(unread.into_paths(), ["b[0]", "c[0]", "c[1]", "a[2]", "b[2]", "c[2]"]);
    }

    #[test]
    fn no_more_fields_are_named_than_anybody_reads() {
        let mut unread = Unread::default();
        (0..1_000).for_each(|number| unread.note(number));
        let paths = unread.into_paths();
        assert_eq!((paths.len(), paths[MOST_NAMED].as_str()), (MOST_NAMED + 1, "and more"));
    }

    #[test]
    fn what_is_needed_is_named_where_it_cannot_be_read() {
        let said = |field: Lenient<u64>| field.needed("images[2].id").unwrap_err().to_string();
        assert_eq!(said(Lenient::Missing), "unreadable: there is no `images[2].id`");
        assert_eq!(said(Lenient::Odd), "unreadable: `images[2].id` is not of its type");
        assert_eq!(Lenient::Read(7).needed("id"), Ok(7));
        assert_eq!(Lenient::<u64>::Null.needed_if_there("id"), Ok(None));
        assert!(Lenient::<u64>::Odd.needed_if_there("id").is_err());
    }
}
