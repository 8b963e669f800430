//! How the command line finds its server, and what it says where another one answers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use hooktide_tests::server::Server;

use super::command::{hooktide, hooktide_at};

#[tokio::test]
async fn the_command_line_finds_the_local_server_wherever_it_listens() {
    let mut server = Server::start().await;
    let file = server.home.join("address");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("http://{}\n", server.address()));
    hooktide(&server, &["status", "--json"], "").json();
    assert_eq!(server.stop("TERM").await.code(), Some(0));
    assert!(!file.exists(), "a server that stopped is at no address");
    let silent = hooktide(&server, &["changes", "--url", "http://127.0.0.1:9"], "");
    assert!(silent.error.contains("Start it with `hooktide serve`"), "{}", silent.error);
    server.start_again().await;
    server.kill_nine().await;
    let killed = hooktide(&server, &["changes"], "");
    assert_eq!(killed.code, Some(1));
    for told in [&server.address().to_string(), file.to_str().unwrap(), "`hooktide serve`"] {
        assert!(killed.error.contains(told), "{told}: {}", killed.error);
    }
}

#[tokio::test]
async fn where_another_server_answers_the_command_line_says_where_and_why_it_is_wrong() {
    let (own, other) = (Server::start().await, Server::start().await);
    let address = format!("http://{}", other.address());
    let refused = hooktide(&own, &["changes", "--url", &address], "");
    assert_eq!(refused.code, Some(1));
    let key = own.home.join("admin-token").display().to_string();
    for told in [address.as_str(), &key, "another Hooktide answers there", "--home"] {
        assert!(refused.error.contains(told), "{told}: {}", refused.error);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 1024];
            let answered = b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>";
            drop((stream.read(&mut request), stream.write_all(answered)));
        }
    });
    let home = own.beside("stale");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("address"), &address).unwrap();
    let strange = hooktide_at(&home, &["changes"], "");
    assert_eq!(strange.code, Some(1));
    for told in [address.as_str(), "is not Hooktide", home.to_str().unwrap(), "--url"] {
        assert!(strange.error.contains(told), "{told}: {}", strange.error);
    }
}

#[tokio::test]
async fn a_new_token_names_its_scope_and_a_refusal_names_the_option_that_gives_it() {
    let server = Server::start().await;
    let made = hooktide(&server, &["token", "create", "--tenant", "acme"], "");
    assert!(made.error.contains("with the scope read (--scope gives another)"), "{}", made.error);
    let add = ["connections", "add", "shopify", "--secret", "client_secret=s", "--token", made.out.trim()];
    let refused = hooktide(&server, &add, "");
    assert_eq!(refused.code, Some(1));
    assert!(refused.error.contains("`hooktide token create --tenant acme --scope operate`"), "{}", refused.error);
}
