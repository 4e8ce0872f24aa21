//! Who may call at all, and what the admin surface says.

use std::sync::Arc;

use async_trait::async_trait;
use celosia::net::admin::{AdminSource, Readiness, router as admin};
use celosia::net::whitelist::{Whitelist, guard};
use celosia::net::{Limits, Shutdown};

use crate::support::{client, router, tcp};

#[tokio::test]
async fn callers_off_the_list_get_an_empty_401_on_every_path() {
    for (peer, status, body) in [("http://192.0.2.7:9001", 401, ""), ("http://localhost:9001", 200, "I'm up!")] {
        let shutdown = Shutdown::new();
        let list = Whitelist::new(&[peer.parse().unwrap()]).await;
        let address = tcp(guard(router(), list), Limits::open(), &shutdown).await;
        let client = client(&format!("http://{address}"));
        let answer = client.get("/upcheck").await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (status, body.as_bytes()), "{peer}");
        let nowhere = client.get("/nowhere").await.unwrap().status.as_u16();
        assert_eq!(nowhere, if status == 401 { 401 } else { 404 }, "{peer}");
    }
}

struct Fixed;

#[async_trait]
impl AdminSource for Fixed {
    async fn metrics(&self) -> String {
        "celosia_keys 1\n# EOF\n".to_owned()
    }

    async fn status(&self) -> serde_json::Value {
        serde_json::json!({ "keys": 1 })
    }
}

#[tokio::test]
async fn readiness_names_what_is_missing_and_ends_with_the_shutdown() {
    let (shutdown, stopping, readiness) = (Shutdown::new(), Shutdown::new(), Readiness::new());
    let (store, peers) = (readiness.wait_for("the store"), readiness.wait_for("peers"));
    let router = admin(Arc::new(Fixed), readiness, stopping.clone());
    let client = client(&format!("http://{}", tcp(router, Limits::open(), &shutdown).await));
    let ready = || async {
        let answer = client.get("/ready").await.unwrap();
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    };
    assert_eq!(ready().await, (503, "waiting for peers, the store\n".to_owned()));
    drop(peers);
    assert_eq!(ready().await, (503, "waiting for the store\n".to_owned()));
    drop(store);
    assert_eq!(ready().await, (200, "ready\n".to_owned()));
    stopping.begin();
    assert_eq!(ready().await, (503, "stopping\n".to_owned()));
    assert_eq!(client.get("/live").await.unwrap().status, 200);
}

#[tokio::test]
async fn metrics_and_status_come_from_their_source() {
    let shutdown = Shutdown::new();
    let router = admin(Arc::new(Fixed), Readiness::new(), shutdown.clone());
    let client = client(&format!("http://{}", tcp(router, Limits::open(), &shutdown).await));
    let metrics = client.get("/metrics").await.unwrap();
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    assert!(metrics.body.ends_with(b"# EOF\n"));
    assert_eq!(&client.get("/status").await.unwrap().body[..], br#"{"keys":1}"#);
}
