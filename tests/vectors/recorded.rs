use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use celosia::crypto::hash;
use celosia::crypto::secret::Secret;
use celosia::types::{Codec, PayloadId, VersionSet};
use celosia::wire::{EncodedPayload, PartyInfo};
use serde_json::Value;

use super::data::{base64, open, recorded, secret, text};

/// Payload bodies with the port of who got them and the status line: pushes, and answers to resend requests.
fn payload_bodies(recorded: &Value) -> Vec<(u64, Bytes, Option<String>)> {
    let mut bodies = Vec::new();
    for exchange in recorded["p2p_exchanges"].as_array().unwrap() {
        let to = exchange["to"].as_u64().unwrap();
        let answer = base64(&exchange["response_body"]);
        match text(&exchange["request"][0]) {
            "POST /push HTTP/1.1" => {
                bodies.push((to, base64(&exchange["request_body"]).into(), Some(String::from_utf8(answer).unwrap())));
            }
            "POST /resend HTTP/1.1" if !answer.is_empty() => bodies.push((9002, answer.into(), None)),
            _ => {}
        }
    }
    bodies.push((9002, base64(&recorded["resend_individual"]["body"]).into(), None));
    bodies
}

fn privates(recorded: &Value, port: u64) -> Vec<Secret<32>> {
    let nodes = recorded["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|node| text(&node["url"]).ends_with(&format!(":{port}/"))).unwrap();
    node["private_keys"].as_array().unwrap().iter().map(|key| secret(&base64(key))).collect()
}

#[test]
fn recorded_payloads_decode_open_and_encode_to_the_same_bytes() {
    let recorded = recorded();
    let sends = recorded["sends"].as_array().unwrap();
    let mut flags = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (port, body, answer) in payload_bodies(&recorded) {
        let payload = EncodedPayload::decode(Codec::Legacy, &body).unwrap();
        assert_eq!(payload.encode(Codec::Legacy), body);
        let id = hash::payload_id(&payload.ciphertext);
        assert_eq!(answer.unwrap_or_else(|| id.to_string()), id.to_string(), "Tessera names the payload the same");
        let send = sends.iter().find(|send| text(&send["id"]) == id.to_string()).unwrap();
        let (_, plaintext) = privates(&recorded, port).iter().find_map(|private| open(&payload, private)).unwrap();
        assert_eq!(plaintext, base64(&send["payload"]));
        assert_eq!(Some(u64::from(payload.privacy.flag.number())), send["privacyFlag"].as_u64());
        assert_eq!(payload.privacy.exec_hash, send["execHash"].as_str().unwrap_or_default().as_bytes());
        let affected: Vec<String> = payload.privacy.affected.iter().map(|affected| affected.id.to_string()).collect();
        assert_eq!(serde_json::to_value(affected).unwrap(), send["affected"]);
        flags.insert(payload.privacy.flag.number());
        ids.insert(id.to_string());
        let newest = EncodedPayload::decode(Codec::Cbor, &payload.encode(Codec::Cbor)).unwrap();
        assert_eq!(newest, payload);
    }
    assert_eq!(flags, BTreeSet::from([0, 1, 3]));
    assert_eq!(ids.len(), sends.len(), "every send is among the recorded pushes");
}

#[test]
fn recorded_security_hashes_are_proofs_of_access() {
    let recorded = recorded();
    let mut opened: BTreeMap<PayloadId, (Bytes, Secret<32>)> = BTreeMap::new();
    let mut proofs = 0;
    for (port, body, _) in payload_bodies(&recorded) {
        let payload = EncodedPayload::decode(Codec::Legacy, &body).unwrap();
        for affected in &payload.privacy.affected {
            let (ciphertext, key) = &opened[&affected.id];
            assert_eq!(hash::security_hash(&payload.ciphertext, ciphertext, key.expose()), affected.hash);
            proofs += 1;
        }
        let (key, _) = privates(&recorded, port).iter().find_map(|private| open(&payload, private)).unwrap();
        opened.insert(hash::payload_id(&payload.ciphertext), (payload.ciphertext, key));
    }
    assert_eq!(proofs, 2);
}

#[test]
fn recorded_announcements_decode_and_encode_to_the_same_bytes() {
    let recorded = recorded();
    let mut keys = BTreeSet::new();
    let mut parties = BTreeSet::new();
    for exchange in recorded["p2p_exchanges"].as_array().unwrap() {
        if text(&exchange["request"][0]) != "POST /partyinfo HTTP/1.1" {
            continue;
        }
        for body in [&exchange["request_body"], &exchange["response_body"]] {
            let body = base64(body);
            let info = PartyInfo::decode(&body).unwrap();
            assert_eq!(info.encode(), body);
            assert!(info.recipients.iter().all(|(_, url)| *url == info.url), "Tessera announces its own keys only");
            keys.extend(info.recipients.iter().map(|(key, url)| (key.to_string(), url.clone())));
            parties.extend(info.parties);
        }
        let versions = exchange["request"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|line| text(line).strip_prefix("tesseraSupportedApiVersions: "));
        assert_eq!(VersionSet::parse(versions).codec(), Codec::Legacy);
    }
    let table = &recorded["partyinfo_json"];
    let known = table["keys"].as_array().unwrap();
    let known = known.iter().map(|entry| (text(&entry["key"]).to_owned(), text(&entry["url"]).to_owned())).collect();
    assert_eq!(keys, known);
    assert_eq!(parties, table["peers"].as_array().unwrap().iter().map(|peer| text(&peer["url"]).to_owned()).collect());
}
