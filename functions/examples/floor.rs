//! The floor that the functions' start is measured against: an empty function that builds the same clients.

use hooktide_aws::{blobs, clients};
use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let configuration = clients::configuration().await;
    let built = (
        clients::table(&configuration),
        clients::queue(&configuration),
        clients::bus(&configuration),
        clients::secrets(&configuration),
        blobs::bucket("bucket")?,
    );
    lambda_http::run(service_fn(|_: Request| async { Ok::<_, Error>("") })).await?;
    drop(built);
    Ok(())
}
