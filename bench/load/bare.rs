//! The bare server: axum, answering 200 once it has read the body. It verifies nothing, keeps nothing.

use axum::Router;
use axum::http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use tokio::net::TcpListener;

/// Serves the bytes of a file, as JSON, until it is killed; says first where. Whoever knows an answer is told so.
pub(crate) fn serve_bytes(file: &str) {
    let body = Bytes::from(std::fs::read(file).expect("a file"));
    let answer = move |headers: HeaderMap| async move {
        match headers.contains_key(IF_NONE_MATCH) {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        }
    };
    serve_app(Router::new().fallback(answer));
}

/// Serves until it is killed; says first where.
pub(crate) fn serve() {
    serve_app(Router::new().fallback(|_body: Bytes| async { StatusCode::OK }));
}

fn serve_app(app: Router) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(serve_on_free_port(app));
}

/// Serves an app on a free port; says first on which.
pub(crate) async fn serve_on_free_port(app: Router) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    println!("{}", listener.local_addr().expect("its address"));
    axum::serve(listener, app).await.expect("the server serves");
}
