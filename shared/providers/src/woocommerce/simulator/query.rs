//! Lists: what is asked for, in which order, and which page of it.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::call::{Call, whole};
use super::reply::{Problem, Reply};
use super::schema::listed;
use super::shop::{HOURS_AHEAD, Post, Shop};

const ORDERS: &[&str] =
    &["date", "id", "include", "title", "slug", "modified", "popularity", "rating", "price", "menu_order"];
const SORTS: &[&str] = &["simple", "grouped", "external", "variable"];
const STATUSES: &[&str] = &["any", "future", "trash", "draft", "pending", "private", "publish"];
const DATES: &[&str] = &["after", "before", "modified_after", "modified_before"];

/// A page of a list.
pub(super) struct Paging {
    size: i64,
    page: i64,
    offset: Option<i64>,
}

impl Paging {
    /// The page that a call asks for.
    pub(super) fn of(call: &Call) -> Result<Self, Problem> {
        let mut wrong = Vec::new();
        let mut number = |name: &'static str, default: i64, most: i64| {
            let Some(given) = call.params.get(name) else { return default };
            let range = if most == i64::MAX {
                format!("{name} must be greater than or equal to 1")
            } else {
                format!("{name} must be between 1 (inclusive) and {most} (inclusive)")
            };
            match whole(given) {
                Some(number) if (1..=most).contains(&number) => return number,
                Some(_) => wrong.push((name, "rest_out_of_bounds", range)),
                None => wrong.push((name, "rest_invalid_type", format!("{name} is not of type integer."))),
            }
            default
        };
        let (page, size) = (number("page", 1, i64::MAX), number("per_page", 10, 100));
        let offset = call.params.get("offset").and_then(whole).filter(|offset| *offset >= 0);
        if wrong.is_empty() { Ok(Self { size, page, offset }) } else { Err(Problem::of_parameters(&wrong)) }
    }

    /// The page of some items, as an answer.
    pub(super) fn reply(&self, items: Vec<Value>, address: &str) -> Reply {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let pages = total.div_euclid(self.size) + i64::from(total.rem_euclid(self.size) > 0);
        let skipped = self.offset.unwrap_or_else(|| (self.page - 1).saturating_mul(self.size));
        let (skipped, size) =
            (usize::try_from(skipped).unwrap_or(usize::MAX), usize::try_from(self.size).unwrap_or(100));
        let page: Vec<Value> = items.into_iter().skip(skipped).take(size).collect();
        let link = |page: i64, rel: &str| format!("<{address}?per_page={}&page={page}>; rel=\"{rel}\"", self.size);
        let previous = (self.page > 1).then(|| link((self.page - 1).min(pages), "prev"));
        let next = (pages > self.page).then(|| link(self.page + 1, "next"));
        let links: Vec<String> = previous.into_iter().chain(next).collect();
        let reply = Reply::new(200, page.into()).with("x-wp-total", total).with("x-wp-totalpages", pages);
        if links.is_empty() { reply } else { reply.with("link", links.join(", ")) }
    }
}

/// A question for products or variations.
pub(super) struct Query<'a> {
    call: &'a Call,
}

impl<'a> Query<'a> {
    /// The question of a call; an error if a parameter is none of those that the store knows.
    pub(super) fn of(call: &'a Call) -> Result<Self, Problem> {
        let mut wrong = Vec::new();
        for (name, known) in [("orderby", ORDERS), ("type", SORTS), ("status", STATUSES)] {
            if call.text(name).is_some_and(|given| !known.contains(&given)) {
                wrong.push((name, "rest_not_in_enum", format!("{name} is not one of {}.", listed(known))));
            }
        }
        for name in DATES {
            if call.text(name).is_some_and(|given| civil(given).is_none()) {
                wrong.push((*name, "rest_invalid_date", "Invalid date.".to_owned()));
            }
        }
        if wrong.is_empty() { Ok(Self { call }) } else { Err(Problem::of_parameters(&wrong)) }
    }

    /// The ids of what is asked for among the products, or among the variations of one, in order.
    pub(super) fn ids(&self, shop: &Shop, parent: u64) -> Vec<u64> {
        // A stock keeping unit is looked for among variations as well, an id is not.
        let sku = self.call.text("sku").filter(|sku| !sku.is_empty());
        let is_of = |post: &Post| post.parent == parent || parent == 0 && sku.is_some();
        let fits = |(id, post): &(&u64, &Post)| {
            is_of(post) && self.fits(**id, post) && sku.is_none_or(|sku| post.text("sku") == sku)
        };
        let mut found: Vec<(u64, &Post)> = shop.posts.iter().filter(fits).map(|(id, post)| (*id, post)).collect();
        match self.call.text("orderby").unwrap_or("date") {
            "id" => found.sort_by_key(|(id, _)| *id),
            "modified" => found.sort_by_key(|(id, post)| (post.modified, *id)),
            "title" => found.sort_by_key(|(id, post)| (post.text("name"), *id)),
            "slug" => found.sort_by_key(|(id, post)| (post.text("slug"), *id)),
            _ => found.sort_by_key(|(id, post)| (post.created, *id)),
        }
        if self.call.text("order").unwrap_or("desc") != "asc" {
            found.reverse();
        }
        found.into_iter().map(|(id, _)| id).collect()
    }

    fn fits(&self, id: u64, post: &Post) -> bool {
        let call = self.call;
        let status = match call.text("status").unwrap_or("any") {
            "any" => post.status() != "trash",
            status => post.status() == status,
        };
        let sort = call.text("type").is_none_or(|sort| post.sort() == sort);
        let named =
            |name: &str| call.text(name).map(|ids| ids.split(',').any(|listed| listed.trim() == id.to_string()));
        let search =
            call.text("search").is_none_or(|text| post.text("name").to_lowercase().contains(&text.to_lowercase()));
        let dates = [("after", post.created, true), ("before", post.created, false)].into_iter();
        let mut dates =
            dates.chain([("modified_after", post.modified, true), ("modified_before", post.modified, false)]);
        let dated = dates.all(|(name, time, after)| {
            let Some(bound) = call.text(name).and_then(civil) else { return true };
            let time = self.column(time);
            if after { time > bound } else { time < bound }
        });
        status && sort && search && dated && named("include").unwrap_or(true) && !named("exclude").unwrap_or_default()
    }

    /// A date as the column that is compared has it.
    fn column(&self, time: Timestamp) -> DateTime {
        let ahead = if self.call.says("dates_are_gmt") { 0 } else { HOURS_AHEAD };
        in_utc(time + SignedDuration::from_hours(ahead))
    }
}

/// The date of a parameter. One that names a zone is turned into the store's own first, whatever it is compared with.
fn civil(text: &str) -> Option<DateTime> {
    let text = text.replacen(' ', "T", 1);
    let zoned = text.parse::<Timestamp>().ok().map(|time| in_utc(time + SignedDuration::from_hours(HOURS_AHEAD)));
    zoned.or_else(|| text.parse().ok())
}

fn in_utc(time: Timestamp) -> DateTime {
    time.to_zoned(jiff::tz::TimeZone::UTC).datetime()
}
