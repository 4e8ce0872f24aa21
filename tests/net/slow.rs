use std::time::Duration;

use celosia::net::{Limits, Shutdown};

use crate::support::{Raw, router, tcp, waiting};

fn impatient() -> Limits {
    Limits { head_time: Some(Duration::from_millis(400)), stall_time: Some(Duration::from_millis(400)), ..Limits::open() }
}

#[tokio::test]
async fn an_idle_connection_stays_open_before_and_after_a_request() {
    let shutdown = Shutdown::new();
    for limits in [Limits::node(), impatient()] {
        let address = tcp(router(), limits, &shutdown).await;
        let (mut fresh, mut used) = (Raw::to(address).await, Raw::to(address).await);
        used.upcheck().await;
        assert!(used.stays_open(Duration::from_secs(2)).await);
        assert!(fresh.stays_open(Duration::from_secs(1)).await);
        used.upcheck().await;
        fresh.upcheck().await;
    }
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_and_one_that_arrives_is_served() {
    let shutdown = Shutdown::new();
    let address = tcp(router(), impatient(), &shutdown).await;
    let mut slow = Raw::to(address).await;
    slow.upcheck().await;
    slow.write("GET /upcheck HTTP/1.1\r\nHost: c\r\n").await;
    assert_eq!(slow.read_to_end().await, "");
    let mut split = Raw::to(address).await;
    split.write("GET /upcheck HT").await;
    split.write("TP/1.1\r\nHost: c\r\n\r\n").await;
    split.read_until("I'm up!").await;
}

#[tokio::test]
async fn a_body_that_stands_still_is_cut_and_one_that_moves_is_not() {
    let shutdown = Shutdown::new();
    let address = tcp(router(), impatient(), &shutdown).await;
    let head = "POST /echo HTTP/1.1\r\nHost: c\r\nContent-Length: 8\r\n\r\n";
    let mut still = Raw::to(address).await;
    still.write(head).await;
    still.write("1234").await;
    assert_eq!(still.read_to_end().await, "");
    let mut moving = Raw::to(address).await;
    moving.write(head).await;
    for byte in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        tokio::time::sleep(Duration::from_millis(100)).await;
        moving.write(byte).await;
    }
    moving.read_until("12345678").await;
}

#[tokio::test]
async fn the_node_surface_waits_for_its_node() {
    let shutdown = Shutdown::new();
    let mut slow = Raw::to(tcp(router(), Limits::node(), &shutdown).await).await;
    slow.write("GET /upcheck HTTP/1.1\r\n").await;
    assert!(slow.stays_open(Duration::from_secs(1)).await);
    slow.write("Host: c\r\n\r\n").await;
    slow.read_until("I'm up!").await;
}

#[tokio::test]
async fn our_own_work_is_not_held_against_the_caller() {
    let shutdown = Shutdown::new();
    let (router, entered, go) = waiting();
    let mut raw = Raw::to(tcp(router, impatient(), &shutdown).await).await;
    raw.write("GET /wait HTTP/1.1\r\nHost: c\r\n\r\n").await;
    entered.notified().await;
    assert!(raw.stays_open(Duration::from_secs(1)).await);
    go.notify_one();
    raw.read_until("done").await;
}
