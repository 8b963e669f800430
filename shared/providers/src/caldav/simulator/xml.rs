//! What a server reads of requests, and how it writes answers about several resources.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use roxmltree::Document;

use super::{Refused, no};
use crate::simulator::plain::{answer as plain, with};

/// The namespaces of answers.
pub(super) const NAMESPACES: &str =
    r#"xmlns="DAV:" xmlns:cal="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/""#;
const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The name of the body's root.
    pub(super) root: String,
    /// The properties, as answers write their names.
    pub(super) properties: Vec<String>,
    pub(super) token: Option<String>,
    pub(super) hrefs: Vec<String>,
}

/// Reads the body of a request; a refusal where it is none of WebDAV.
pub(super) fn asked(request: &Request<Bytes>) -> Result<Asked, Refused> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/xml") && !kind.starts_with("text/xml") {
        return Err(no(415, "It is no XML."));
    }
    let text = std::str::from_utf8(request.body()).map_err(|_| no(400, "It is no UTF-8."))?;
    let document = Document::parse(text).map_err(|_| no(400, "It is no XML."))?;
    let root = document.root_element();
    let mut asked = Asked { root: root.tag_name().name().to_owned(), ..Asked::default() };
    let prefixed = |name: roxmltree::ExpandedName<'_, '_>| match name.namespace() {
        Some(DAV) => name.name().to_owned(),
        Some(CALDAV) => format!("cal:{}", name.name()),
        Some(CALENDAR_SERVER) => format!("cs:{}", name.name()),
        Some(_) | None => format!("x-{}", name.name()),
    };
    for node in root.children().filter(roxmltree::Node::is_element) {
        match node.tag_name().name() {
            "prop" => {
                let properties = node.children().filter(roxmltree::Node::is_element);
                asked.properties = properties.map(|property| prefixed(property.tag_name())).collect();
            }
            "sync-token" => asked.token = Some(node.text().unwrap_or_default().to_owned()),
            "href" => asked.hrefs.push(node.text().unwrap_or_default().to_owned()),
            _ => {}
        }
    }
    Ok(asked)
}

/// The depth that a request says; a refusal without one.
pub(super) fn depth(request: &Request<Bytes>) -> Result<&str, Refused> {
    let depth = request.headers().get("depth").and_then(|depth| depth.to_str().ok());
    depth.filter(|depth| ["0", "1"].contains(depth)).ok_or_else(|| no(403, "Say how deep."))
}

/// What is answered of one resource: of the asked properties those that it has, and apart from them those that it lacks, empty.
pub(super) fn propstats(href: &str, asked: &Asked, has: &[(&str, String)]) -> String {
    let value = |name: &String| has.iter().find(|(own, _)| own == name);
    let there: String =
        asked.properties.iter().filter_map(value).map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let missing = asked.properties.iter().filter(|name| value(name).is_none());
    let missing: String = missing.map(|name| format!("<{name}/>")).collect();
    let stat = |props: &str, status: &str| match props {
        "" => String::new(),
        props => format!("<propstat><prop>{props}</prop><status>HTTP/1.1 {status}</status></propstat>"),
    };
    let (there, missing) = (stat(&there, "200 OK"), stat(&missing, "404 Not Found"));
    format!("<response><href>{}</href>{there}{missing}</response>", escaped(href))
}

/// What is answered of a resource of which there is only a status.
pub(super) fn status(href: &str, status: &str) -> String {
    format!("<response><href>{}</href><status>HTTP/1.1 {status}</status></response>", escaped(href))
}

/// The answer about several resources.
pub(super) fn multistatus(body: &str) -> Response<Bytes> {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<multistatus {NAMESPACES}>{body}</multistatus>");
    with(plain(207, &text), CONTENT_TYPE, "text/xml; charset=utf-8")
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

/// A segment of a path as this server writes it: more is encoded than has to be.
pub(super) fn encoded(name: &str) -> String {
    crate::protocols::percent::encoded(name)
}

/// A path as it was meant; what is not encoded well stands for itself.
pub(super) fn decoded(path: &str) -> String {
    crate::protocols::query::decoded_path(path).unwrap_or_else(|| path.to_owned())
}
