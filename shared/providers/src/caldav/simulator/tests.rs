//! The server's own manners.

use http::Method;

use super::*;

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20261101T000000Z\r\n\
                     DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

struct Client {
    account: Account,
    host: &'static str,
}

impl Client {
    fn new() -> Self {
        Self { account: Account::new(2), host: "http://127.0.0.1:5232" }
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
        let pair = format!("{}:{}", PROFILE.sample_account, PROFILE.sample_credentials[0].1);
        let proof = format!("Basic {}", BASE64.encode(pair.as_bytes()));
        let path = path.replace("~", &self.account.home());
        let request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        let request = request.uri(format!("{}{path}", self.host)).header("authorization", proof);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.account.answer(&request.body(Bytes::from(body.to_owned())).unwrap(), Timestamp::UNIX_EPOCH)
    }

    fn put(&mut self, name: &str, condition: &[(&str, &str)], body: &str) -> Response<Bytes> {
        let headers: Vec<_> =
            [("content-type", "text/calendar")].into_iter().chain(condition.iter().copied()).collect();
        self.send("PUT", &format!("~work/{name}"), &headers, body)
    }

    fn etag(&mut self, name: &str) -> String {
        let answer = self.send("GET", &format!("~work/{name}"), &[], "");
        answer.headers()["etag"].to_str().unwrap().to_owned()
    }
}

#[test]
fn a_member_is_written_on_its_conditions() {
    let mut client = Client::new();
    let new = [("if-none-match", "*")];
    let made = client.put("a.ics", &new, EVENT);
    assert_eq!((made.status().as_u16(), made.headers().get("etag")), (201, None));
    assert_eq!(client.put("a.ics", &new, EVENT).status(), 412);
    assert_eq!(client.put("b.ics", &new, EVENT).status(), 409, "another name for the same event");
    assert_eq!(client.put("a.ics", &[], &EVENT.replace("UID:a", "UID:b")).status(), 409);
    let etag = client.etag("a.ics");
    assert_eq!(client.put("a.ics", &[("if-match", "\"other\"")], EVENT).status(), 412);
    assert_eq!(client.put("a.ics", &[("if-match", "*")], EVENT).status(), 412, "backwards");
    assert_eq!(client.put("a.ics", &[("if-match", &etag)], &EVENT.replace("T10", "T11")).status(), 204);
    assert_ne!(client.etag("a.ics"), etag);
    for (from, to) in [("DTEND", "X-END"), ("DTSTART", "X-START"), ("END:VCALENDAR", ""), ("UID:a", "X-UID:a")] {
        assert_eq!(client.put("c.ics", &new, &EVENT.replace(from, to)).status(), 403, "{from}");
    }
    assert_eq!(client.send("DELETE", "~work/a.ics", &[("if-match", &etag)], "").status(), 412);
    let etag = client.etag("a.ics");
    assert_eq!(client.send("DELETE", "~work/a.ics", &[("if-match", &etag)], "").status(), 204);
    assert_eq!(client.send("DELETE", "~work/a.ics", &[], "").status(), 404);
}

#[test]
fn what_is_malformed_is_refused() {
    let mut client = Client::new();
    let xml = ("content-type", "application/xml");
    let find = r#"<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>"#;
    for (method, path, headers, body, status) in [
        ("PROPFIND", "~", &[xml][..], find, 403),
        ("PROPFIND", "~", &[xml, ("depth", "infinity")], find, 403),
        ("PROPFIND", "~", &[("depth", "1")], find, 415),
        ("PROPFIND", "~", &[xml, ("depth", "1")], "<propfind", 400),
        ("PROPFIND", "~", &[xml, ("depth", "1")], "<propfind/>", 400),
        ("PROPFIND", "~none/", &[xml, ("depth", "1")], find, 404),
        ("REPORT", "~work/", &[xml], "<odd/>", 403),
        ("REPORT", "~work/", &[xml], r#"<sync-collection xmlns="DAV:"/>"#, 400),
        ("MKCALENDAR", "~other/", &[], "", 405),
        ("GET", "/.well-known/caldav", &[], "", 301),
    ] {
        assert_eq!(client.send(method, path, headers, body).status(), status, "{method} {path} {headers:?} {body}");
    }
    client.host = "https://dav.example.com";
    let moved = client.send("PROPFIND", "~", &[xml, ("depth", "1")], find);
    let to = moved.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!((moved.status().as_u16(), to.starts_with("https://p07-dav.example.com/")), (301, true), "{to}");
    client.account.expire_credentials();
    assert_eq!(client.send("GET", "/", &[], "").status(), 401);
}
