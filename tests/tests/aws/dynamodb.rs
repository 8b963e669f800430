//! The table on DynamoDB, against the server of the library that the local host embeds.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use hooktide_aws::table::DynamoTable;
use hooktide_store::ports::{DUE_AT, DUE_PARTITION, PARTITION, SORT, Table};
use hooktide_store::statement::DUE_INDEX;
use hooktide_tests::contracts::table::keeps_its_promises;
use hooktide_tests::emulator::configuration;

const TABLE: &str = "hooktide";

/// A server with the table; its address.
async fn server() -> String {
    let database = dynoxide::Database::memory().expect("a database in memory");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let client = Client::new(&configuration(&url).await);
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute")
    };
    let schema = |hash: &str, range: &str| {
        [(hash, KeyType::Hash), (range, KeyType::Range)]
            .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key"))
    };
    let due = GlobalSecondaryIndex::builder()
        .index_name(DUE_INDEX)
        .set_key_schema(Some(schema(DUE_PARTITION, DUE_AT).to_vec()))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("an index");
    client
        .create_table()
        .table_name(TABLE)
        .set_key_schema(Some(schema(PARTITION, SORT).to_vec()))
        .attribute_definitions(attribute(PARTITION, ScalarAttributeType::S))
        .attribute_definitions(attribute(SORT, ScalarAttributeType::S))
        .attribute_definitions(attribute(DUE_PARTITION, ScalarAttributeType::S))
        .attribute_definitions(attribute(DUE_AT, ScalarAttributeType::N))
        .global_secondary_indexes(due)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .expect("the table is made");
    url
}

async fn table(url: &str) -> Arc<dyn Table> {
    Arc::new(DynamoTable::new(Client::new(&configuration(url).await), TABLE))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_on_dynamodb_keeps_its_promises() {
    keeps_its_promises(&*table(&server().await).await).await;
}
