//! The feed's own manners.

use http::StatusCode;
use serde_json::Map;

use super::*;

fn get(account: &mut Account, headers: &[(&str, &str)]) -> Response<Bytes> {
    let request = Request::get("https://feeds.example.com/club");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    account.answer(&request.body(Bytes::new()).unwrap(), Timestamp::from_second(1_795_860_000).unwrap())
}

fn habit(account: &mut Account, name: &str, on: bool) {
    let edit = Edit { what: "habit".into(), id: Some(name.into()), fields: on.then(Map::new) };
    account.edit(&edit, Timestamp::UNIX_EPOCH).unwrap();
}

#[test]
fn a_feed_that_is_known_is_not_sent_again() {
    let mut account = Account::new(1);
    let first = get(&mut account, &[]);
    let mark = |name: HeaderName| first.headers()[name].to_str().unwrap().to_owned();
    let (etag, date) = (mark(ETAG), mark(LAST_MODIFIED));
    assert!(etag.starts_with("W/\""));
    for (headers, status) in [
        (&[("if-none-match", etag.as_str())][..], 304),
        (&[("if-none-match", &etag[2..])], 200),
        (&[("if-modified-since", &date)], 304),
        (&[("if-none-match", "W/\"x\""), ("if-modified-since", &date)], 200),
    ] {
        assert_eq!(get(&mut account, headers).status(), status, "{headers:?}");
    }
    habit(&mut account, "no-etag", true);
    habit(&mut account, "no-date", true);
    let plain = get(&mut account, &[("if-none-match", &etag), ("if-modified-since", &date)]);
    assert_eq!((plain.status(), plain.headers().get(ETAG)), (StatusCode::OK, None));
    assert_eq!(plain.body(), first.body());
    let request = Request::post("https://feeds.example.com/club").body(Bytes::new()).unwrap();
    assert_eq!(account.answer(&request, Timestamp::UNIX_EPOCH).status(), 405);
}

#[test]
fn an_edit_that_fits_nothing_is_refused() {
    let mut account = Account::new(1);
    for (what, id, fields) in [
        ("event", Some("x"), None),
        ("event", Some("x"), Some(json!({ "SUMMARY": "x" }))),
        ("habit", Some("odd"), Some(json!({}))),
        ("calendar", None, Some(json!({}))),
    ] {
        let fields = fields.and_then(|fields| fields.as_object().cloned());
        let edit = Edit { what: what.into(), id: id.map(str::to_owned), fields };
        assert!(account.edit(&edit, Timestamp::UNIX_EPOCH).is_err(), "{edit:?}");
    }
}
