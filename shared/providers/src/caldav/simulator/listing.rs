//! What the server says of itself, of an account, and of the calendars in it (`PROPFIND`).

use super::xml::{self, Asked};
use super::{Account, Answered, Call, Refused, back_of, no};
use crate::caldav::PROFILE;

impl Account {
    /// The properties that a question names, and how deep it goes.
    fn listed<'a>(&self, call: &Call<'a>) -> Result<(Asked, &'a str), Refused> {
        if call.request.method().as_str() != "PROPFIND" {
            return Err(no(405, ""));
        }
        let asked = xml::asked(call.request)?;
        if asked.root != "propfind" || asked.properties.is_empty() {
            return Err(no(400, "Name properties."));
        }
        Ok((asked, xml::depth(call.request)?))
    }

    pub(super) fn root(&self, call: &Call<'_>) -> Answered {
        let (asked, _) = self.listed(call)?;
        let has = [
            ("current-user-principal", format!("<href>{}</href>", self.principal())),
            ("resourcetype", "<collection/>".to_owned()),
        ];
        Ok(xml::multistatus(&xml::propstats("/", &asked, &has)))
    }

    pub(super) fn of_principal(&self, call: &Call<'_>) -> Answered {
        let (asked, depth) = self.listed(call)?;
        if depth != "0" {
            return Err(no(400, "A principal has nothing below it."));
        }
        let at = back_of(&call.host).map(|back| format!("https://{back}:443")).unwrap_or_default();
        let has = [
            ("current-user-principal", format!("<href>{}</href>", self.principal())),
            ("cal:calendar-home-set", format!("<href>{at}{}</href>", self.home())),
            ("displayname", xml::escaped(PROFILE.sample_account)),
            ("resourcetype", "<principal/>".to_owned()),
        ];
        Ok(xml::multistatus(&xml::propstats(&self.principal(), &asked, &has)))
    }

    pub(super) fn list_home(&self, call: &Call<'_>) -> Answered {
        let (asked, depth) = self.listed(call)?;
        let itself = [("resourcetype", "<collection/>".to_owned()), ("displayname", "Calendars".to_owned())];
        let mut body = xml::propstats(&self.home(), &asked, &itself);
        if depth == "1" {
            let main = format!("<href>{}</href>", self.href(call, "home", ""));
            let mut inbox = vec![("resourcetype", "<collection/><cal:schedule-inbox/>".to_owned())];
            inbox.extend((!self.has("no-main")).then_some(("cal:schedule-default-calendar-URL", main)));
            body.push_str(&xml::propstats(&format!("{}inbox/", self.home()), &asked, &inbox));
            for id in self.calendars.keys() {
                body.push_str(&self.of_calendar(call, id, &asked));
            }
        }
        Ok(xml::multistatus(&body))
    }

    pub(super) fn list_calendar(&self, call: &Call<'_>, id: &str) -> Answered {
        let (asked, depth) = self.listed(call)?;
        let of = self.calendars.get(id).ok_or_else(|| no(404, ""))?;
        let mut body = self.of_calendar(call, id, &asked);
        if depth == "1" {
            for (name, member) in &of.members {
                let has = [
                    ("getetag", xml::escaped(&member.etag())),
                    ("getcontenttype", "text/calendar".to_owned()),
                    ("resourcetype", String::new()),
                ];
                body.push_str(&xml::propstats(&self.href(call, id, name), &asked, &has));
            }
        }
        Ok(xml::multistatus(&body))
    }

    /// What is answered of a calendar itself. It has an etag, as if it were a member.
    fn of_calendar(&self, call: &Call<'_>, id: &str, asked: &Asked) -> String {
        let Some(of) = self.calendars.get(id) else { return String::new() };
        let component = if of.has_events { "VEVENT" } else { "VTODO" };
        let report = |name: &str| format!("<supported-report><report><{name}/></report></supported-report>");
        let mut reports = report("cal:calendar-multiget");
        let mut has = vec![
            ("resourcetype", "<collection/><cal:calendar/>".to_owned()),
            ("displayname", xml::escaped(&of.name)),
            ("cal:supported-calendar-component-set", format!("<cal:comp name=\"{component}\"/>")),
            ("getetag", format!("\"{}\"", of.changed_since(0).len())),
        ];
        if !self.has("no-sync") {
            reports.push_str(&report("sync-collection"));
            has.push(("sync-token", of.token()));
        }
        if !self.has("no-ctag") {
            has.push(("cs:getctag", of.token()));
        }
        has.push(("supported-report-set", reports));
        xml::propstats(&self.href(call, id, ""), asked, &has)
    }

    /// The address of a member as the server writes it.
    pub(super) fn href(&self, call: &Call<'_>, id: &str, name: &str) -> String {
        let at = match self.has("whole-addresses") && call.host.starts_with(super::BACK) {
            true => format!("https://{}", call.host),
            false => String::new(),
        };
        format!("{at}{}{}/{}", self.home(), xml::encoded(id), xml::encoded(name))
    }
}
