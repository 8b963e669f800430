//! The page that a browser gets.

use hooktide_tests::world::World;
use http::{Request, StatusCode};

#[tokio::test]
async fn a_browser_is_told_what_this_is_and_where_to_go() {
    let world = World::new().await;
    let request = Request::get("/").body(bytes::Bytes::new()).expect("a request");
    let answer = world.request(request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = String::from_utf8_lossy(&answer.body);
    for told in ["Hooktide", "Running", "hooktide send", "hooktide tail", r#"href="v1/openapi.json""#] {
        assert!(page.contains(told), "{told}");
    }
}
