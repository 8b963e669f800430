//! What a server answers about several resources at once (RFC 4918, section 13): each with the properties that it has.

use http::StatusCode;
use roxmltree::{Document, Node, ParsingOptions};

use super::{Caldav, bounds};
use crate::protocols::icalendar::zone_named;
use crate::{Answer, Api, Refusal};

const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";
/// How many elements and texts an answer has at the most.
const MOST_NODES: u32 = 2_000_000;
/// The longest text of a property that is kept in a cursor, in bytes.
const LONGEST: usize = 4 * 1024;

/// An answer about several resources.
#[derive(Debug, Default)]
pub(super) struct Multistatus {
    /// The resources.
    pub(super) responses: Vec<Response>,
    /// The token since which the next changes are.
    pub(super) token: Option<String>,
}

/// What an answer says of one resource.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// Its address, as the server writes it.
    pub(super) href: String,
    /// Its status, where that is all that is said.
    pub(super) status: Option<u16>,
    /// The properties that it has.
    pub(super) has: Properties,
}

/// Properties that a resource has: only those that came with the status 200, since servers list those that it lacks as well,
/// and empty.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) name: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) ctag: Option<String>,
    pub(super) token: Option<String>,
    /// The text of the calendar's own resource.
    pub(super) data: Option<String>,
    /// The time zone by which a calendar counts its days.
    pub(super) zone: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) homes: Vec<String>,
    /// The address of the calendar that invitations go into.
    pub(super) main: Option<String>,
    pub(super) is_collection: bool,
    pub(super) is_calendar: bool,
    /// The components that a calendar takes, where it says it.
    pub(super) components: Option<Vec<String>>,
    /// Whether its changes can be asked for, where it says what can be.
    pub(super) syncs: Option<bool>,
}

impl Properties {
    /// Whether it is a calendar that has events.
    pub(super) fn has_events(&self) -> bool {
        let takes = |components: &Vec<String>| components.iter().any(|name| name.eq_ignore_ascii_case("VEVENT"));
        self.is_calendar && self.components.as_ref().is_none_or(takes)
    }

    fn read(&mut self, property: Node<'_, '_>) {
        let text = || Some(text(property)).filter(|text| !text.is_empty());
        let short = || text().filter(|text| text.len() <= LONGEST && !text.contains(char::is_control));
        let name = property.tag_name();
        match (name.namespace(), name.name()) {
            (Some(DAV), "displayname") => self.name = text(),
            (Some(DAV), "getetag") => self.etag = short(),
            (Some(DAV), "sync-token") => self.token = short(),
            (Some(DAV), "current-user-principal") => self.principal = hrefs(property).next(),
            (Some(DAV), "resourcetype") => {
                self.is_collection = has(property, DAV, "collection");
                self.is_calendar = has(property, CALDAV, "calendar");
            }
            (Some(DAV), "supported-report-set") => {
                let mut all = property.descendants();
                self.syncs = Some(all.any(|node| node.has_tag_name((DAV, "sync-collection"))));
            }
            (Some(CALDAV), "calendar-home-set") => self.homes = hrefs(property).collect(),
            (Some(CALDAV), "schedule-default-calendar-URL") => self.main = hrefs(property).next(),
            (Some(CALDAV), "calendar-data") => self.data = Some(raw(property)),
            (Some(CALDAV), "calendar-timezone") => self.zone = zone(&raw(property)),
            (Some(CALDAV), "supported-calendar-component-set") => {
                let components = property.children().filter(|node| node.has_tag_name((CALDAV, "comp")));
                self.components =
                    Some(components.filter_map(|node| node.attribute("name")).map(str::to_owned).collect());
            }
            (Some(CALENDAR_SERVER), "getctag") => self.ctag = short(),
            _ => {}
        }
    }
}

/// Reads an answer about several resources. Answers that are no success are sorted.
pub(super) fn read(answer: &Answer) -> Result<Multistatus, Refusal> {
    Caldav.sort(answer)?;
    if answer.status() != StatusCode::MULTI_STATUS {
        return Err(Refusal::Unreadable("it is no answer of WebDAV (status 207)"));
    }
    let text = std::str::from_utf8(answer.body()).map_err(|_| Refusal::Unreadable("it is no UTF-8"))?;
    if !bounds::are_kept(text) {
        return Err(Refusal::Unreadable(
            "its XML has more than 32 attributes in one element, or elements that nest more than 48 deep, which is not read",
        ));
    }
    // Entities of a document's own could make a short answer a long one.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start_matches('\u{feff}'), options)
        .map_err(|_| Refusal::Unreadable("it is no XML, or too much of it"))?;
    let root = document.root_element();
    if !root.has_tag_name((DAV, "multistatus")) {
        return Err(Refusal::Unreadable("it is XML, but no `multistatus`"));
    }
    let mut read = Multistatus::default();
    for node in root.children() {
        if node.has_tag_name((DAV, "response")) {
            read.responses.extend(response(node));
        } else if node.has_tag_name((DAV, "sync-token")) {
            read.token = Some(self::text(node)).filter(|token| (1..=LONGEST).contains(&token.len()));
        }
    }
    Ok(read)
}

/// What is said of one resource; `None` without its address.
fn response(node: Node<'_, '_>) -> Option<Response> {
    let mut response = Response { href: hrefs(node).next()?, ..Response::default() };
    for child in node.children() {
        if child.has_tag_name((DAV, "status")) {
            response.status = status(child);
        } else if child.has_tag_name((DAV, "propstat")) {
            let stated = child.children().find(|node| node.has_tag_name((DAV, "status"))).map_or(Some(200), status);
            let props = child.children().filter(|node| node.has_tag_name((DAV, "prop")) && stated == Some(200));
            props.flat_map(|prop| prop.children()).for_each(|property| response.has.read(property));
        }
    }
    Some(response)
}

/// The number in a line such as `HTTP/1.1 404 Not Found`.
fn status(node: Node<'_, '_>) -> Option<u16> {
    text(node).split(' ').nth(1)?.parse().ok()
}

/// The addresses that an element has.
fn hrefs<'a>(node: Node<'a, '_>) -> impl Iterator<Item = String> + 'a {
    let found = node.children().filter(|node| node.has_tag_name((DAV, "href"))).map(text);
    found.filter(|href| !href.is_empty())
}

fn has(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.children().any(|node| node.has_tag_name((namespace, name)))
}

/// The text of an element, without white space around it.
fn text(node: Node<'_, '_>) -> String {
    raw(node).trim().to_owned()
}

/// The text of an element, as it is.
fn raw(node: Node<'_, '_>) -> String {
    node.children().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
}

/// The IANA name of the time zone that a calendar's own text gives, if it is a known one.
fn zone(text: &str) -> Option<String> {
    let name = text.lines().find_map(|line| line.trim().strip_prefix("TZID:"))?.trim();
    zone_named(name)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        http::Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn only_properties_that_a_resource_has_are_read() {
        let body = r#"<?xml version="1.0"?>
            <multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">
              <sync-token>first</sync-token>
              <response>
                <href>/a%20b/</href>
                <propstat><prop><displayname/><S:getctag/><C:calendar-data/></prop><status>HTTP/1.1 404 Not Found</status></propstat>
                <propstat>
                  <prop>
                    <displayname> Home &amp; garden </displayname><S:getctag>7</S:getctag>
                    <resourcetype><collection/><C:calendar/></resourcetype>
                    <C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
                    <C:schedule-default-calendar-URL><href>/a%20b/</href></C:schedule-default-calendar-URL>
                    <supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set>
                    <C:calendar-timezone><![CDATA[BEGIN:VTIMEZONE
TZID:Europe/Vienna
END:VTIMEZONE]]></C:calendar-timezone>
                  </prop>
                  <status>HTTP/1.1 200 OK</status>
                </propstat>
                <propstat><prop><displayname/><S:getctag/></prop><status>HTTP/1.1 404 Not Found</status></propstat>
              </response>
              <response><href>/a%20b/gone</href><status>HTTP/1.1 404 Not Found</status></response>
              <response><status>HTTP/1.1 200 OK</status></response>
            </multistatus>"#;
        let read = read(&answer(207, body)).unwrap();
        assert_eq!((read.responses.len(), read.token.as_deref()), (2, Some("first")));
        let has = &read.responses[0].has;
        assert_eq!((has.name.as_deref(), has.ctag.as_deref()), (Some("Home & garden"), Some("7")));
        assert_eq!((has.zone.as_deref(), has.syncs, has.has_events()), (Some("Europe/Vienna"), Some(true), true));
        assert_eq!((has.data.as_deref(), has.main.as_deref()), (None, Some("/a%20b/")));
        assert_eq!(read.responses[1].status, Some(404));
    }

    #[test]
    fn what_is_no_answer_of_webdav_is_unreadable() {
        let laughs = r#"<!DOCTYPE a [<!ENTITY b "ha">]><multistatus xmlns="DAV:">&b;</multistatus>"#;
        for (status, body) in [
            (207, "<html>"),
            (207, ""),
            (207, "<multistatus/>"),
            (207, laughs),
            (207, "{}"),
            (200, r#"<multistatus xmlns="DAV:"/>"#),
        ] {
            assert!(matches!(read(&answer(status, body)), Err(Refusal::Unreadable(_))), "{status} {body}");
        }
        assert!(read(&answer(207, r#"<multistatus xmlns="DAV:"/>"#)).unwrap().responses.is_empty());
        let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
        let deep = read(&answer(207, &format!(r#"<multistatus xmlns="DAV:">{deep}</multistatus>"#)));
        assert!(matches!(deep, Err(Refusal::Unreadable(_))));
    }

    #[test]
    fn a_zone_is_a_name_of_the_database() {
        for (text, expected) in [
            ("BEGIN:VTIMEZONE\r\nTZID:Europe/Vienna\r\n", Some("Europe/Vienna")),
            ("TZID:W. Europe Standard Time", Some("Europe/Berlin")),
            ("TZID:Nowhere/Land", None),
            ("", None),
        ] {
            assert_eq!(zone(text).as_deref(), expected, "{text}");
        }
    }
}
