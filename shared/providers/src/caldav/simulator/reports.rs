//! What changed in a calendar, and the texts of several members (`REPORT`).

use super::collection::Collection;
use super::xml::{self, Asked};
use super::{Account, Answered, Call, no, refused};

/// How many changes are told at once.
const MOST_CHANGES: usize = 40;

impl Account {
    pub(super) fn report(&self, call: &Call<'_>, id: &str) -> Answered {
        let asked = xml::asked(call.request)?;
        let of = self.calendars.get(id).ok_or_else(|| no(404, ""))?;
        match asked.root.as_str() {
            "sync-collection" if !self.has("no-sync") => self.changes(call, (id, of), &asked),
            "calendar-multiget" => Ok(xml::multistatus(&self.texts(call, (id, of), &asked))),
            _ => Err(refused(403, "<supported-report/>")),
        }
    }

    /// The members that changed since a token. At the beginning, those that are gone are told as well.
    fn changes(&self, call: &Call<'_>, (id, of): (&str, &Collection), asked: &Asked) -> Answered {
        let token = asked.token.as_deref().ok_or_else(|| no(400, "There is no token."))?;
        let Some(since) = of.since(token) else {
            return Err(match self.has("odd-refusals") {
                true => no(412, "No."),
                false => refused(403, "<valid-sync-token/>"),
            });
        };
        let all = of.changed_since(since);
        let told = &all[..all.len().min(MOST_CHANGES)];
        let mut body = String::new();
        // Some list the calendar itself.
        body.push_str(&xml::propstats(&self.href(call, id, ""), asked, &[("getetag", "\"0\"".to_owned())]));
        for (name, is_there, _) in told {
            let href = self.href(call, id, name);
            body.push_str(&match (is_there, of.members.get(name)) {
                (true, Some(member)) => xml::propstats(&href, asked, &[("getetag", xml::escaped(&member.etag()))]),
                _ => xml::status(&href, "404 Not Found"),
            });
        }
        let next = match told.last().filter(|_| told.len() < all.len()) {
            Some((.., change)) => {
                body.push_str(&xml::status(&self.href(call, id, ""), "507 Insufficient Storage"));
                Collection::token_of(*change)
            }
            None => of.token(),
        };
        let token = format!("<sync-token>{next}</sync-token>");
        // At the front or at the end.
        Ok(xml::multistatus(&if self.seed.is_multiple_of(2) {
            format!("{token}{body}")
        } else {
            format!("{body}{token}")
        }))
    }

    /// The texts of the members that are asked for.
    fn texts(&self, call: &Call<'_>, (id, of): (&str, &Collection), asked: &Asked) -> String {
        let own = format!("{}{id}/", self.home());
        let text = |href: &String| {
            let path = xml::decoded(href);
            match path.strip_prefix(&own).and_then(|name| Some((name, of.members.get(name)?))) {
                Some((name, member)) => xml::propstats(
                    &self.href(call, id, name),
                    asked,
                    &[("getetag", xml::escaped(&member.etag())), ("cal:calendar-data", xml::escaped(&member.text))],
                ),
                None => xml::status(href, "404 Not Found"),
            }
        };
        asked.hrefs.iter().map(text).collect()
    }
}
