use std::time::Duration;

use celosia::net::{Endpoint, Limits, Listener, NetError, Shutdown};
use celosia::types::{Code, Coded};

use crate::support::{Raw, client, router, tcp};

#[tokio::test]
async fn requests_share_a_connection_and_may_be_pipelined() {
    let shutdown = Shutdown::new();
    let mut raw = Raw::to(tcp(router(), Limits::node(), &shutdown).await).await;
    raw.upcheck().await;
    raw.upcheck().await;
    raw.write("POST /echo HTTP/1.1\r\nHost: c\r\nContent-Length: 3\r\n\r\noneGET /upcheck HTTP/1.1\r\nHost: c\r\n\r\n").await;
    let text = raw.read_until("I'm up!").await;
    assert!(text.contains("one") && text.matches("HTTP/1.1 200 OK").count() == 2, "{text}");
}

#[tokio::test]
async fn a_taken_address_is_an_error_that_says_so() {
    let shutdown = Shutdown::new();
    let port = tcp(router(), Limits::node(), &shutdown).await.port();
    let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port };
    let error = Listener::bind(&endpoint, None).await.unwrap_err();
    assert!(matches!(&error, NetError::AddressInUse(address) if address.ends_with(&port.to_string())), "{error}");
    assert_eq!(error.code(), Code(1201));
}

#[tokio::test]
async fn a_host_that_does_not_resolve_is_an_error() {
    let endpoint = Endpoint::Tcp { host: "no-such-host.invalid".to_owned(), port: 0 };
    assert!(matches!(Listener::bind(&endpoint, None).await, Err(NetError::Resolve { .. })));
}

#[tokio::test]
async fn a_head_that_is_too_long_gets_431() {
    let shutdown = Shutdown::new();
    let limits = Limits { head_bytes: 9_000, ..Limits::open() };
    let address = tcp(router(), limits, &shutdown).await;
    let mut long = Raw::to(address).await;
    long.write(&format!("GET /upcheck HTTP/1.1\r\nHost: c\r\nX: {}\r\n\r\n", "x".repeat(10_000))).await;
    assert!(long.read_to_end().await.starts_with("HTTP/1.1 431 "));
    let mut fitting = Raw::to(address).await;
    fitting.write(&format!("GET /upcheck HTTP/1.1\r\nHost: c\r\nX: {}\r\n\r\n", "x".repeat(8_000))).await;
    assert!(fitting.read_until("I'm up!").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn callers_beyond_the_cap_wait_and_are_then_served() {
    let shutdown = Shutdown::new();
    let address = tcp(router(), Limits { connections: 2, ..Limits::node() }, &shutdown).await;
    let (mut first, mut second) = (Raw::to(address).await, Raw::to(address).await);
    first.upcheck().await;
    second.upcheck().await;
    let mut third = Raw::to(address).await;
    third.write("GET /upcheck HTTP/1.1\r\nHost: c\r\n\r\n").await;
    assert!(third.stays_open(Duration::from_millis(300)).await, "answered, or reset, beyond the cap");
    drop(first);
    assert!(third.read_until("I'm up!").await.contains("200 OK"));
    second.upcheck().await;
}

#[tokio::test]
async fn where_idle_connections_yield_one_makes_room() {
    let shutdown = Shutdown::new();
    let address = tcp(router(), Limits { connections: 2, ..Limits::open() }, &shutdown).await;
    let (mut first, mut second) = (Raw::to(address).await, Raw::to(address).await);
    first.upcheck().await;
    second.upcheck().await;
    let mut third = Raw::to(address).await;
    third.upcheck().await;
    let closed = [&mut first, &mut second].map(|raw| async { !raw.stays_open(Duration::from_millis(300)).await });
    let closed = futures_util::future::join_all(closed).await;
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
}

#[tokio::test]
async fn a_burst_of_callers_is_served() {
    let shutdown = Shutdown::new();
    let address = tcp(router(), Limits { connections: 8, ..Limits::open() }, &shutdown).await;
    let calls = (0..64).map(|_| async move {
        let answer = client(&format!("http://{address}")).get("/upcheck").await.unwrap();
        assert_eq!(&answer.body[..], b"I'm up!");
    });
    futures_util::future::join_all(calls).await;
}
