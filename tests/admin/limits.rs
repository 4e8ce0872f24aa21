//! Failed log-ins: the limit, and who is not touched by it.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::issuer::Issuer;
use crate::node::{Node, code};
use crate::people::{access, people};

/// The status of a call from one of loopback's other addresses.
fn status_from(address: &str, node: &Node, token: &str) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(format!("127.0.0.1:{}", node.admin).parse().unwrap()).await.unwrap();
        let request = format!("GET /status HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].parse().unwrap()
    })
}

#[test]
fn an_address_that_fails_too_often_waits_and_others_do_not() {
    let Some(mut issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, ""));
    let (good, fresh) = (issuer.token("oto", "member1", "ES256"), issuer.token("oto", "member1", "ES256"));
    let bad = issuer.forge("stranger", &issuer.claims("oto"), &json!({}));
    assert_eq!(status_from("127.0.0.2", &node, &good), 200);
    for _ in 0..10 {
        assert_eq!(status_from("127.0.0.2", &node, &bad), 401);
    }
    assert_eq!(status_from("127.0.0.2", &node, &bad), 429);
    assert_eq!(status_from("127.0.0.2", &node, &fresh), 429, "a token that this node has not seen waits");
    assert_eq!(status_from("127.0.0.2", &node, &good), 200, "one that was good before does not");
    // The name was presented ten times by a stranger: its owner, elsewhere, is let in all the same.
    assert_eq!(status_from("127.0.0.3", &node, &fresh), 200);
    assert_eq!(status_from("127.0.0.3", &node, &bad), 429, "the stranger is known by the name now");
    let answer = node.get_as("/status", &bad);
    assert_eq!((answer.status, code(&answer).as_str()), (429, "CEL2316"));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
}
