//! `publish --to` and `status` against what a node's admin surface answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use crate::ground::Ground;

#[test]
fn a_document_goes_to_a_node_and_its_answer_is_told() {
    let (ground, _) = Ground::begun();
    let (place, asked) = answer_once(200, r#"{"version":2,"outcome":"new"}"#);
    let told = ground.run(&format!("governance publish node/000002-directory.note --to {place}")).well();
    assert!(told.contains("is on version 2, it took this one"), "{told}");
    let (head, body) = asked.join().unwrap();
    assert!(head.starts_with("POST /governance/documents HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/vnd.celosia.note"), "{head}");
    assert_eq!(body, ground.read("node/000002-directory.note"));

    let (place, _) = answer_once(409, r#"{"code":"CEL6014","message":"a fork at version 2"}"#);
    let said = ground.run(&format!("governance publish node/000002-directory.note --to {place}"));
    said.badly(6067, "answers CEL6014: a fork at version 2");
}

#[test]
fn members_that_lag_behind_are_named() {
    let ground = Ground::new();
    let (place, asked) = answer_once(
        200,
        r#"{"network":"ab","version":3,"directory":3,"policy":1,"members":[{"id":"azul","version":3,"seen":"now"},{"id":"rojo","version":2,"seen":"then"}]}"#,
    );
    let told = ground.run(&format!("governance status --admin {place}")).well();
    assert!(told.contains("1 of 2 members are on version 3 or later\n  rojo  on version 2, seen then\n"), "{told}");
    assert!(asked.join().unwrap().0.starts_with("GET /governance/status HTTP/1.1"));
}

#[test]
fn a_node_is_asked_what_it_sent() {
    let (ground, _) = Ground::begun();
    let sent = r#"{"time":1769860800000,"kind":"sent","class":"personal","sender":"azul","recipients":["gris"]}
{"time":1769860800000,"kind":"sent","class":"personal","sender":"azul","recipients":["azul"]}
"#;
    let (place, asked) = answer_once(200, sent);
    let told = ground.run(&format!("governance dry-run --policy 1 --folder node --admin {place} --days 3")).well();
    assert!(told.contains(":1: 2026-01-31T12:00:00Z: names a member that the directory does not have"), "{told}");
    assert!(told.ends_with("2 sends, 0 of them refused then; 0 would be refused, 1 not judged\n"), "{told}");
    assert!(asked.join().unwrap().0.starts_with("GET /governance/traffic?days=3 HTTP/1.1"));
}

/// A surface that answers one request. What it was asked comes back: head and body.
fn answer_once(status: u16, body: &str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let asked = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0);
        }
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    (place, asked)
}
