//! Requests of a real GoQuorum, byte for byte, on one connection that nobody closes.

use serde::Deserialize;

use crate::http::{Connection, JSON, V2_1, V4, post};
use crate::network::Network;

#[derive(Deserialize)]
struct Recording {
    sender: String,
    recipient: String,
    affected: String,
    id: String,
    requests: Vec<Recorded>,
}

#[derive(Deserialize)]
struct Recorded {
    name: String,
    request: String,
    /// Status where the recorded keys and payloads are unknown.
    strange: u16,
    /// Status where they stand for known ones.
    ours: u16,
    /// Media type of a success.
    media: String,
}

fn recording() -> Recording {
    serde_json::from_str(include_str!("../vectors/goquorum-requests.json")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_as_recorded_are_understood() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    for recorded in recording().requests {
        let answer = node.raw(recorded.request.as_bytes()).await;
        assert_eq!(answer.status, recorded.strange, "{}: {answer:?}", recorded.name);
        let media = if answer.status < 300 { recorded.media.as_str() } else { "text/plain" };
        assert_eq!(answer.media(), media, "{}", recorded.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_our_keys_are_served() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let recording = recording();
    let (to, raw) = (network.b.key(), store(&mut node).await);
    let affected = sent(&mut node, &format!(r#"{{"payload":"YQ==","to":["{to}"],"privacyFlag":1}}"#)).await;
    let received = sent(&mut node, &format!(r#"{{"payload":"c2VjcmV0","to":["{to}"]}}"#)).await;
    for recorded in &recording.requests {
        let id = if recorded.request.contains("isRaw=true") || recorded.name == "send signed" { &raw } else { &received };
        let request = recorded
            .request
            .replace(&recording.sender, &network.a.key())
            .replace(&recording.recipient, &to)
            .replace(&recording.affected, &affected)
            .replace(&recording.id, id)
            .replace(&recording.id.replace('/', "%2F"), &id.replace('/', "%2F"));
        let answer = node.raw(request.as_bytes()).await;
        assert_eq!(answer.status, recorded.ours, "{}: {answer:?}", recorded.name);
        let media = if answer.status < 300 { recorded.media.as_str() } else { "text/plain" };
        assert_eq!(answer.media(), media, "{}", recorded.name);
        check(&recorded.name, &answer, &network, id);
    }
}

/// What GoQuorum reads of the answers.
fn check(name: &str, answer: &crate::http::Answer, network: &Network, id: &str) {
    match name {
        "upcheck" => assert_eq!(answer.text(), "I'm up!"),
        "api versions" => assert_eq!(answer.text(), r#"["1.0","2.0","2.1","3.0","4.0","5.0"]"#),
        "receive" => {
            let json = answer.json();
            assert_eq!(json["payload"], "c2VjcmV0");
            assert_eq!(json["privacyFlag"], 0);
            assert_eq!(json["execHash"], "");
            assert_eq!(json["affectedContractTransactions"].as_array().map(Vec::len), Some(0));
            assert_eq!(json["senderKey"], network.a.key());
            assert_eq!(json["managedParties"][0], network.a.key());
        }
        "receive, raw" => assert_eq!(answer.json()["payload"], "cmF3"),
        "is sender" => assert_eq!(answer.text(), "true"),
        "participants" => assert_eq!(answer.text(), format!("{},{}", network.b.key(), network.a.key())),
        "send signed" => assert_eq!(answer.json()["key"], id),
        _ if name.starts_with("deploy") || name.starts_with("call") => {
            let json = answer.json();
            assert_eq!(json["key"].as_str().map(str::len), Some(88), "{name}");
            assert_eq!(json["senderKey"], network.a.key(), "{name}");
            assert_eq!(json["managedParties"][0], network.a.key(), "{name}");
            assert!(answer.header("location").unwrap().starts_with("http://localhost/transaction/"), "{name}");
        }
        _ => {}
    }
}

async fn sent(node: &mut Connection, body: &str) -> String {
    let answer = node.send(&post("/send", V4, body)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.member("key")
}

async fn store(node: &mut Connection) -> String {
    let answer = node.send(&post("/storeraw", V2_1, r#"{"payload":"cmF3"}"#)).await;
    assert_eq!((answer.status, answer.media()), (200, V2_1), "{answer:?}");
    let again = node.send(&post("/storeraw", JSON, r#"{"payload":"cmF3"}"#)).await;
    assert_eq!((again.status, again.media()), (200, JSON));
    answer.member("key")
}
