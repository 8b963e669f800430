//! The parameters that a product takes, with their types: a single write with another type is refused as a whole.

use serde_json::{Map, Value};

use super::call::{truth, whole};
use super::reply::Problem;

/// The type of a parameter.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Boolean,
    Integer,
    List,
    Object,
    OneOf(&'static [&'static str]),
}

const STATUS: Type = Type::OneOf(&["draft", "pending", "private", "publish", "future", "auto-draft", "trash"]);

/// The parameters that are written, in the order of the store's own description.
const PARAMETERS: &[(&str, Type)] = &[
    ("name", Type::Text),
    ("slug", Type::Text),
    ("type", Type::OneOf(&["simple", "grouped", "external", "variable"])),
    ("status", STATUS),
    ("featured", Type::Boolean),
    ("catalog_visibility", Type::OneOf(&["visible", "catalog", "search", "hidden"])),
    ("description", Type::Text),
    ("short_description", Type::Text),
    ("sku", Type::Text),
    ("global_unique_id", Type::Text),
    ("regular_price", Type::Text),
    ("sale_price", Type::Text),
    ("virtual", Type::Boolean),
    ("external_url", Type::Text),
    ("button_text", Type::Text),
    ("tax_status", Type::OneOf(&["taxable", "shipping", "none"])),
    ("tax_class", Type::Text),
    ("manage_stock", Type::Boolean),
    ("stock_quantity", Type::Integer),
    ("inventory_delta", Type::Integer),
    ("stock_status", Type::OneOf(&["instock", "outofstock", "onbackorder"])),
    ("backorders", Type::OneOf(&["no", "notify", "yes"])),
    ("low_stock_amount", Type::Integer),
    ("sold_individually", Type::Boolean),
    ("weight", Type::Text),
    ("dimensions", Type::Object),
    ("reviews_allowed", Type::Boolean),
    ("purchase_note", Type::Text),
    ("categories", Type::List),
    ("tags", Type::List),
    ("images", Type::List),
    ("image", Type::Object),
    ("attributes", Type::List),
    ("default_attributes", Type::List),
    ("grouped_products", Type::List),
    ("menu_order", Type::Integer),
    ("meta_data", Type::List),
];

impl Type {
    /// What is wrong with a value: the code and the text of the error.
    fn refuse(self, name: &str, value: &Value) -> Option<(&'static str, String)> {
        let (fits, called) = match self {
            Self::Text => (value.is_string(), "string"),
            Self::Boolean => (truth(value).is_some(), "boolean"),
            Self::Integer => (value.is_null() || whole(value).is_some(), "integer"),
            Self::List => (value.is_array(), "array"),
            Self::Object => (value.is_object(), "object"),
            Self::OneOf(names) => {
                let fits = value.as_str().is_some_and(|text| names.contains(&text));
                return (!fits).then(|| ("rest_not_in_enum", format!("{name} is not one of {}.", listed(names))));
            }
        };
        (!fits).then(|| ("rest_invalid_type", format!("{name} is not of type {called}.")))
    }
}

/// Checks the parameters of a single write.
pub(super) fn check(params: &Map<String, Value>) -> Result<(), Problem> {
    let wrong: Vec<(&str, &str, String)> = PARAMETERS
        .iter()
        .filter_map(|(name, sort)| {
            let (code, text) = sort.refuse(name, params.get(*name)?)?;
            Some((*name, code, text))
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Problem::of_parameters(&wrong)) }
}

/// The names of the parameters that are written.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PARAMETERS.iter().map(|(name, _)| *name)
}

/// Whether a status is one.
pub(super) fn is_status(text: &str) -> bool {
    STATUS.refuse("status", &text.into()).is_none()
}

/// Names as English lists them.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{}, and {last}", others.join(", ")),
        names => names.join(", "),
    }
}
