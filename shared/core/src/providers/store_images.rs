//! Images as shop systems write them: a number and an address each.

use serde::Deserialize;

use super::lenient::{Lenient, Object, Unread};
use crate::product::Image;

/// An image of a product.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct StoreImage {
    id: Lenient<u64>,
    src: Lenient<String>,
}

/// Reads a product's `images` one by one. One without a number is noted and left out, and so is one without an address.
pub(super) fn read_images(images: Lenient<Vec<Lenient<Object<StoreImage>>>>, unread: &mut Unread) -> Vec<Image> {
    let mut read = Vec::new();
    for (at, image) in images.items_or_note(unread, "images").into_iter().enumerate() {
        let Some(Object(image)) = image.value_or_note(unread, format_args!("images[{at}]")) else { continue };
        let Some(id) = image.id.read() else {
            unread.note(format_args!("images[{at}].id"));
            continue;
        };
        if let Some(url) = image.src.or_note(unread, format_args!("images[{at}].src")) {
            read.push(Image { id: id.to_string(), url });
        }
    }
    read
}
