use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use celosia::net::peers::{Budgets, HttpPeers};
use celosia::net::{Limits, Shutdown};
use celosia::services::{Capabilities, PeerError, Peers, ResendScope, WithdrawToken};
use celosia::types::{Address, Codec, PayloadId, PeerUrl, VersionSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::tcp;

fn peers() -> HttpPeers {
    HttpPeers::new(
        None,
        Budgets { exchange: Duration::from_secs(2), bulk: Duration::from_secs(2), max_payload: 1 << 20, ..Budgets::default() },
    )
}

async fn peer(router: Router) -> (PeerUrl, Shutdown) {
    let shutdown = Shutdown::new();
    let address = tcp(router, Limits::open(), &shutdown).await;
    (format!("http://{address}").parse().unwrap(), shutdown)
}

/// Header lines of the versions, as they came.
fn versions(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all("tesseraSupportedApiVersions").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_push_says_in_its_header_which_codec_its_body_has() {
    let handler = |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers[header::CONTENT_TYPE], "application/octet-stream");
        assert_eq!(headers["celosia-version"], "1");
        let expected: &[&str] = match &body[..] {
            b"cbor" => &["2.1", "3.0", "4.0", "5.0", "v1", "v2"],
            _ => &["2.1", "3.0", "4.0", "v1", "v2"],
        };
        assert_eq!(versions(&headers), expected);
        (StatusCode::CREATED, [("celosia-withdraw", "000102030405060708090a0b0c0d0e0f")], "hash")
    };
    let (url, _shutdown) = peer(Router::new().route("/push", post(handler))).await;
    for (codec, body) in [(Codec::Cbor, "cbor"), (Codec::Legacy, "legacy")] {
        let delivered = peers().push(&url, codec, Bytes::from_static(body.as_bytes())).await.unwrap();
        assert_eq!(delivered.withdraw, Some(WithdrawToken([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])));
    }
}

#[tokio::test]
async fn what_a_tessera_answers_is_understood() {
    let routes = Router::new()
        .route("/push", post(|| async { (StatusCode::CREATED, "hash") }))
        .route("/partyinfo", post(|| async { StatusCode::OK }))
        .route(
            "/resendBatch",
            post(|body: Bytes| async move {
                assert!(body.starts_with(br#"{"publicKey":"AQEB"#), "{body:?}");
                r#"{"total": 7, "more": 1}"#
            }),
        )
        .route("/pushBatch", post(|body: Bytes| async move { assert_eq!(&body[..], br#"{"encodedPayloads":["YQ==","YmM="]}"#) }));
    let (url, _shutdown) = peer(routes).await;
    assert_eq!(peers().push(&url, Codec::Legacy, Bytes::new()).await.unwrap().withdraw, None);
    assert_eq!(peers().party_info(&url, Bytes::new()).await.unwrap(), Capabilities::default());
    assert_eq!(peers().resend_batch(&url, &Address::new([1; 32])).await.unwrap(), 7);
    peers().push_batch(&url, vec![Bytes::from_static(b"a"), Bytes::from_static(b"bc")]).await.unwrap();
}

#[tokio::test]
async fn a_celosia_is_recognised() {
    let handler = || async { ([("celosia-version", "1"), ("tesseraSupportedApiVersions", "2.1,3.0,4.0,5.0,v1,v2")], "") };
    let (url, _shutdown) = peer(Router::new().route("/partyinfo", post(handler))).await;
    assert_eq!(peers().party_info(&url, Bytes::new()).await.unwrap(), Capabilities { versions: VersionSet::ALL, celosia: true });
}

#[tokio::test]
async fn a_resend_names_what_it_wants() {
    let handler = |body: Bytes| async move { body };
    let (url, _shutdown) = peer(Router::new().route("/resend", post(handler))).await;
    let (key, id) = (Address::new([1; 32]), PayloadId::new([2; 64]));
    let all = peers().resend(&url, &key, ResendScope::All).await.unwrap();
    assert_eq!(all, format!(r#"{{"type":"ALL","publicKey":"{key}"}}"#));
    let one = peers().resend(&url, &key, ResendScope::Individual(id)).await.unwrap();
    assert_eq!(one, format!(r#"{{"type":"INDIVIDUAL","publicKey":"{key}","key":"{id}"}}"#));
}

#[tokio::test]
async fn refusals_keep_their_status_and_redirects_are_not_followed() {
    let routes = Router::new()
        .route("/push", post(|| async { (StatusCode::FORBIDDEN, "Enhanced Privacy is not enabled\n") }))
        .route("/partyinfo", post(|| async { (StatusCode::FOUND, [(header::LOCATION, "/resend")]) }))
        .route("/resend", post(|| async { "followed" }));
    let (url, _shutdown) = peer(routes).await;
    let refused = |status, message: &str| PeerError::Refused { url: url.clone(), status, message: message.to_owned() };
    assert_eq!(peers().push(&url, Codec::Cbor, Bytes::new()).await, Err(refused(403, "Enhanced Privacy is not enabled")));
    assert_eq!(peers().party_info(&url, Bytes::new()).await, Err(refused(302, "")));
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_too_late_is_an_error() {
    let routes = Router::new()
        .route("/resend", post(|| async { vec![0; (1 << 20) + 1] }))
        .route("/partyinfo", post(std::future::pending::<StatusCode>));
    let (url, _shutdown) = peer(routes).await;
    let scope = ResendScope::Individual(PayloadId::new([0; 64]));
    assert_eq!(peers().resend(&url, &Address::new([1; 32]), scope).await, Err(PeerError::Malformed(url.clone())));
    assert_eq!(peers().party_info(&url, Bytes::new()).await, Err(PeerError::Offline(url)));
}

#[tokio::test]
async fn nobody_there_is_offline() {
    let (url, shutdown) = peer(Router::new()).await;
    shutdown.finish(Duration::from_secs(5)).await;
    assert_eq!(peers().push(&url, Codec::Cbor, Bytes::new()).await, Err(PeerError::Offline(url.clone())));
    let unknown: PeerUrl = "http://no-such-host.invalid:9001".parse().unwrap();
    assert_eq!(peers().push(&unknown, Codec::Cbor, Bytes::new()).await, Err(PeerError::Offline(unknown)));
    let tls: PeerUrl = "https://127.0.0.1:1".parse().unwrap();
    assert_eq!(peers().push(&tls, Codec::Cbor, Bytes::new()).await, Err(PeerError::Offline(tls)));
}

/// Reads one request's head and the given number of body bytes.
async fn take(stream: &mut tokio::net::TcpStream, body: &[u8]) {
    let mut seen = Vec::new();
    while !seen.ends_with(body) || !seen.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut byte = [0; 1];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
        seen.push(byte[0]);
    }
}

#[tokio::test]
async fn a_pooled_connection_that_the_peer_closes_under_a_push_is_retried_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: PeerUrl = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let server = tokio::spawn(async move {
        for requests in [1, 1] {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            for _ in 0..requests {
                take(&mut stream, b"body").await;
                stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
            // The next request is read, and dies unanswered.
            if counted.load(Ordering::SeqCst) == 1 {
                take(&mut stream, b"body").await;
            }
        }
    });
    let peers = peers();
    for _ in 0..2 {
        peers.push(&url, Codec::Cbor, Bytes::from_static(b"body")).await.unwrap();
    }
    server.await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn pushes_in_a_row_share_one_connection() {
    let seen = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let list = Arc::clone(&seen);
    let handler = move |request: axum::extract::Request<Body>| {
        let list = Arc::clone(&list);
        async move {
            list.lock().unwrap().insert(request.extensions().get::<celosia::net::Caller>().copied().unwrap().address);
            StatusCode::CREATED.into_response()
        }
    };
    let (url, _shutdown) = peer(Router::new().route("/push", post(handler))).await;
    let peers = peers();
    for _ in 0..5 {
        peers.push(&url, Codec::Cbor, Bytes::new()).await.unwrap();
    }
    assert_eq!(*seen.lock().unwrap(), [Some("127.0.0.1".parse().unwrap())].into());
}
