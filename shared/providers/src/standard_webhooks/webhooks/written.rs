//! Our own documents as others write them: each field of any type.

use jiff::Timestamp;

use crate::lenient::{Lenient, Minor, Object, fields};

fields! {
    /// A product, each field as it is written.
    pub(super) struct WrittenProduct {
        pub(super) id: Lenient<String> = "id",
        pub(super) title: Lenient<String> = "title",
        pub(super) status: Lenient<String> = "status",
        pub(super) updated_at: Lenient<Timestamp> = "updated_at",
        pub(super) variants: Lenient<Vec<Lenient<Object<WrittenVariant>>>> = "variants",
        pub(super) images: Lenient<Vec<Lenient<Object<WrittenImage>>>> = "images",
    }
}

fields! {
    /// A variant, each field as it is written.
    pub(super) struct WrittenVariant {
        pub(super) id: Lenient<String> = "id",
        pub(super) sku: Lenient<String> = "sku",
        pub(super) barcode: Lenient<String> = "barcode",
        pub(super) price: Lenient<String> = "price",
        pub(super) currency: Lenient<String> = "currency",
        pub(super) stock: Lenient<i64> = "stock",
    }
}

fields! {
    /// An image, each field as it is written.
    pub(super) struct WrittenImage {
        pub(super) id: Lenient<String> = "id",
        pub(super) url: Lenient<String> = "url",
    }
}

fields! {
    /// A count, each field as it is written.
    pub(super) struct WrittenStock {
        pub(super) variant: Lenient<String> = "variant",
        pub(super) location: Lenient<String> = "location",
        pub(super) state: Lenient<String> = "state",
        pub(super) quantity: Lenient<String> = "quantity",
        pub(super) updated_at: Lenient<Timestamp> = "updated_at",
    }
}

fields! {
    /// A transaction, each field as it is written.
    pub(super) struct WrittenTransaction {
        pub(super) id: Lenient<String> = "id",
        pub(super) kind: Lenient<String> = "kind",
        pub(super) status: Lenient<String> = "status",
        pub(super) amount: Lenient<Minor> = "amount",
        pub(super) currency: Lenient<String> = "currency",
        pub(super) payment_type: Lenient<String> = "payment_type",
        pub(super) reference: Lenient<String> = "reference",
        pub(super) account: Lenient<String> = "account",
        pub(super) updated_at: Lenient<Timestamp> = "updated_at",
    }
}

fields! {
    /// An account, each field as it is written.
    pub(super) struct WrittenAccount {
        pub(super) id: Lenient<String> = "id",
        pub(super) status: Lenient<String> = "status",
        pub(super) reference: Lenient<String> = "reference",
        pub(super) updated_at: Lenient<Timestamp> = "updated_at",
    }
}
