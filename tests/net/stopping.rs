use std::time::Duration;

use celosia::net::{Limits, Outcome, Shutdown};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Raw, router, tcp, waiting};

#[tokio::test]
async fn a_request_in_flight_is_answered_and_idle_connections_are_closed() {
    let shutdown = Shutdown::new();
    let (router, entered, go) = waiting();
    let address = tcp(router, Limits::node(), &shutdown).await;
    let mut idle = Raw::to(address).await;
    idle.upcheck().await;
    let mut busy = Raw::to(address).await;
    busy.write("GET /wait HTTP/1.1\r\nHost: c\r\n\r\n").await;
    entered.notified().await;

    let stopping = shutdown.clone();
    let finish = tokio::spawn(async move { stopping.finish(PATIENCE).await });
    assert_eq!(idle.read_to_end().await, "");
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!finish.is_finished());
    go.notify_one();
    let text = busy.read_to_end().await;
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("done"), "{text}");
    assert_eq!(finish.await.unwrap(), Outcome { cut: 0 });
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut_and_counted() {
    let shutdown = Shutdown::new();
    let (router, entered, _go) = waiting();
    let mut busy = Raw::to(tcp(router, Limits::node(), &shutdown).await).await;
    busy.write("GET /wait HTTP/1.1\r\nHost: c\r\n\r\n").await;
    entered.notified().await;
    assert_eq!(shutdown.finish(Duration::from_millis(100)).await, Outcome { cut: 1 });
    assert_eq!(busy.read_to_end().await, "");
}

#[tokio::test]
async fn a_shutdown_without_callers_ends_at_once() {
    let shutdown = Shutdown::new();
    tcp(router(), Limits::open(), &shutdown).await;
    assert!(!shutdown.has_begun());
    assert_eq!(shutdown.finish(PATIENCE).await, Outcome { cut: 0 });
}
