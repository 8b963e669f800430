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

fn files(server: &Server) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let entries = std::fs::read_dir(&server.home).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let mut files: Vec<_> = files.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}
