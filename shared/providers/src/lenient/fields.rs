//! Objects by the names of their fields. A name that is written twice counts where it is last, as PHP and JavaScript read it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// An object whose fields are read one by one, by their names.
pub(crate) trait Fields<'de>: Default {
    /// Reads the field of that name from `map`, or passes over it.
    fn set<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads an object, and nothing else.
pub(crate) fn read<'de, T: Fields<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Whole(PhantomData))
}

struct Whole<T>(PhantomData<T>);

impl<'de, T: Fields<'de>> Visitor<'de> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut read = T::default();
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            read.set(&name, &mut map)?;
        }
        Ok(read)
    }
}

/// The name of a field, copied only where it is written with escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
        }

        deserializer.deserialize_identifier(Text)
    }
}

/// Declares a struct that is read from an object: each field with its name in JSON, where that is another than its own, or
/// several, of which the last in the body counts. What is not there is the default.
macro_rules! fields {
    (names $field:ident) => { stringify!($field) };
    (names $field:ident $($name:literal)|+) => { $($name)|+ };
    (
        $(#[$($about:tt)*])*
        $vis:vis struct $struct:ident $(<$life:lifetime>)? {
            $($(#[$($doc:tt)*])* $at:vis $field:ident: $type:ty $(= $($name:literal)|+)?,)*
        }
    ) => {
        $(#[$($about)*])*
        #[derive(Default)]
        $vis struct $struct $(<$life>)? {
            $($(#[$($doc)*])* $at $field: $type,)*
        }

        impl<'de $(: $life, $life)?> $crate::lenient::Fields<'de> for $struct $(<$life>)? {
            fn set<A: serde::de::MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
                match name {
                    $(fields!(names $field $($($name)|+)?) => self.$field = map.next_value()?,)*
                    _ => _ = map.next_value::<serde::de::IgnoredAny>()?,
                }
                Ok(())
            }
        }

        impl<'de $(: $life, $life)?> serde::Deserialize<'de> for $struct $(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::lenient::read(deserializer)
            }
        }
    };
}
pub(crate) use fields;

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use crate::lenient::{Lenient, Object};

    fields! {
        struct Body<'a> {
            sku: Lenient<String> = "sku" | "Sku",
            inner: Lenient<Object<Inner>>,
            raw: Option<&'a RawValue>,
        }
    }

    fields! {
        struct Inner {
            id: Lenient<u64>,
        }
    }

    #[test]
    fn a_field_that_is_written_twice_counts_where_it_stands_last() {
        for (json, expected) in [
            (r#"{"sku":"a","id":0}"#, (Some("a"), None, None)),
            (r#"{"sku":"a","sku":"b"}"#, (Some("b"), None, None)),
            (r#"{"Sku":"a","sku":"b"}"#, (Some("b"), None, None)),
            (r#"{"sku":"a","Sku":["b"]}"#, (None, None, None)),
            (r#"{"s\u006bu":"a"}"#, (Some("a"), None, None)),
            (r#"{"inner":{"id":1},"inner":{"id":2,"id":3},"other":[{}]}"#, (None, Some(3), None)),
            (r#"{"inner":{"id":1},"inner":{}}"#, (None, None, None)),
            (r#"{"raw":1,"raw": [2]}"#, (None, None, Some("[2]"))),
            ("{}", (None, None, None)),
        ] {
            let body: Body<'_> = serde_json::from_str(json).unwrap();
            let inner = body.inner.as_ref().and_then(|Object(inner)| inner.id.as_ref().copied());
            let raw = body.raw.map(RawValue::get);
            assert_eq!((body.sku.as_ref().map(String::as_str), inner, raw), expected, "{json}");
        }
        for json in ["7", "[]", r#"["a",{"id":1}]"#, r#"{"sku":"a""#] {
            assert!(serde_json::from_str::<Body<'_>>(json).is_err(), "{json}");
        }
    }
}
