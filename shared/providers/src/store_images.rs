//! Images as shop systems write them: a number and an address each.

use super::lenient::{Lenient, Object, Unread, fields};
use hooktide_model::product::Image;

fields! {
    /// An image of a product.
    pub(super) struct StoreImage {
        id: Lenient<u64>,
        src: Lenient<String>,
    }
}

/// Reads a product's `images` one by one. One without a number or an address is noted and left out.
pub(super) fn read_images(images: Lenient<Vec<Lenient<Object<StoreImage>>>>, unread: &mut Unread) -> Vec<Image> {
    let mut read = Vec::new();
    for (at, image) in images.items_or_note(unread, "images").into_iter().enumerate() {
        let Some(Object(image)) = image.value_or_note(unread, format_args!("images[{at}]")) else { continue };
        let Some(id) = image.id.read() else {
            unread.note(format_args!("images[{at}].id"));
            continue;
        };
        if let Some(url) = image.src.value_or_note(unread, format_args!("images[{at}].src")) {
            read.push(Image { id: id.to_string(), url });
        }
    }
    read
}
