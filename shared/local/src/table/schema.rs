//! The one table and its index, made when a store is opened for the first time.

use std::sync::Arc;

use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use dynoxide::types::{
    AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use dynoxide::{Database, DynoxideError};
use hooktide_store::ports::{Clock, DUE_AT, DUE_PARTITION, EXPIRES_AT, PARTITION, SORT};
use hooktide_store::statement::DUE_INDEX;

use super::TABLE;

/// Makes the table unless it is there.
pub(super) fn ensure(database: &Database) -> Result<(), DynoxideError> {
    match database.describe_table(DescribeTableRequest { table_name: TABLE.to_owned() }) {
        Ok(_) => return Ok(()),
        Err(DynoxideError::ResourceNotFoundException(_)) => {}
        Err(error) => return Err(error),
    }
    match database.create_table(table()) {
        // Another process that opened the same file was faster.
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error),
    }
    database.update_time_to_live(UpdateTimeToLiveRequest {
        table_name: TABLE.to_owned(),
        time_to_live_specification: TimeToLiveSpecification { attribute_name: EXPIRES_AT.to_owned(), enabled: true },
    })?;
    Ok(())
}

fn table() -> CreateTableRequest {
    let typed = |name: &str, attribute_type| AttributeDefinition { attribute_name: name.to_owned(), attribute_type };
    CreateTableRequest {
        table_name: TABLE.to_owned(),
        key_schema: key_schema(PARTITION, SORT),
        attribute_definitions: vec![
            typed(PARTITION, ScalarAttributeType::S),
            typed(SORT, ScalarAttributeType::S),
            typed(DUE_PARTITION, ScalarAttributeType::S),
            typed(DUE_AT, ScalarAttributeType::N),
        ],
        global_secondary_indexes: Some(vec![GlobalSecondaryIndex {
            index_name: DUE_INDEX.to_owned(),
            key_schema: key_schema(DUE_PARTITION, DUE_AT),
            projection: Projection { projection_type: Some(ProjectionType::ALL), non_key_attributes: None },
            provisioned_throughput: None,
        }]),
        billing_mode: Some("PAY_PER_REQUEST".to_owned()),
        ..CreateTableRequest::default()
    }
}

fn key_schema(hash: &str, range: &str) -> Vec<KeySchemaElement> {
    let element = |name: &str, key_type| KeySchemaElement { attribute_name: name.to_owned(), key_type };
    vec![element(hash, KeyType::HASH), element(range, KeyType::RANGE)]
}

/// The port's clock as dynoxide reads it.
pub(super) struct Seconds(pub(super) Arc<dyn Clock>);

impl dynoxide::storage_backend::Clock for Seconds {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_millisecond() as f64 / 1000.0
    }
}
