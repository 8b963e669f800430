//! Our own documents as others write them: each field of any type.

use jiff::Timestamp;

use crate::lenient::{Lenient, Minor, Object, fields};

fields! {
    /// A product, each field as it is written.
    pub(super) struct WrittenProduct {
        pub(super) id: Lenient<String>,
        pub(super) title: Lenient<String>,
        pub(super) status: Lenient<String>,
        pub(super) updated_at: Lenient<Timestamp>,
        pub(super) variants: Lenient<Vec<Lenient<Object<WrittenVariant>>>>,
        pub(super) images: Lenient<Vec<Lenient<Object<WrittenImage>>>>,
    }
}

fields! {
    /// A variant, each field as it is written.
    pub(super) struct WrittenVariant {
        pub(super) id: Lenient<String>,
        pub(super) sku: Lenient<String>,
        pub(super) barcode: Lenient<String>,
        pub(super) price: Lenient<String>,
        pub(super) currency: Lenient<String>,
        pub(super) stock: Lenient<i64>,
    }
}

fields! {
    /// An image, each field as it is written.
    pub(super) struct WrittenImage {
        pub(super) id: Lenient<String>,
        pub(super) url: Lenient<String>,
    }
}

fields! {
    /// A count, each field as it is written.
    pub(super) struct WrittenStock {
        pub(super) variant: Lenient<String>,
        pub(super) location: Lenient<String>,
        pub(super) state: Lenient<String>,
        pub(super) quantity: Lenient<String>,
        pub(super) updated_at: Lenient<Timestamp>,
    }
}

fields! {
    /// A transaction, each field as it is written.
    pub(super) struct WrittenTransaction {
        pub(super) id: Lenient<String>,
        pub(super) sort: Lenient<String> = "type",
        pub(super) former_sort: Lenient<String> = "kind",
        pub(super) status: Lenient<String>,
        pub(super) amount_minor: Lenient<Minor>,
        pub(super) former_amount: Lenient<Minor> = "amount",
        pub(super) currency: Lenient<String>,
        pub(super) payment_type: Lenient<String>,
        pub(super) reference: Lenient<String>,
        pub(super) company: Lenient<String>,
        pub(super) former_company: Lenient<String> = "account",
        pub(super) occurred_at: Lenient<Timestamp>,
        pub(super) updated_at: Lenient<Timestamp>,
    }
}

fields! {
    /// An account, each field as it is written.
    pub(super) struct WrittenAccount {
        pub(super) id: Lenient<String>,
        pub(super) status: Lenient<String>,
        pub(super) reference: Lenient<String>,
        pub(super) updated_at: Lenient<Timestamp>,
    }
}
