//! What a server refuses to start on, and what it says then.

use std::net::SocketAddr;

use hooktide_tests::server::{Server, start_in_vain};
use http::Method;

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

#[tokio::test]
async fn a_locked_folder_is_refused_with_advice() {
    let server = Server::start().await;
    let (status, said) = start_in_vain(&server.home, ANYWHERE).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("is in use by another Hooktide. Stop that one, or give another folder with --home."),
        "{said}"
    );
    assert!(said.contains(server.home.to_str().unwrap()), "{said}");
    assert_eq!(server.client.call(Method::GET, "/v1/changes", None).await.status, 200, "the first one serves on");
}

#[tokio::test]
async fn an_address_in_use_is_refused_with_advice() {
    let server = Server::start().await;
    let (status, said) = start_in_vain(&server.beside("other"), server.address()).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cannot listen on {}", server.address())), "{said}");
    assert!(said.contains("Give another address with --listen.\n"), "{said}");
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_refused_and_left_alone() {
    let mut server = Server::start().await;
    assert_eq!(server.stop("TERM").await.code(), Some(0));
    std::fs::write(server.home.join("format"), "2\n").unwrap();
    let before = files(&server);
    let (status, said) = start_in_vain(&server.home, ANYWHERE).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("was written by a newer Hooktide (format 2, this one knows 1)"), "{said}");
    assert!(said.contains("Start that version, or give another folder with --home.\n"), "{said}");
    assert_eq!(files(&server), before);
    std::fs::write(server.home.join("format"), "1\n").unwrap();
    server.start_again().await;
}

#[tokio::test]
async fn a_folder_that_lost_its_table_or_its_queue_is_refused_with_advice() {
    let mut server = Server::start().await;
    let shop = server.client.shop().await;
    assert_eq!(server.stop("TERM").await.code(), Some(0));
    for (file, lost) in [
        ("table.db", "all connections, states, changes and dead letters"),
        ("queue.db", "what was accepted and not processed yet"),
        ("root-keys.json", "webhook addresses"),
    ] {
        let (path, aside) = (server.home.join(file), server.beside("aside"));
        std::fs::rename(&path, &aside).unwrap();
        let (status, said) = start_in_vain(&server.home, ANYWHERE).await;
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains(file) && said.contains("missing") && said.contains(lost), "{said}");
        assert!(said.contains("Restore it") && said.contains("--home"), "{said}");
        assert!(!path.exists(), "it is not made anew");
        std::fs::rename(&aside, &path).unwrap();
    }
    server.start_again().await;
    let answer = server.client.send(shop.product(1, 0)).await.expect("an answer");
    assert_eq!(answer.status, 200, "once all is back, it goes on");
    // On purpose, as the advice says.
    assert_eq!(server.stop("TERM").await.code(), Some(0));
    for file in ["queue.db", "format"] {
        std::fs::remove_file(server.home.join(file)).unwrap();
    }
    server.start_again().await;
    assert_eq!(server.client.call(Method::GET, "/v1/connections", None).await.status, 200);
}

#[tokio::test]
async fn a_table_of_other_root_keys_is_refused_with_advice() {
    let (mut first, mut second) = tokio::join!(Server::start(), Server::start());
    for server in [&mut first, &mut second] {
        assert_eq!(server.stop("TERM").await.code(), Some(0));
    }
    let keys = |server: &Server| server.home.join("root-keys.json");
    let own = std::fs::read(keys(&first)).unwrap();
    std::fs::copy(keys(&second), keys(&first)).unwrap();
    let (status, said) = start_in_vain(&first.home, ANYWHERE).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("was written under other root keys"), "{said}");
    assert!(said.contains("Restore the root-keys.json and the table.db that belong together."), "{said}");
    std::fs::write(keys(&first), own).unwrap();
    first.start_again().await;
}

fn files(server: &Server) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = std::fs::read_dir(&server.home).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut files: Vec<_> = files.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}
