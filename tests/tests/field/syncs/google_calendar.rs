//! Google Calendar: tokens of lists, series with their occurrences, channels.

use hooktide_providers::{Reach, SubscriptionStep};
use serde_json::{Value, json};

use super::Seen;
use super::pair::{Pair, fields, step};
use super::shop::Shop;

const MAIN: &str = "owner@example.com";

fn events(reach: Reach<'static>) -> Pair {
    Pair::new("google-calendar", "calendar", reach).of(MAIN)
}

/// The events since a token.
fn changes() -> Pair {
    events(Reach::Changes).after(&json!({ "sync": "former" }))
}

fn error(status: u16, reason: &str, location: &str) -> Value {
    let one = json!({ "domain": "calendar", "reason": reason, "message": "No.", "location": location });
    json!({ "error": { "errors": [one], "code": status, "message": "No." } })
}

/// A channel's step of the main calendar.
fn channel(of: SubscriptionStep<'_>, status: u16, reason: &str) -> String {
    step("google-calendar", ("events", Some(MAIN)), of, (status, &error(status, reason, "")))
}

pub(super) fn read() -> Vec<Seen> {
    let time = json!({ "dateTime": "2026-12-07T09:00:00+01:00", "timeZone": "Europe/Vienna" });
    let single =
        json!({ "id": "single", "status": "confirmed", "start": time, "end": time, "updated": "2026-11-28T11:00:00Z" });
    let mut series = single.clone();
    (series["id"], series["recurrence"]) = (json!("weekly"), json!(["RRULE:FREQ=WEEKLY"]));
    let hole = json!({
        "id": "weekly_20261214T080000Z", "status": "cancelled", "recurringEventId": "weekly",
        "originalStartTime": { "dateTime": "2026-12-14T08:00:00Z" },
    });
    let ended = json!({ "id": "weekly", "status": "cancelled" });
    let page = |items: Value, next: &str| json!({ "items": items, "timeZone": "Europe/Vienna", "nextPageToken": next });
    let last = |items: Value| json!({ "items": items, "timeZone": "Europe/Vienna", "nextSyncToken": "next" });
    let of_list = json!({ "items": [{ "id": MAIN, "summary": "Me", "primary": true }], "nextSyncToken": "next" });
    let whole = last(json!([series, hole]));
    let hole_read = events(Reach::Everything).read(&[(200, whole)]);
    let together = changes().read(&[(200, last(json!([hole, ended])))]);
    let apart = changes().read(&[(200, page(json!([ended]), "2")), (200, last(json!([hole])))]);
    vec![
        (
            "a token that is no longer valid asks for everything, and is no empty page",
            changes().read(&[(410, error(410, "fullSyncRequired", "syncToken"))]),
            json!({ "refusal": "Expired" }),
        ),
        (
            "a page without events is not the last one, and only the last has the token",
            fields(
                &events(Reach::Everything).read(&[
                    (200, page(json!([]), "2")),
                    (200, page(json!([single]), "3")),
                    (200, last(json!([]))),
                ]),
                &["entities", "next"],
            ),
            json!([[["owner@example.com/single", true]], { "sync": "next" }]),
        ),
        (
            "series are asked for whole, deleted ones with them, and nothing that a token forbids",
            {
                let question = changes().question();
                let says = ["singleEvents=false", "showDeleted=true", "syncToken=former"];
                let forbidden = ["timeMin=", "timeMax=", "updatedMin=", "orderBy=", "q=", "iCalUID="];
                json!([says.map(|text| question.contains(text)), forbidden.map(|text| question.contains(text))])
            },
            json!([[true, true, true], [false, false, false, false, false, false]]),
        ),
        (
            "an occurrence that was cancelled before the first sync is a hole in its series",
            json!([
                fields(&hole_read, &["entities"]),
                hole_read["documents"][1]["busy"],
                hole_read["documents"][1]["original_start"]
            ]),
            json!([
                [[["owner@example.com/weekly", true], ["owner@example.com/weekly_20261214T080000Z", true]]],
                false,
                "2026-12-14T08:00:00Z"
            ]),
        ),
        (
            "the cancelled occurrences of a series that is deleted go with it",
            fields(&together, &["entities"]),
            json!([[["owner@example.com/weekly_20261214T080000Z", false], ["owner@example.com/weekly", false]]]),
        ),
        (
            "the cancelled occurrences of a series that is deleted go with it, a page later as well",
            fields(&apart, &["entities"]),
            json!([[["owner@example.com/weekly", false], ["owner@example.com/weekly_20261214T080000Z", false]]]),
        ),
        (
            "what is known of the occurrences of a series that is deleted goes with it, though no page names them",
            {
                let read = changes().read(&[(200, last(json!([ended])))]);
                let source = hooktide_providers::by_id("google-calendar").and_then(|provider| provider.source());
                let goes = |id: &str| source.is_some_and(|source| source.goes_with(id, "owner@example.com/weekly"));
                let ids = ["weekly_20261214T080000Z", "weekly_R20261214T080000", "weekly2_20261214"];
                json!([read["ended"], ids.map(|id| goes(&format!("{MAIN}/{id}")))])
            },
            json!([["owner@example.com/weekly"], [true, false, false]]),
        ),
        (
            "the main calendar has its own id, and not the alias that differs by account",
            fields(&Pair::new("google-calendar", "calendars", Reach::Everything).read(&[(200, of_list)]), &["parts"]),
            json!([[[MAIN, true, false]]]),
        ),
        (
            "a channel that is stopped twice, or has ended by itself, is gone",
            json!([(404, "notFound"), (410, "deleted")].map(|(status, reason)| channel(
                SubscriptionStep::End { id: "one/two/1795000000000" },
                status,
                reason
            ))),
            json!(["gone", "gone"]),
        ),
        (
            "a channel whose first answer was lost is not opened again under another id",
            json!(channel(SubscriptionStep::Register, 400, "channelIdNotUnique")),
            json!("active"),
        ),
        (
            "a calendar that nothing is sent about costs no credentials, and no other calendar",
            json!(channel(SubscriptionStep::Register, 400, "pushNotSupportedForRequestedResource")),
            json!("unsupported"),
        ),
        (
            "a webhook address that is refused with 401 is no matter of the token",
            json!([400, 401].map(|status| {
                channel(SubscriptionStep::Register, status, "push.webhookUrlUnauthorized").starts_with("Closed(")
            })),
            json!([true, true]),
        ),
    ]
}

/// The changes of an event that is deleted after its calendar's token has expired, while nothing is heard.
async fn deleted_meanwhile() -> Value {
    let shop = Shop::silent("google-calendar").await;
    let id = shop.edit(json!({ "what": "event", "fields": { "summary": "Lunch" } })).await;
    shop.day().await;
    let is_it = |change: &Value| change["document"]["id"].as_str().is_some_and(|own| id == format!("{MAIN}/{own}"));
    let Some(entity) = shop.entity(is_it).await else { return json!("it was not read") };
    shop.edit(json!({ "what": "tokens" })).await;
    shop.edit(json!({ "what": "event", "id": id })).await;
    shop.day().await;
    json!(shop.ops(&entity).await)
}

pub(super) async fn edited() -> Vec<Seen> {
    vec![(
        "an event that is deleted after a token has expired is gone within a day",
        deleted_meanwhile().await,
        json!(["created", "deleted"]),
    )]
}
