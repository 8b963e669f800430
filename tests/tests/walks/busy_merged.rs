//! Merged blocks: times that overlap or touch are one block in calendars whose connection says so.

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::{Blocking, Side};
use serde_json::{Value, json};

/// The providers whose calendars can be written.
const TARGETS: [&str; 3] = ["google-calendar", "microsoft-graph", "caldav"];

/// A Sunday, on which nobody has anything else to do.
const DAY: &str = "2026-12-20";

fn at(hour: &str) -> String {
    format!("{DAY}T{hour}:00:00Z")
}

/// The blocks of that day in a calendar, as hours, each with its state unless that is `there`.
async fn merged(blocking: &Blocking, side: &Side) -> Vec<String> {
    let hours = |text: &str| text.get(11..13).map_or_else(|| text.to_owned(), str::to_owned);
    let blocks =
        blocking.blocks().await.into_iter().filter(|one| one.calendar == side.main && one.start.starts_with(DAY));
    blocks
        .map(|one| {
            let state = if one.state == "there" { String::new() } else { format!(" {}", one.state) };
            let source = if one.source == "merged" { "" } else { " of its own" };
            format!("{}-{}{state}{source}", hours(&one.start), hours(&one.end))
        })
        .collect()
}

/// Three accounts, in the last of which blocks are merged, and made of the events of the others.
async fn three(target: &'static str) -> Blocking {
    let others = TARGETS.into_iter().filter(|other| *other != target);
    let providers: Vec<&str> = others.chain([target]).collect();
    let blocking = Blocking::between(&providers).await;
    blocking.set(&blocking.sides[2], json!({ "block_merge": true })).await;
    for side in &blocking.sides[..2] {
        let choice = json!({ "is_blocked": false });
        blocking.choose(side, &side.main, choice).await.expect("a choice");
    }
    blocking.settle().await;
    blocking
}

/// How many blocks of that day there are at the providers.
async fn copies(blocking: &Blocking) -> usize {
    blocking.copies().await.iter().filter(|copy| copy.contains(&format!(" {DAY}"))).count()
}

async fn put(blocking: &Blocking, side: usize, id: Option<&str>, hours: (&str, &str)) -> String {
    let id = id.map_or(Value::Null, |id| json!(id));
    blocking.put(&blocking.sides[side], id, (&at(hours.0), &at(hours.1)), json!({})).await
}

#[tokio::test]
async fn times_of_several_calendars_that_overlap_or_touch_are_one_block_that_grows_shrinks_and_splits() {
    for provider in TARGETS {
        let blocking = three(provider).await;
        let target = &blocking.sides[2];
        let told = async || merged(&blocking, target).await;
        let before = blocking.writes(target).await;
        let morning = put(&blocking, 0, None, ("09", "10")).await;
        assert_eq!(told().await, ["09-10"], "{provider}");
        let next = put(&blocking, 1, None, ("10", "11")).await;
        assert_eq!(told().await, ["09-11"], "{provider}: it touches");
        let inner = put(&blocking, 0, None, ("09", "10")).await;
        assert_eq!(told().await, ["09-11"], "{provider}: it changes nothing");
        let late = put(&blocking, 1, None, ("13", "14")).await;
        assert_eq!(told().await, ["09-11", "13-14"], "{provider}");
        assert_eq!(blocking.writes(target).await - before, 3, "{provider}: two are made, and one is moved");
        let bridge = put(&blocking, 0, None, ("11", "13")).await;
        assert_eq!(told().await, ["09-14"], "{provider}");
        blocking.delete(&blocking.sides[0], &bridge).await;
        assert_eq!(told().await, ["09-11", "13-14"], "{provider}");
        put(&blocking, 1, Some(&next), ("15", "16")).await;
        assert_eq!(told().await, ["09-10", "13-14", "15-16"], "{provider}");
        blocking.delete(&blocking.sides[0], &morning).await;
        assert_eq!(told().await, ["09-10", "13-14", "15-16"], "{provider}: the other one is still there");
        blocking.hours(26).await;
        assert_eq!(told().await, ["09-10", "13-14", "15-16"], "{provider}");
        assert_eq!(blocking.plan().await, json!([]), "{provider}");
        assert_eq!(copies(&blocking).await, 3, "{provider}");
        for (side, id) in [(0, &inner), (1, &late), (1, &next)] {
            blocking.delete(&blocking.sides[side], id).await;
        }
        blocking.hours(2).await;
        assert_eq!(told().await, [""; 0], "{provider}");
        assert_eq!(copies(&blocking).await, 0, "{provider}");
    }
}

#[tokio::test]
async fn whole_days_are_merged_with_days_and_lie_beside_times() {
    let blocking = three("google-calendar").await;
    let days = async |from: &str, to: &str| {
        let times = (format!("2026-12-{from}"), format!("2026-12-{to}"));
        blocking.put(&blocking.sides[0], Value::Null, (&times.0, &times.1), json!({})).await
    };
    days("20", "21").await;
    put(&blocking, 1, None, ("09", "10")).await;
    days("21", "23").await;
    days("24", "25").await;
    let told = merged(&blocking, &blocking.sides[2]).await;
    assert_eq!(told, ["2026-12-20-2026-12-23", "09-10"]);
}

#[tokio::test]
async fn a_series_of_many_occurrences_is_merged_with_what_is_beside_each_of_them() {
    let blocking = three("caldav").await;
    let daily = json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=8"] });
    let times = (at("09"), at("10"));
    let series = blocking.put(&blocking.sides[0], Value::Null, (&times.0, &times.1), daily).await;
    put(&blocking, 1, None, ("10", "11")).await;
    let target = &blocking.sides[2];
    assert_eq!(merged(&blocking, target).await, ["09-11"]);
    let count = async || blocking.blocks().await.into_iter().filter(|one| one.calendar == target.main).count();
    let before = count().await;
    let times = (at("11"), at("12"));
    let daily = json!({ "recurrence": ["RRULE:FREQ=DAILY;COUNT=8"] });
    blocking.put(&blocking.sides[0], json!(series), (&times.0, &times.1), daily).await;
    assert_eq!(merged(&blocking, target).await, ["10-12"]);
    assert!(count().await.abs_diff(before) <= 3, "as many but for those that others touch");
    blocking.delete(&blocking.sides[0], &series).await;
    assert_eq!(merged(&blocking, target).await, ["10-11"]);
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn blocks_that_are_there_are_merged_when_the_setting_says_so_and_apart_again_when_it_does_not() {
    for provider in TARGETS {
        let blocking = three(provider).await;
        let target = &blocking.sides[2];
        blocking.set(target, json!({ "block_merge": null })).await;
        put(&blocking, 0, None, ("09", "10")).await;
        put(&blocking, 1, None, ("10", "11")).await;
        put(&blocking, 1, None, ("13", "14")).await;
        let apart = ["09-10 of its own", "10-11 of its own", "13-14 of its own"];
        assert_eq!(merged(&blocking, target).await, apart, "{provider}");
        for _ in 0..2 {
            blocking.set(target, json!({ "block_merge": true })).await;
            blocking.hours(2).await;
            assert_eq!(merged(&blocking, target).await, ["09-11", "13-14"], "{provider}");
            assert_eq!((copies(&blocking).await, blocking.plan().await), (2, json!([])), "{provider}");
            blocking.set(target, json!({ "block_merge": false })).await;
            blocking.hours(2).await;
            assert_eq!(merged(&blocking, target).await, apart, "{provider}");
            assert_eq!((copies(&blocking).await, blocking.plan().await), (3, json!([])), "{provider}");
        }
    }
}

/// The id of the only block of a calendar, as edits have it.
async fn only(blocking: &Blocking, side: &Side) -> String {
    let blocks: Vec<_> = blocking
        .blocks()
        .await
        .into_iter()
        .filter(|one| one.calendar == side.main && one.start.starts_with(DAY))
        .collect();
    assert_eq!(blocks.len(), 1, "{blocks:#?}");
    hooktide_model::part::entity_id(&side.main, &blocks[0].provider_id)
}

#[tokio::test]
async fn a_merged_block_that_somebody_deleted_or_moved_is_left_alone_until_its_times_change_or_is_restored() {
    for provider in TARGETS {
        let blocking = three(provider).await;
        let target = &blocking.sides[2];
        put(&blocking, 0, None, ("09", "10")).await;
        let other = put(&blocking, 1, None, ("10", "11")).await;
        blocking.hours(1).await;
        blocking.delete(target, &only(&blocking, target).await).await;
        blocking.hours(26).await;
        assert_eq!(merged(&blocking, target).await, ["09-11 left"], "{provider}");
        assert!(blocking.told().await.contains("somebody deleted the block"), "{provider}");
        put(&blocking, 1, Some(&other), ("10", "12")).await;
        assert_eq!(merged(&blocking, target).await, ["09-12"], "{provider}: there is more to be blocked");
        blocking.hours(1).await;
        let block = only(&blocking, target).await;
        blocking.put(target, json!(block), (&at("18"), &at("19")), json!({})).await;
        assert_eq!(merged(&blocking, target).await, ["09-12 left"], "{provider}");
        put(&blocking, 1, Some(&other), ("10", "13")).await;
        assert_eq!(merged(&blocking, target).await, ["09-13"], "{provider}: what somebody moved is theirs now");
        blocking.set(target, json!({ "block_restore": true })).await;
        blocking.hours(1).await;
        blocking.delete(target, &only(&blocking, target).await).await;
        blocking.hours(1).await;
        assert_eq!(merged(&blocking, target).await, ["09-13"], "{provider}: {}", blocking.told().await);
        assert_eq!(blocking.plan().await, json!([]), "{provider}");
    }
}

#[tokio::test]
async fn removal_deletion_and_another_person_leave_no_merged_block() {
    for what in ["remove target", "remove source", "delete target", "delete source", "other person"] {
        let blocking = three("google-calendar").await;
        let target = &blocking.sides[2];
        put(&blocking, 0, None, ("09", "10")).await;
        put(&blocking, 0, None, ("10", "11")).await;
        put(&blocking, 1, None, ("13", "14")).await;
        assert_eq!(merged(&blocking, target).await, ["09-11", "13-14"], "{what}");
        let world = blocking.world();
        let delete = async |side: &Side| {
            let path = format!("/v1/connections/{}", side.connection);
            world.call(&world.operator, http::Method::DELETE, &path, None).await.expect(200);
        };
        let rest: &[&str] = match what {
            "remove target" => {
                blocking.remove(target).await;
                &[]
            }
            "remove source" => {
                blocking.remove(&blocking.sides[0]).await;
                &["13-14"]
            }
            "delete target" => {
                delete(target).await;
                &[]
            }
            "delete source" => {
                delete(&blocking.sides[0]).await;
                &["13-14"]
            }
            _ => {
                blocking.set(&blocking.sides[0], json!({ "user": "somebody" })).await;
                &["13-14"]
            }
        };
        blocking.hours(3).await;
        assert_eq!(merged(&blocking, target).await, rest, "{what}");
        assert_eq!(copies(&blocking).await, rest.len(), "{what}");
    }
}

#[tokio::test]
async fn merged_blocks_whose_provider_is_out_go_and_change_once_it_is_back() {
    for provider in TARGETS {
        let blocking = three(provider).await;
        let target = &blocking.sides[2];
        let second = put(&blocking, 1, None, ("10", "11")).await;
        for status in [503, 403] {
            let first = put(&blocking, 0, None, ("09", "10")).await;
            let alone = put(&blocking, 1, None, ("13", "14")).await;
            put(&blocking, 1, Some(&second), ("10", "11")).await;
            assert_eq!(merged(&blocking, target).await, ["09-11", "13-14"], "{provider} {status}");
            target.bends.set(Bend::Status(status));
            for (side, id) in [(0, &first), (1, &alone)] {
                blocking.delete(&blocking.sides[side], id).await;
            }
            put(&blocking, 1, Some(&second), ("10", "12")).await;
            blocking.hours(1).await;
            let told = merged(&blocking, target).await;
            assert!(told.iter().any(|block| block.contains(' ')), "{provider} {status}: {told:?}");
            target.bends.set(Bend::Nothing);
            blocking.hours(3).await;
            assert_eq!(merged(&blocking, target).await, ["10-12"], "{provider} {status}: {}", blocking.told().await);
            assert_eq!(copies(&blocking).await, 1, "{provider} {status}");
        }
    }
}

#[tokio::test]
async fn what_stems_from_a_connection_is_listed_until_it_is_out_of_all_merged_blocks() {
    let blocking = three("caldav").await;
    let source = &blocking.sides[0];
    put(&blocking, 0, None, ("09", "10")).await;
    put(&blocking, 1, None, ("10", "11")).await;
    let listed = async || {
        let page =
            blocking.world().get(&format!("/v1/busy?limit=200&connection={}", source.connection)).await.expect(200);
        let of_day = |one: &&Value| one["start"].as_str().is_some_and(|start| start.starts_with(DAY));
        page["items"].as_array().into_iter().flatten().filter(of_day).count()
    };
    assert_eq!(listed().await, 1);
    blocking.remove(source).await;
    blocking.hours(1).await;
    assert_eq!(listed().await, 0);
    assert_eq!(merged(&blocking, &blocking.sides[2]).await, ["10-11"]);
}
