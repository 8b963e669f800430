//! The server's API over HTTP. Nothing is tried twice: the user sees what happened.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::credential::Credential;
use crate::failure::{Failure, root_cause};
use crate::global::Global;
use crate::output::{Output, harmless};
use crate::server::{Server, is_loopback};

/// The header that names the tenant an operator acts for.
const TENANT: &str = "hooktide-tenant";
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server, and who we are to it.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: Server,
    headers: HeaderMap,
    credential: Credential,
}

impl Client {
    /// A client for the server that the options name.
    pub(crate) fn new(global: &Global, output: &Output) -> Result<Self, Failure> {
        let server = Server::find(global)?;
        let credential = Credential::find(global, &server)?;
        let mut headers = HeaderMap::new();
        if let Some(token) = credential.token() {
            let value = [b"Bearer ", token.expose()].concat();
            let unfit = || Failure::Usage("The token holds characters that no token has.".to_owned());
            let mut value = HeaderValue::from_bytes(&value).map_err(|_| unfit())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
            if server.url.scheme() == "http" && !server.is_local() {
                output
                    .note("warning: the token travels unencrypted; use an https:// address beyond a private network.");
            }
        }
        if let Some(tenant) = &global.tenant {
            let value = HeaderValue::from_str(tenant.as_str()).map_err(|error| Failure::Usage(error.to_string()))?;
            headers.insert(TENANT, value);
        }
        Ok(Self { http: http_to(&server.url)?, server, headers, credential })
    }

    /// The address of the server, as people write it.
    pub(crate) fn name(&self) -> &str {
        self.server.name()
    }

    /// Reads what is at a path.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Value, Failure> {
        self.call(Method::GET, path, query, None).await
    }

    /// Posts JSON to a path.
    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    /// Changes what is at a path by a JSON merge patch.
    pub(crate) async fn patch(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, &[], Some(body)).await
    }

    /// Puts JSON at a path.
    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, &[], Some(body)).await
    }

    /// Deletes what is at a path.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, &[], None).await
    }

    /// The pages of a list.
    pub(crate) fn pages<'a>(&'a self, path: &'a [&'a str]) -> Pages<'a> {
        Pages { client: self, path, filter: Vec::new(), after: None, through: false }
    }

    /// All items of a list.
    pub(crate) async fn list(&self, path: &[&str]) -> Result<Vec<Value>, Failure> {
        self.list_of(path, Vec::new()).await
    }

    /// All items of a list that fit a filter.
    pub(crate) async fn list_of(&self, path: &[&str], filter: Vec<(&str, String)>) -> Result<Vec<Value>, Failure> {
        let mut pages = Pages { filter, ..self.pages(path) };
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            items.extend(page);
        }
        Ok(items)
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut request = self.http.request(method, address(&self.server.url, path)?);
        request = request.headers(self.headers.clone()).query(query);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if !status.is_success() {
            let refused = refused(response).await;
            return Err(match status {
                _ if !refused.by_hooktide => refused.failure.advise(&self.stranger()),
                StatusCode::UNAUTHORIZED => refused.failure.advise(&self.credential.advice(&self.server)),
                _ => refused.failure,
            });
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| Failure::Failed(self.stranger()))
    }

    /// Says that something else than Hooktide answers.
    fn stranger(&self) -> String {
        format!("What answers at {} is not Hooktide. {}", self.name(), self.server.stranger_advice())
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let name = self.name();
        if !error.is_connect() {
            let reason = if error.is_timeout() { "it took too long".to_owned() } else { root_cause(error) };
            return Failure::Unreachable(format!("No whole answer came from {name}: {reason}."));
        }
        Failure::Unreachable(format!(
            "{name} cannot be reached: {}.\n{}",
            root_cause(error),
            self.server.unreachable_advice()
        ))
    }
}

/// The pages of a list, one after the other.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    client: &'a Client,
    path: &'a [&'a str],
    filter: Vec<(&'a str, String)>,
    after: Option<String>,
    through: bool,
}

impl Pages<'_> {
    /// The items of the next page, unless there is none.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        if self.through {
            return Ok(None);
        }
        let after = self.after.iter().map(|after| ("after", after.clone()));
        let query: Vec<(&str, String)> = self.filter.iter().cloned().chain(after).collect();
        let page = Page::of(self.client.get(self.path, &query).await?)?;
        // A server that gave the same cursor again would keep us for ever.
        self.through = page.next.is_none() || page.next == self.after;
        self.after = page.next;
        Ok(Some(page.items))
    }
}

/// A page of a list or feed.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// What is on it.
    pub(crate) items: Vec<Value>,
    /// Where to go on.
    #[serde(default)]
    pub(crate) next: Option<String>,
    /// Whether a feed has more right now.
    #[serde(default)]
    pub(crate) more: bool,
}

impl Page {
    /// Reads an answer as a page.
    pub(crate) fn of(answer: Value) -> Result<Self, Failure> {
        serde_json::from_value(answer).map_err(|error| Failure::Failed(format!("The answer is not a list: {error}.")))
    }
}

/// The HTTP client for an address.
pub(crate) fn http_to(url: &Url) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hooktide/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // Saves reading the system's certificates, which small containers do not even have.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| Failure::Failed(format!("HTTPS cannot be used: {}.", root_cause(&error))))
}

/// The address of a path under a server's; each segment is percent-encoded as a whole.
fn address(base: &Url, path: &[&str]) -> Result<Url, Failure> {
    if let Some(segment) = path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
        return Err(Failure::Usage(format!("{segment:?} is no id or name.")));
    }
    let mut url = base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().extend(path);
        }
        Err(()) => return Err(Failure::Usage(format!("{base} is no address of a server."))),
    }
    Ok(url)
}

/// An error answer (RFC 9457), as far as people need it.
#[derive(Debug, Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<FieldError>,
}

/// What is wrong with a field.
#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    detail: String,
}

/// An error answer.
struct Refused {
    failure: Failure,
    /// Whether it has the form that Hooktide's errors have.
    by_hooktide: bool,
}

/// Reads an error answer.
async fn refused(response: Response) -> Refused {
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(harmless);
    let body = response.bytes().await.unwrap_or_default();
    let mut message = explain(status, &body);
    if let Some(seconds) = wait {
        message.push_str(&format!("\nTry again in {seconds} seconds."));
    }
    // What stands before a server, such as a proxy, answers in words of its own.
    let by_hooktide = status.is_server_error() || serde_json::from_slice::<Problem>(&body).is_ok();
    Refused { failure: Failure::Refused { status, message }, by_hooktide }
}

/// What an error answer says, in plain English.
pub(crate) fn explain(status: StatusCode, body: &[u8]) -> String {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return format!("The server answered {status}.");
    };
    let mut message = format!("{} ({}): {}", harmless(&problem.title), status.as_u16(), harmless(&problem.detail));
    for FieldError { field, detail } in &problem.errors {
        message.push_str(&format!("\n  {}: {}", harmless(field), harmless(detail)));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, path: &[&str]) -> Option<String> {
        Some(address(&Url::parse(base).ok()?, path).ok()?.to_string())
    }

    #[test]
    fn segments_are_percent_encoded_as_a_whole() {
        let path = ["test", "events", "shopify", "products/update"];
        let expected = "http://127.0.0.1:8787/test/events/shopify/products%2Fupdate";
        assert_eq!(joined("http://127.0.0.1:8787", &path).as_deref(), Some(expected));
        assert_eq!(joined("http://h", &["a b?c#d%2F"]).as_deref(), Some("http://h/a%20b%3Fc%23d%252F"));
    }

    #[test]
    fn a_path_in_the_servers_address_is_kept() {
        for base in ["https://example.com/prod", "https://example.com/prod/"] {
            assert_eq!(joined(base, &["v1", "health"]).as_deref(), Some("https://example.com/prod/v1/health"));
        }
    }

    #[test]
    fn an_id_cannot_climb_out_of_its_path() {
        for id in ["", ".", ".."] {
            assert_eq!(joined("http://h", &["v1", "connections", id]), None, "{id:?}");
        }
    }

    #[test]
    fn a_problem_tells_its_detail_and_its_fields() {
        let body = br#"{"type":"urn:x","title":"Invalid","status":422,"detail":"A field is not right.",
                        "errors":[{"field":"secrets.client_secret","detail":"is missing"}]}"#;
        let expected = "Invalid (422): A field is not right.\n  secrets.client_secret: is missing";
        assert_eq!(explain(StatusCode::UNPROCESSABLE_ENTITY, body), expected);
    }

    #[test]
    fn an_error_that_is_no_problem_tells_its_status() {
        assert_eq!(explain(StatusCode::BAD_GATEWAY, b"<html>"), "The server answered 502 Bad Gateway.");
    }
}
