//! A client of a CalDAV server, as the provider is one: it reads commands, a line of JSON each, and answers each with a line. The
//! judges drive it against servers that know nothing of Hooktide.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a tool for tests stops at what cannot be"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use hooktide_model::notice::{State, What};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_providers::{
    Answer, Ask, Base, Block, Moment, Next, Page, Provider, Reach, Refusal, Task, WriteStep, WriteTask, by_id,
};

/// How many pages a reading has at the most.
const MOST_PAGES: usize = 200;

/// A connection to a server.
struct Client {
    provider: &'static dyn Provider,
    settings: ConnectionSettings,
    secrets: Secrets,
    api: String,
}

impl Client {
    fn new(url: String, username: String, password: String) -> Self {
        let provider = by_id("caldav").expect("the provider");
        let (name, id) = ("app_password".to_owned(), KeyId("given".to_owned()));
        let live = LiveSecret { name, id, secret: Secret::new(password), retires_at: None };
        let settings = ConnectionSettings { url: Some(url), username: Some(username), ..ConnectionSettings::default() };
        let api = match provider.api().expect("an API").base() {
            Base::Fixed(base) => base.to_owned(),
            Base::OfConnection(of) | Base::OfSite(of) => of(None, &settings).expect("an address"),
        };
        Self { provider, settings, secrets: Secrets::new(vec![live]), api }
    }

    /// Takes a command.
    fn take(&self, command: &Value) -> Value {
        let (calendar, text) = (command["calendar"].as_str(), |name: &str| command[name].as_str());
        let reach = match (text("id"), text("cursor")) {
            (Some(id), _) => Reach::One(id),
            (None, Some(_)) => Reach::Changes,
            (None, None) => Reach::Everything,
        };
        match text("do").unwrap_or_default() {
            "calendars" => self.read("calendars", None, reach, text("cursor")),
            "events" => self.read("calendar", calendar, reach, text("cursor")),
            "write" => self.write(calendar.expect("a calendar"), command),
            other => json!({ "refused": format!("there is no command {other}") }),
        }
    }

    fn read(&self, resource: &str, part: Option<&str>, reach: Reach<'_>, from: Option<&str>) -> Value {
        let source = self.provider.source().expect("a source");
        let (mut cursor, mut events, mut parts, mut odd) = (from.map(str::to_owned), json!({}), json!([]), Vec::new());
        for calls in 1..=MOST_PAGES {
            let task = Task {
                account: None,
                settings: &self.settings,
                resource,
                part,
                reach,
                cursor: cursor.as_deref(),
                api: &self.api,
                now: now(),
            };
            let answers: Vec<Answer> = source.ask(&task).into_iter().map(|ask| self.send(ask)).collect();
            let Page { facts, parts: named, next, .. } = match source.read(&task, &answers) {
                Ok(page) => page,
                Err(refusal) => return refused(&refusal),
            };
            for part in named {
                parts.as_array_mut().unwrap().push(json!({ "id": part.id, "name": part.name, "gone": part.is_gone }));
            }
            for fact in facts {
                match fact {
                    What::Entity(notice) => {
                        events[notice.id] = match notice.state {
                            State::Present(document) => serde_json::to_value(document).unwrap(),
                            State::Deleted => Value::Null,
                        };
                    }
                    other => odd.push(format!("{other:?}")),
                }
            }
            match next {
                Next::More(next) => cursor = Some(next),
                Next::Done(cursor) => {
                    return json!({ "parts": parts, "events": events, "odd": odd, "cursor": cursor, "calls": calls });
                }
            }
        }
        json!({ "refused": "it never ends" })
    }

    fn write(&self, calendar: &str, command: &Value) -> Value {
        let target = self.provider.target().expect("a target");
        let text = |name: &str| command[name].as_str();
        let moment = |name: &str| {
            let text = text(name).unwrap_or("2026-12-01");
            text.parse().map_or_else(|_| Moment::At(text.parse().expect("a time")), Moment::Day)
        };
        let block = Block {
            key: text("key").unwrap_or_default().to_owned(),
            start: moment("start"),
            end: moment("end"),
            title: "Busy".to_owned(),
        };
        let (id, etag) = (text("id"), text("etag"));
        let step = match text("step").unwrap_or_default() {
            "create" => WriteStep::Create(&block),
            "change" => WriteStep::Change { id: id.expect("an id"), etag, block: &block },
            "remove" => WriteStep::Remove { id: id.expect("an id"), etag },
            _ => WriteStep::Look { id, block: &block },
        };
        let task = WriteTask { account: None, settings: &self.settings, calendar, api: &self.api, now: now() };
        let answer = self.send(target.ask(&task, &step));
        match target.read(&task, &step, &answer) {
            Ok(hooktide_providers::Written::There(there)) => {
                json!({ "written": "There", "id": there.id, "etag": there.etag, "is_as_wanted": there.is_as_wanted })
            }
            Ok(other) => json!({ "written": format!("{other:?}") }),
            Err(refusal) => refused(&refusal),
        }
    }

    /// Sends a question in the clear, as local servers take it.
    fn send(&self, ask: Ask) -> Answer {
        let Ask::Http(request) = ask;
        let request = self.provider.api().unwrap().authorise(request, &self.secrets, now()).expect("credentials");
        exchange(request)
    }
}

fn refused(refusal: &Refusal) -> Value {
    json!({ "refused": format!("{refusal:?}") })
}

#[expect(clippy::disallowed_methods, reason = "it is its own host")]
fn now() -> Timestamp {
    std::time::SystemTime::now().try_into().expect("a time")
}

fn exchange(request: Request<Bytes>) -> Answer {
    let authority = request.uri().authority().expect("a host").clone();
    let mut stream = TcpStream::connect(authority.as_str()).expect("a connection");
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n{HOST}: {authority}\r\nconnection: close\r\n", parts.method);
    for (name, value) in &parts.headers {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).expect("it is sent");
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line).expect("a status");
    let mut built = Response::builder().status(line.split(' ').nth(1).expect("a status"));
    let (mut is_chunked, mut length) = (false, None);
    loop {
        let mut line = String::new();
        answer.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        is_chunked |= name == "transfer-encoding" && value == "chunked";
        length = if name == "content-length" { value.parse().ok() } else { length };
        built = built.header(name, value);
    }
    let mut body = Vec::new();
    match (is_chunked, length) {
        (true, _) => chunks(&mut answer, &mut body),
        (false, Some(length)) => drop(answer.take(length).read_to_end(&mut body).expect("a body")),
        (false, None) => drop(answer.read_to_end(&mut body).expect("a body")),
    }
    built.body(body.into()).expect("an answer")
}

fn chunks(answer: &mut impl BufRead, body: &mut Vec<u8>) {
    loop {
        let mut line = String::new();
        answer.read_line(&mut line).expect("a length");
        let length = u64::from_str_radix(line.trim(), 16).expect("a length");
        answer.by_ref().take(length + 2).read_to_end(body).expect("a chunk");
        body.truncate(body.len() - 2);
        if length == 0 {
            return;
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let [url, username, password] = [(); 3].map(|()| arguments.next().expect("URL USER PASSWORD"));
    let client = Client::new(url, username, password);
    for line in std::io::stdin().lines() {
        let command = serde_json::from_str(&line.expect("a line")).expect("JSON");
        println!("{}", client.take(&command));
    }
}
