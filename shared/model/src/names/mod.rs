//! Names that never change: users, records and metrics rely on them.

mod access;
mod change;
mod period;
mod reading;
mod work;

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

pub use self::access::{ProblemType, Scope};
pub use self::change::{Channel, Kind, Operation, Outcome, Via};
pub use self::period::Period;
pub use self::reading::{
    AddressHealth, CredentialsState, FeedMode, ModeSource, ReadOutcome, ResourceMode, SubscriptionState, SyncMode,
};
pub use self::work::{BlockState, MarkReason, PrivacyAct};

macro_rules! names {
    ($(#[doc = $about:literal])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in their documented order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        // The derived one knows the variants, and not the names that a macro gives them.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::names::described(&[$($about),*], Self::ALL.iter().map(|one| one.as_str()))
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

use names;

/// The description of a text that is one of these.
fn described(about: &[&str], names: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let about: Vec<&str> = about.iter().map(|line| line.trim()).collect();
    let text = ObjectBuilder::new().schema_type(Type::String).description(Some(about.join("\n")));
    text.enum_values(Some(names)).into()
}
