//! What lies in a calendar that is not its owner's: the blocks, as the provider keeps them.

use std::collections::BTreeMap;

use bytes::Bytes;
use hooktide_model::part;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

use super::account::{Account, Kind};
use super::entry::Times;

/// The blocks of a calendar by their ids.
pub fn blocks(account: &mut Account, calendar: &str, now: Timestamp) -> BTreeMap<String, Times> {
    let all = match account.kind {
        Kind::Google => google(account, calendar, now),
        Kind::Graph => graph(account, calendar),
        Kind::Caldav => caldav(account, calendar),
        Kind::Ics => Vec::new(),
    };
    let owned = &account.owned[calendar];
    let is_block = |id: &String| {
        let entity = part::entity_id(calendar, id);
        !owned.contains_key(&entity) && !account.copies.contains(&entity)
    };
    all.into_iter().filter(|(id, _)| is_block(id)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn google(account: &mut Account, calendar: &str, now: Timestamp) -> Vec<(String, Times)> {
    let provider = hooktide_providers::by_id(Kind::Google.provider()).expect("a provider");
    let sample = |wanted: &str| {
        let mut all = provider.profile().sample_credentials.iter();
        all.find(|(name, _)| *name == wanted).map_or("", |(_, text)| text)
    };
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        sample("client_id"),
        sample("client_secret"),
        sample("refresh_token").replace('/', "%2F")
    );
    let request = Request::post("https://google.example.com/token")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .expect("a request");
    let token: Value = serde_json::from_slice(account.answer(&request, now).body()).expect("a token");
    let mut page = String::new();
    let mut found = Vec::new();
    loop {
        let path = calendar.replace('@', "%40");
        let uri = format!("https://google.example.com/calendar/v3/calendars/{path}/events?maxResults=2500{page}");
        let request = Request::get(uri).header(AUTHORIZATION, format!("Bearer {}", text(&token["access_token"])));
        let answer = account.answer(&request.body(Bytes::new()).expect("a request"), now);
        let list: Value = serde_json::from_slice(answer.body()).expect("a list");
        assert!(list["items"].is_array(), "{list}");
        for item in list["items"].as_array().into_iter().flatten() {
            if item["status"] == "cancelled" || item["recurringEventId"].is_string() {
                continue;
            }
            let time = |which: &str| match item[which]["date"].as_str() {
                Some(day) => day.to_owned(),
                None => text(&item[which]["dateTime"]).parse::<Timestamp>().expect("a time").to_string(),
            };
            found.push((text(&item["id"]), (time("start"), time("end"))));
        }
        match list["nextPageToken"].as_str() {
            Some(next) => page = format!("&pageToken={next}"),
            None => return found,
        }
    }
}

fn graph(account: &Account, calendar: &str) -> Vec<(String, Times)> {
    let state = account.simulator.state();
    let of = state["calendars"].as_array().into_iter().flatten().find(|of| of["id"] == calendar);
    let events = of.and_then(|of| of["events"].as_array()).into_iter().flatten();
    let read = |event: &Value| {
        let time = |which: &str| {
            let local: DateTime = text(&event[which]["dateTime"]).trim_end_matches('Z').parse().expect("a time");
            match event["isAllDay"] == true {
                true => local.date().to_string(),
                // Blocks are in UTC; those of the owner are not looked at.
                false => local.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().to_string(),
            }
        };
        (text(&event["id"]), (time("start"), time("end")))
    };
    events.map(read).collect()
}

fn caldav(account: &Account, calendar: &str) -> Vec<(String, Times)> {
    let state = account.simulator.state();
    let own = calendar.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let members = state["calendars"][own]["members"].as_object().cloned().unwrap_or_default();
    let read = |(name, member): (String, Value)| {
        let body = text(&member).replace("\r\n ", "").replace("\n ", "");
        let time = |which: &str| {
            let line = body.lines().find(|line| line.starts_with(which)).unwrap_or_default();
            let value = line.rsplit(':').next().unwrap_or_default();
            match value.len() {
                8 => jiff::civil::Date::strptime("%Y%m%d", value).expect("a day").to_string(),
                _ => {
                    let local = DateTime::strptime("%Y%m%dT%H%M%S", value.trim_end_matches('Z')).expect("a time");
                    local.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().to_string()
                }
            }
        };
        (name, (time("DTSTART"), time("DTEND")))
    };
    members.into_iter().map(read).collect()
}
