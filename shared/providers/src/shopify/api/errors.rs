//! Errors in Shopify's three layers: the status, errors beside the data, and what a call says about its cost.

use std::time::Duration;

use http::StatusCode;

use crate::lenient::{Lenient, Object, fields};
use crate::protocols::{answers, graphql};
use crate::{Answer, Refusal};

/// The longest time to wait for points, in seconds.
const LONGEST_WAIT: u64 = 300;
/// The status for too many requests of a sort that looks malicious.
const SECURITY_REJECTION: u16 = 430;

fields! {
    struct Reply {
        extensions: Lenient<Object<Extensions>>,
    }
}

fields! {
    struct Extensions {
        cost: Lenient<Object<Cost>>,
    }
}

fields! {
    struct Cost {
        requested: Lenient<String> = "requestedQueryCost",
        throttle: Lenient<Object<Throttle>> = "throttleStatus",
    }
}

fields! {
    struct Throttle {
        available: Lenient<String> = "currentlyAvailable",
        rate: Lenient<String> = "restoreRate",
    }
}

/// Sorts an answer by its status, and by the codes of its errors.
pub(super) fn sort(answer: &Answer) -> Result<(), Refusal> {
    let after = answers::after(answer);
    match answer.status() {
        // The shop is frozen, or locked: its owner has to pay, or Shopify to unlock it.
        StatusCode::PAYMENT_REQUIRED | StatusCode::LOCKED => return Err(Refusal::Unavailable { after }),
        status if status.as_u16() == SECURITY_REJECTION => return Err(Refusal::Limited { after }),
        _ => answers::sort(answer)?,
    }
    let sorts = graphql::codes(answer).into_iter().map(|code| match code.as_str() {
        "THROTTLED" => Refusal::Limited { after: wait(answer) },
        "ACCESS_DENIED" => Refusal::Forbidden,
        "INTERNAL_SERVER_ERROR" | "SHOP_INACTIVE" | "TIMEOUT" => Refusal::Unavailable { after },
        _ => Refusal::Invalid,
    });
    // What may pass counts more than a question that is wrong.
    sorts.reduce(|one, other| if one == Refusal::Invalid { other } else { one }).map_or(Ok(()), Err)
}

/// How long it takes until there are enough points for what was asked.
fn wait(answer: &Answer) -> Option<Duration> {
    let Object(reply) = serde_json::from_slice::<Object<Reply>>(answer.body()).ok()?;
    let Object(cost) = reply.extensions.read()?.0.cost.read()?;
    let Object(throttle) = cost.throttle.read()?;
    let number = |text: Lenient<String>| text.read()?.parse::<f64>().ok().filter(|number| number.is_finite());
    let (requested, available) = (number(cost.requested)?, number(throttle.available)?);
    let rate = number(throttle.rate).filter(|rate| *rate > 0.0)?;
    let seconds = ((requested - available) / rate).ceil().clamp(1.0, LONGEST_WAIT as f64);
    Some(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
    }

    #[test]
    fn every_answer_has_its_sort() {
        let error = |code: &str| json!({ "errors": [{ "message": "said", "extensions": { "code": code } }] });
        let (limited, unavailable) = (Refusal::Limited { after: None }, Refusal::Unavailable { after: None });
        for (status, body, expected) in [
            (200, json!({ "data": {} }), Ok(())),
            (200, error("THROTTLED"), Err(limited)),
            (200, error("ACCESS_DENIED"), Err(Refusal::Forbidden)),
            (200, error("INTERNAL_SERVER_ERROR"), Err(unavailable)),
            (200, error("SHOP_INACTIVE"), Err(unavailable)),
            (200, error("MAX_COST_EXCEEDED"), Err(Refusal::Invalid)),
            (200, json!({ "errors": [{ "message": "Field 'x' doesn't exist" }] }), Err(Refusal::Invalid)),
            (200, json!({ "errors": [{}, { "extensions": { "code": "THROTTLED" } }] }), Err(limited)),
            (401, json!({ "errors": "[API] Invalid API key or access token" }), Err(Refusal::Refused)),
            (402, json!({}), Err(unavailable)),
            (403, json!({}), Err(Refusal::Forbidden)),
            (404, json!({ "errors": "Not Found" }), Err(Refusal::Invalid)),
            (423, json!({}), Err(unavailable)),
            (429, json!({}), Err(limited)),
            (430, json!({}), Err(limited)),
            (503, json!({}), Err(unavailable)),
        ] {
            assert_eq!(sort(&answer(status, &body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_call_that_costs_too_much_now_waits_until_the_points_are_there() {
        let throttled = |requested: Value, available: Value, rate: Value| {
            let status = json!({ "maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate });
            let cost = json!({ "requestedQueryCost": requested, "actualQueryCost": null, "throttleStatus": status });
            let errors = json!([{ "message": "Throttled", "extensions": { "code": "THROTTLED" } }]);
            sort(&answer(200, &json!({ "errors": errors, "extensions": { "cost": cost } })))
        };
        for (requested, available, rate, seconds) in [
            (json!(914), json!(14), json!(100.0), Some(9)),
            (json!(914), json!(13.5), json!(100), Some(10)),
            (json!(7), json!(7), json!(100), Some(1)),
            (json!(1_000_000), json!(0), json!(100), Some(LONGEST_WAIT)),
            (json!(914), json!(14), json!(0), None),
            (json!(914), json!("soon"), json!(100), None),
        ] {
            let after = seconds.map(Duration::from_secs);
            assert_eq!(throttled(requested, available, rate), Err(Refusal::Limited { after }));
        }
    }
}
