//! The peer surface, as a Tessera and as a Celosia call it.

use celosia::types::{Codec, VersionSet};
use celosia::wire::{EncodedPayload, PartyInfo};
use data_encoding::BASE64;

use crate::http::{JSON, OCTETS, V4, get, post};
use crate::network::Network;

const VERSIONS: &str = "tesseraSupportedApiVersions";

/// A payload for B, sealed by A but not delivered.
async fn sealed(network: &Network) -> EncodedPayload {
    let body = format!(r#"{{"payload":"c2VjcmV0","to":["{}"]}}"#, network.b.key());
    let json = network.a.node().await.send(&post("/encodedpayload/create", JSON, body)).await.json();
    let bytes = |name: &str| BASE64.decode(json[name].as_str().unwrap().as_bytes()).unwrap();
    EncodedPayload {
        sender: network.a.keys[0],
        ciphertext: bytes("cipherText").into(),
        nonce: bytes("cipherTextNonce").try_into().unwrap(),
        boxes: vec![BASE64.decode(json["recipientBoxes"][0].as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()],
        recipient_nonce: bytes("recipientNonce").try_into().unwrap(),
        recipients: vec![network.b.keys[0]],
        privacy: celosia::types::Privacy::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_versions_choose_the_codec() {
    let network = Network::start().await;
    let mut peer = network.b.peers().await;
    let payload = sealed(&network).await;
    let legacy = payload.encode(Codec::Legacy);
    let tessera = peer.send(&post("/push", OCTETS, legacy.to_vec()).with(VERSIONS, "2.1,v1,v2")).await;
    assert_eq!((tessera.status, tessera.media(), tessera.text().len()), (201, "text/plain", 88));
    assert_eq!(tessera.header("celosia-withdraw"), None);
    assert_eq!(tessera.header("celosia-version"), Some("1"));
    assert_eq!(tessera.all("tesserasupportedapiversions"), ["2.1", "3.0", "4.0", "5.0", "v1", "v2"]);
    let again = peer.send(&post("/push", OCTETS, legacy.to_vec())).await;
    assert_eq!((again.status, &again.body), (201, &tessera.body));
    let cbor = payload.encode(Codec::Cbor).to_vec();
    let lines = post("/push", OCTETS, cbor.clone()).with(VERSIONS, "v1").with(VERSIONS, "5.0");
    assert_eq!(peer.send(&lines).await.status, 201);
    let wrong = peer.send(&post("/push", OCTETS, cbor).with(VERSIONS, "v1")).await;
    assert_eq!((wrong.status, wrong.header("celosia-error")), (500, Some("CEL3110")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_celosia_can_take_back_what_was_new() {
    let network = Network::start().await;
    let mut peer = network.b.peers().await;
    let payload = sealed(&network).await.encode(Codec::Legacy).to_vec();
    let push = post("/push", OCTETS, payload.clone()).with("celosia-version", "1");
    let pushed = peer.send(&push).await;
    let token = pushed.header("celosia-withdraw").expect("a token").to_owned();
    let withdraw = |token: &str| post("/withdraw", JSON, format!(r#"{{"id":"{}","token":"{token}"}}"#, pushed.text()));
    let refused = peer.send(&withdraw(&"0".repeat(32))).await;
    assert_eq!((refused.status, refused.header("celosia-error")), (403, Some("CEL3109")));
    assert_eq!(peer.send(&withdraw(&token)).await.status, 204);
    let path = format!("/transaction/{}", pushed.text().replace('/', "%2F"));
    assert_eq!(network.b.node().await.send(&get(&path)).await.status, 404);
}

/// A client sends twice: the first send fails and takes its deliveries back, the second was told that all is there. It stays there.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_twice_is_not_taken_back_by_the_first() {
    let network = Network::start().await;
    let mut peer = network.b.peers().await;
    let payload = sealed(&network).await.encode(Codec::Legacy).to_vec();
    let push = post("/push", OCTETS, payload.clone()).with("celosia-version", "1");
    let pushed = peer.send(&push).await;
    let token = pushed.header("celosia-withdraw").expect("a token").to_owned();
    let again = peer.send(&push).await;
    assert_eq!((again.status, again.header("celosia-withdraw")), (201, None), "it was there before");
    let withdraw = post("/withdraw", JSON, format!(r#"{{"id":"{}","token":"{token}"}}"#, pushed.text()));
    assert_eq!(peer.send(&withdraw).await.status, 403);
    let path = format!("/transaction/{}", pushed.text().replace('/', "%2F"));
    assert_eq!(network.b.node().await.send(&get(&path)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_given_again_to_those_who_take_part() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let body = format!(r#"{{"payload":"c2VjcmV0","to":["{}"]}}"#, network.b.key());
    let id = node.send(&post("/send", V4, body)).await.member("key");
    let mut peer = network.a.peers().await;
    let ask = |key: &str| post("/resend", JSON, format!(r#"{{"type":"INDIVIDUAL","publicKey":"{key}","key":"{id}"}}"#));
    let answer = peer.send(&ask(&network.b.key())).await;
    assert_eq!((answer.status, answer.media()), (200, "text/plain"));
    let again = EncodedPayload::decode(Codec::Legacy, &answer.body.into()).unwrap();
    assert_eq!(again.recipients, network.b.keys);
    let third = network.a.keys[1].to_string();
    let refused = peer.send(&ask(&third)).await;
    assert_eq!(refused.status, 500);
    assert!(refused.text().contains(&format!("Recipient {third} is not a recipient of transaction")), "{refused:?}");
    for body in [
        format!(r#"{{"type":"ALL","publicKey":"{}"}}"#, network.b.key()),
        r#"{"type":"all","publicKey":"QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc="}"#.to_owned(),
        r#"{"type":"ALL","publicKey":"AAAA"}"#.to_owned(),
    ] {
        let all = peer.send(&post("/resend", JSON, body)).await;
        assert_eq!((all.status, all.body.len()), (200, 0), "{all:?}");
    }
    let batch = peer.send(&post("/resendBatch", JSON, format!(r#"{{"publicKey":"{}","batchSize":5}}"#, network.b.key()))).await;
    assert_eq!(batch.status, 500, "B does not recover, so it refuses batches: {batch:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn announcements_are_learnt_and_told() {
    let network = Network::start().await;
    let stranger = network.join("c", true).await;
    let mut peer = network.a.peers().await;
    let info = PartyInfo {
        url: stranger.url.to_string(),
        recipients: vec![(stranger.keys[0], stranger.url.to_string())],
        parties: vec![stranger.url.to_string()],
    };
    let answer = peer.send(&post("/partyinfo", OCTETS, info.encode().to_vec()).with(VERSIONS, "v1,v2,2.1")).await;
    assert_eq!((answer.status, answer.media()), (200, OCTETS));
    let reply = PartyInfo::decode(&answer.body).unwrap();
    assert_eq!((reply.url, reply.recipients.len(), reply.parties.len()), (network.a.url.to_string(), 0, 0));
    let told = peer.send(&get("/partyinfo")).await;
    assert_eq!((told.status, told.media()), (200, JSON));
    let json = told.json();
    assert_eq!(json["url"], network.a.url.as_str());
    let keys = json["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().any(|entry| entry["key"] == stranger.key() && entry["url"] == stranger.url.as_str()));
    let urls = json["peers"].as_array().unwrap();
    assert!(urls.iter().any(|entry| entry["url"] == network.a.url.as_str()), "{urls:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_and_nothing_else() {
    let network = Network::start().await;
    let uuid = "0b51d6b6-2f0b-4b6a-9f53-27d0a3f7a001";
    for (payload, status) in [(uuid, 200), ("a payload that somebody wants to read", 400)] {
        let body = format!(r#"{{"payload":"{}","to":["{}"]}}"#, BASE64.encode(payload.as_bytes()), network.b.key());
        let json = network.a.node().await.send(&post("/encodedpayload/create", JSON, body)).await.json();
        let bytes = |value: &serde_json::Value| BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
        let sealed = EncodedPayload {
            ciphertext: bytes(&json["cipherText"]).into(),
            nonce: bytes(&json["cipherTextNonce"]).try_into().unwrap(),
            boxes: vec![bytes(&json["recipientBoxes"][0]).try_into().unwrap()],
            recipient_nonce: bytes(&json["recipientNonce"]).try_into().unwrap(),
            ..sealed(&network).await
        };
        let answer =
            network.b.peers().await.send(&post("/partyinfo/validate", OCTETS, sealed.encode(Codec::Legacy).to_vec())).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.text() == uuid, status == 200);
        assert!(!answer.text().contains("somebody"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_is_down_or_refuses_is_named() {
    let network = Network::start().await;
    let mut node = network.a.node().await;
    let nobody = celosia::types::Address::new([9; 32]);
    network.a.knows_of_nobody(nobody);
    let body = |key: &str, flag: u8| format!(r#"{{"payload":"c2VjcmV0","to":["{key}"],"privacyFlag":{flag}}}"#);
    let down = node.send(&post("/send", V4, body(&nobody.to_string(), 0))).await;
    assert_eq!((down.status, down.header("celosia-error")), (410, Some("CEL3001")));
    for text in [down.text(), down.reason.as_str()] {
        assert!(
            text.contains(&nobody.to_string()) && text.contains("Connection error while communicating with http://127.0.0.1:1/"),
            "{text}"
        );
    }
    let plain = network.join("plain", false).await;
    network.a.knows(&plain, VersionSet::ALL);
    let refused = node.send(&post("/send", V4, body(&plain.key(), 1))).await;
    assert_eq!((refused.status, refused.header("celosia-error")), (500, Some("CEL3002")));
    assert_eq!(refused.text(), format!("Unable to push payload to recipient url {}", plain.url));
    network.a.knows(&plain, VersionSet::parse(["v1"]));
    let old = node.send(&post("/send", V4, body(&plain.key(), 1))).await;
    assert_eq!(old.status, 403);
    assert!(old.text().starts_with("Transactions with enhanced privacy is not currently supported on recipient"));
    let off = plain.node().await.send(&post("/send", V4, r#"{"payload":"YQ==","privacyFlag":1}"#)).await;
    assert_eq!((off.status, off.text()), (403, "Enhanced Privacy is not enabled"));
}
