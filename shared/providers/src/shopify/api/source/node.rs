//! A product as the API writes it, and a deletion.

use jiff::Timestamp;

use crate::lenient::{Lenient, Object, Unread, fields};
use crate::shopify::api::number_of;
use crate::shopify::api::pages::{List, Rows};
use crate::shopify::product::{Content, ShopifyVariant, deleted, variants};
use hooktide_model::notice::EntityNotice;
use hooktide_model::product::Image;

fields! {
    /// A product.
    pub(super) struct ProductNode {
        id: Lenient<u64>,
        title: Lenient<String>,
        status: Lenient<String>,
        updated_at: Lenient<Timestamp>,
        variants: Lenient<Object<List<ShopifyVariant>>>,
        images: Lenient<Object<List<ImageNode>>>,
        variants_count: Lenient<Object<Count>>,
    }
}

fields! {
    struct Count {
        count: Lenient<u64>,
    }
}

fields! {
    struct ImageNode {
        id: Lenient<String>,
        url: Lenient<String>,
    }
}

fields! {
    /// An entry of a shop's log.
    pub(super) struct EventNode {
        action: Lenient<String>,
        subject_type: Lenient<String> = "subjectType",
        subject: Lenient<String> = "subjectId",
        created_at: Lenient<Timestamp> = "createdAt",
    }
}

/// What a product of a page is.
pub(super) enum Item {
    /// All of it.
    Whole(Box<EntityNotice>),
    /// The beginning of one that has more variants or images, by its id.
    Lacks(u64),
    /// One that cannot be read, by its id if that can be, with the reason.
    Odd(Option<u64>, &'static str),
}

/// How much of a product is there to read.
pub(super) enum Shown {
    /// As much as a page of a list shows of it.
    OnPage,
    /// As much as the first page of its variants shows.
    Alone,
    /// All pages of its variants.
    With(Rest),
}

/// The further pages of the variants of a product.
#[derive(Default)]
pub(super) struct Rest {
    /// Their variants.
    pub(super) variants: Rows<ShopifyVariant>,
    /// Whether there are more of them.
    pub(super) has_more: bool,
    /// The earliest time of the product's last change that one of them says.
    pub(super) updated_at: Option<Timestamp>,
}

impl ProductNode {
    /// The id and the time.
    pub(super) fn mark(&self) -> (Option<u64>, Option<Timestamp>) {
        (self.id.as_ref().copied(), self.updated_at.as_ref().copied())
    }

    /// How many variants it has, by its own count.
    pub(super) fn variants_count(&self) -> Option<u64> {
        self.variants_count.as_ref().and_then(|Object(count)| count.count.as_ref().copied())
    }

    /// The token of its second page of variants, if it has one.
    pub(super) fn second_page(&self) -> Option<String> {
        self.variants.as_ref().and_then(|Object(page)| page.next(None).ok().flatten())
    }

    /// The product, of which so much is shown.
    pub(super) fn read(self, shown: Shown) -> Item {
        let (Some(id), Some(updated_at)) = self.mark() else {
            return Item::Odd(self.id.read(), "it has no id or no time of its last change");
        };
        let mut unread = Unread::default();
        let title = self.title.value_or_note(&mut unread, "title");
        // Webhooks have it in lower case.
        let status = self.status.value_or_note(&mut unread, "status").map(|status| status.to_lowercase());
        let variant_page = self.variants.value_or_note(&mut unread, "variants");
        let image_page = self.images.value_or_note(&mut unread, "images");
        let more_variants = variant_page.as_ref().is_some_and(|Object(page)| page.has_more());
        let more_images = image_page.as_ref().is_some_and(|Object(page)| page.has_more());
        let rest = match shown {
            Shown::OnPage if more_variants || more_images => return Item::Lacks(id),
            Shown::OnPage | Shown::Alone => Rest { has_more: more_variants, ..Rest::default() },
            Shown::With(rest) => rest,
        };
        for (more, path) in [(rest.has_more, "variants"), (more_images, "images")] {
            more.then(|| unread.note(path));
        }
        let rows = match variant_page.map(|Object(page)| page.nodes()) {
            Some(Lenient::Read(mut rows)) => {
                rows.extend(rest.variants);
                Some(Lenient::Read(rows))
            }
            other => other,
        };
        let variants = rows.map(|rows| variants(rows, &mut unread)).unwrap_or_default();
        let images = image_page.map(|Object(page)| images(page.nodes(), &mut unread)).unwrap_or_default();
        // Pages that are asked for one after the other may tell of several states; the whole is no newer than the oldest.
        let updated_at = rest.updated_at.map_or(updated_at, |earliest| earliest.min(updated_at));
        Item::Whole(Box::new(Content { title, status, variants, images, unread }.entity(id, updated_at)))
    }
}

/// The images of a product, one by one, by the numbers that webhooks give them.
fn images(nodes: Lenient<Rows<ImageNode>>, unread: &mut Unread) -> Vec<Image> {
    let mut read = Vec::new();
    for (at, image) in nodes.items_or_note(unread, "images").into_iter().enumerate() {
        let Some(Object(image)) = image.value_or_note(unread, format_args!("images[{at}]")) else { continue };
        let Some(id) = image.id.read().and_then(|gid| number_of(&gid, "ProductImage")) else {
            unread.note(format_args!("images[{at}].id"));
            continue;
        };
        if let Some(url) = image.url.value_or_note(unread, format_args!("images[{at}].src")) {
            read.push(Image { id: id.to_string(), url });
        }
    }
    read
}

impl EventNode {
    /// The deletion of a product, if it is one.
    pub(super) fn deletion(self) -> Option<EntityNotice> {
        let is = |text: &Lenient<String>, expected: &str| text.as_ref().is_some_and(|text| text == expected);
        if !is(&self.action, "destroy") || !is(&self.subject_type, "PRODUCT") {
            return None;
        }
        let id = number_of(&self.subject.read()?, "Product")?;
        Some(deleted(id, self.created_at.read()))
    }
}
