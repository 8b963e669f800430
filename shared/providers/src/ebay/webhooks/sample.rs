//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use hooktide_model::signing;

/// The private key that samples are signed with: one that anybody can read here.
pub(in crate::ebay) const KEY: &str =
    r#"{"kid":"sample","key":"17114b25f8de7c28ea472527aed968f0fc16042c6456ae4c5c34745516e005da"}"#;
/// The public half of [`KEY`], as it is pinned.
pub(in crate::ebay) const PUBLIC_KEY: &str = concat!(
    r#"{"kid":"sample","key":"-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2ncLb6M/fpSfbBJSiP0J5/IF"#,
    r#"XLPIKDc6qtmXyW2VSPHvwcz40bS08c2r/My01pEIKV+LhadugoZCDbF8OFwUXA=="#,
    r#"-----END PUBLIC KEY-----","algorithm":"ECDSA","digest":"SHA1"}"#,
);

/// The first of the items' ids, which have twelve digits.
const FIRST_ITEM: u64 = 406_000_000_000;

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let when = sample.updated_at.to_string();
    let value = json!({
        "metadata": { "topic": topic, "schemaVersion": "1.0", "deprecated": false },
        "notification": {
            "notificationId": id(topic, sample),
            "eventDate": when,
            "publishDate": when,
            "publishAttemptCount": 1,
            "data": data(topic, sample)?,
        },
    });
    serde_json::to_vec(&value).ok().map(Bytes::from)
}

/// Another one for each event.
fn id(topic: &str, sample: &Sample<'_>) -> String {
    let of = format!("{topic}/{}/{}/{}", sample.account, sample.number, sample.updated_at);
    let hash = signing::sha256_hex(of.as_bytes());
    let uuid = |at: usize| {
        let part = |from: usize, to: usize| hash.get(at + from..at + to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    };
    format!("{}_{}", uuid(0), uuid(32))
}

fn data(topic: &str, sample: &Sample<'_>) -> Option<Value> {
    let number = sample.number;
    let item = (FIRST_ITEM + number % 1_000_000_000).to_string();
    let order = format!("{:02}-{:05}-{:05}", number % 100, number / 100 % 100_000, number % 99_991);
    let user = json!({ "userId": sample.account, "username": "sample_tea_house" });
    let listing = |more: Value| {
        let mut listing = json!({
            "itemId": item,
            "listingMarketplaceId": "EBAY_GB",
            "seller": user,
            "categoryId": "38181",
            "metaCategoryId": "14308",
        });
        if let (Value::Object(listing), Value::Object(more)) = (&mut listing, more) {
            listing.extend(more);
        }
        listing
    };
    let of_order =
        |name: &str, id: &str| json!({ "user": user, name: { id: format!("50{number:08}"), "orderId": order } });
    let lines = json!([{ "orderLineItemId": format!("100{number:011}"), "listingId": item, "quantity": 1 }]);
    let message = json!({
        "messageId": format!("54{number:011}"),
        "senderUsername": "john_buys",
        "recipientUsername": "sample_tea_house",
        "subject": "Is it this year's harvest?",
    });
    let feedback = |provider: &str, receiver: &str| {
        json!({
            "feedbackDetail": {
                "feedbackId": format!("29{number:011}"),
                "commentType": "POSITIVE",
                "feedbackState": "ENTERED",
                "providerUserDetail": { "role": provider },
            },
            "receiverUserDetail": { "role": receiver },
        })
    };
    Some(match topic {
        "MARKETPLACE_ACCOUNT_DELETION" => person(number),
        "AUTHORIZATION_REVOCATION" => json!({
            "username": "sample_tea_house",
            "userId": sample.account,
            "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ==",
            "revokeReason": "REVOKED_BY_USER",
            "revocationDate": sample.updated_at.to_string(),
        }),
        "ITEM_AVAILABILITY" => {
            let availability = ["AVAILABLE", "UNAVAILABLE"][usize::from(sample.updated_at.as_second() % 2 != 0)];
            listing(json!({ "buyingOptions": ["FIXED_PRICE"], "availability": availability }))
        }
        "ITEM_PRICE_REVISION" => listing(json!({ "price": { "currency": "GBP", "value": "19.00" } })),
        "PRIORITY_LISTING_REVISION" => listing(json!({ "primaryItemGroupId": item, "priorityListing": true })),
        "LISTING" => listing(json!({})),
        "ORDER_CONFIRMATION" => json!({ "user": user, "order": { "orderId": order, "orderLineItems": lines } }),
        "ORDER_CANCELLATION_ACTIVITY" => of_order("orderCancellation", "cancellationId"),
        "ORDER_INQUIRY_ACTIVITY" => of_order("orderInquiry", "inquiryId"),
        "ORDER_RETURN_ACTIVITY" => of_order("orderReturn", "returnId"),
        "ITEM_COMMITMENT_CANCELLATION_ACTIVITY" => of_order("itemCommitmentCancellation", "cancellationId"),
        "ITEM_MARKED_SHIPPED" => json!({ "itemMarkedShipped": {
            "itemId": item,
            "orderId": order,
            "username": "sample_tea_house",
            "publicUserId": sample.account,
            "trackingNumber": format!("93612896{number:014}"),
        }}),
        "BUYER_QUESTION" | "NEW_MESSAGE" => message,
        "FEEDBACK_LEFT" => feedback("SELLER", "BUYER"),
        "FEEDBACK_RECEIVED" | "FEEDBACK_STAR_RATING" => feedback("BUYER", "SELLER"),
        "PLA_CAMPAIGN_BUDGET_STATUS" | "PRIORITY_CAMPAIGN_STRATEGY_BUDGET_STATUS" => {
            json!({ "user": user, "campaignId": format!("10{number:09}"), "budgetStatus": "OUT_OF_BUDGET" })
        }
        "BUYER_REQUESTED_PURCHASE_QUOTE"
        | "PURCHASE_QUOTE_CANCELLATION_ACTIVITY"
        | "OFFER_ACTIVITY"
        | "LISTING_PREVIEW_CREATION_TASK_STATUS"
        | "SELLER_CUSTOMER_SERVICE_METRIC_RATING"
        | "SELLER_STANDARDS_PROFILE_METRICS" => json!({ "user": user }),
        _ => return None,
    })
}

/// Anybody who has an account at eBay.
fn person(number: u64) -> Value {
    json!({
        "username": format!("john_buys_{number}"),
        "userId": format!("ma8vp1jy{number:03}"),
        "eiasToken": "nY+sHZ2PrBmdj6wVnY+sEZ2PrA2dj6wJnY+gAZGEpwmdj6x9nY+seQ==",
    })
}
