//! The bare server: axum, answering 200 once it has read the body. It verifies nothing, keeps nothing.

use axum::Router;
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::net::TcpListener;

/// Serves until it is killed; says first where.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        println!("{}", listener.local_addr().expect("its address"));
        let app = Router::new().fallback(|_body: Bytes| async { StatusCode::OK });
        axum::serve(listener, app).await.expect("the server serves");
    });
}
