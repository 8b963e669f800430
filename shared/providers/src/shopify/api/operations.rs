//! The operations that Shopify is asked for. Fields have the names that webhooks give them, so that both are read alike.

use crate::protocols::graphql::Operation;

/// The parts of a variant.
macro_rules! variant {
    () => {
        "id: legacyResourceId sku barcode price inventory_quantity: inventoryQuantity"
    };
}

/// The parts of a product. Images and not media: only their ids are those that webhooks have.
macro_rules! product {
    () => {
        concat!(
            "id: legacyResourceId title status updated_at: updatedAt \
             variants(first: $variants) { pageInfo { hasNextPage endCursor } nodes { ",
            variant!(),
            " } } images(first: $images, sortKey: POSITION) { pageInfo { hasNextPage } nodes { id url } }"
        )
    };
}

/// The parts of an event.
macro_rules! events {
    () => {
        "pageInfo { hasNextPage endCursor } nodes { ... on BasicEvent { action subjectId subjectType createdAt } }"
    };
}

/// The parts of a level: how much of an inventory item there is at a location.
macro_rules! level {
    () => {
        "isActive updatedAt quantities(names: [\"available\"]) { name quantity updatedAt }"
    };
}

/// The parts of an inventory item: whether it is counted, and the variants that share it.
macro_rules! item {
    () => {
        "id: legacyResourceId tracked \
         variants(first: 5) { pageInfo { hasNextPage } nodes { id: legacyResourceId } }"
    };
}

/// The parts of the levels of a location.
macro_rules! levels {
    () => {
        concat!("pageInfo { hasNextPage endCursor } nodes { ", level!(), " item { ", item!(), " } }")
    };
}

/// The first page of products that changed, and the first page of deletions.
pub(super) const CHANGES: Operation = Operation {
    name: "HooktideChanges",
    document: concat!(
        "query HooktideChanges($first: Int!, $query: String, $variants: Int!, $images: Int!, $events: Int!, \
         $erased: String!) { products(first: $first, query: $query, sortKey: UPDATED_AT) { \
         pageInfo { hasNextPage endCursor } nodes { ",
        product!(),
        " } } events(first: $events, query: $erased, sortKey: CREATED_AT) { ",
        events!(),
        " } }"
    ),
};

/// A page of products.
pub(super) const LIST: Operation = Operation {
    name: "HooktideProducts",
    document: concat!(
        "query HooktideProducts($first: Int!, $after: String, $query: String, $sort: ProductSortKeys!, \
         $variants: Int!, $images: Int!) { products(first: $first, after: $after, query: $query, sortKey: $sort) { \
         pageInfo { hasNextPage endCursor } nodes { ",
        product!(),
        " } } }"
    ),
};

/// A further page of deletions.
pub(super) const ERASED: Operation = Operation {
    name: "HooktideErased",
    document: concat!(
        "query HooktideErased($events: Int!, $after: String, $erased: String!) { \
         events(first: $events, after: $after, query: $erased, sortKey: CREATED_AT) { ",
        events!(),
        " } }"
    ),
};

/// One product, with the first page of its variants, and how many it has.
pub(super) const PRODUCT: Operation = Operation {
    name: "HooktideProduct",
    document: concat!(
        "query HooktideProduct($id: ID!, $variants: Int!, $images: Int!) { product(id: $id) { ",
        product!(),
        " variants_count: variantsCount { count } } }"
    ),
};

/// A further page of the variants of a product.
pub(super) const VARIANTS: Operation = Operation {
    name: "HooktideVariants",
    document: concat!(
        "query HooktideVariants($id: ID!, $variants: Int!, $after: String!) { product(id: $id) { \
         updated_at: updatedAt variants(first: $variants, after: $after) { pageInfo { hasNextPage endCursor } nodes { ",
        variant!(),
        " } } } }"
    ),
};

/// Where a further page of the variants of a product ends, and nothing of what it has.
pub(super) const VARIANTS_END: Operation = Operation {
    name: "HooktideVariantsEnd",
    document: "query HooktideVariantsEnd($id: ID!, $variants: Int!, $after: String!) { product(id: $id) { \
               variants(first: $variants, after: $after) { pageInfo { hasNextPage endCursor } } } }",
};

/// A page of locations, each with the first page of its levels.
pub(super) const STOCK: Operation = Operation {
    name: "HooktideStock",
    document: concat!(
        "query HooktideStock($first: Int!, $after: String, $levels: Int!, $query: String, $inactive: Boolean!) { \
         locations(first: $first, after: $after, includeLegacy: true, sortKey: ID) { \
         pageInfo { hasNextPage endCursor } nodes { id: legacyResourceId \
         inventoryLevels(first: $levels, query: $query, includeInactive: $inactive) { ",
        levels!(),
        " } } } }"
    ),
};

/// A further page of the levels of a location.
pub(super) const LEVELS: Operation = Operation {
    name: "HooktideLevels",
    document: concat!(
        "query HooktideLevels($location: ID!, $levels: Int!, $after: String, $query: String, $inactive: Boolean!) { \
         location(id: $location) { id: legacyResourceId \
         inventoryLevels(first: $levels, after: $after, query: $query, includeInactive: $inactive) { ",
        levels!(),
        " } } }"
    ),
};

/// The level of one variant at one location.
pub(super) const LEVEL: Operation = Operation {
    name: "HooktideLevel",
    document: concat!(
        "query HooktideLevel($variant: ID!, $location: ID!) { productVariant(id: $variant) { id: legacyResourceId \
         inventoryItem { tracked inventoryLevel(locationId: $location, includeInactive: true) { ",
        level!(),
        " } } } }"
    ),
};

/// The level of one inventory item at one location, with the variants that share the item.
pub(super) const ITEM_LEVEL: Operation = Operation {
    name: "HooktideItemLevel",
    document: concat!(
        "query HooktideItemLevel($item: ID!, $location: ID!) { inventoryItem(id: $item) { ",
        item!(),
        " inventoryLevel(locationId: $location, includeInactive: true) { ",
        level!(),
        " } } }"
    ),
};

/// A new subscription.
pub(super) const SUBSCRIBE: Operation = Operation {
    name: "HooktideSubscribe",
    document: "mutation HooktideSubscribe($topic: WebhookSubscriptionTopic!, \
               $subscription: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $topic, \
               webhookSubscription: $subscription) { webhookSubscription { id topic uri } \
               userErrors { field message } } }",
};

/// The end of a subscription.
pub(super) const UNSUBSCRIBE: Operation = Operation {
    name: "HooktideUnsubscribe",
    document: "mutation HooktideUnsubscribe($id: ID!) { webhookSubscriptionDelete(id: $id) { \
               deletedWebhookSubscriptionId userErrors { field message } } }",
};

/// One subscription.
pub(super) const SUBSCRIPTION: Operation = Operation {
    name: "HooktideSubscription",
    document: "query HooktideSubscription($id: ID!) { webhookSubscription(id: $id) { id topic uri } }",
};

/// A page of all subscriptions.
pub(super) const SUBSCRIPTIONS: Operation = Operation {
    name: "HooktideSubscriptions",
    document: "query HooktideSubscriptions($first: Int!, $after: String) { webhookSubscriptions(first: $first, \
               after: $after) { pageInfo { hasNextPage endCursor } nodes { id topic uri } } }",
};
