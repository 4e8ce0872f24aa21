use std::fs;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use tempfile::tempdir;

use crate::member::{Member, Place, path_of, payload, ports};
use crate::tap::Tap;

/// Every spelling in which a secret could lie somewhere.
fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![bytes.to_vec(), HEXLOWER.encode(bytes).into_bytes()];
    // In base64 of something longer the text depends on the offset modulo 3.
    for offset in 0..3 {
        let text = BASE64.encode(&bytes[offset..bytes.len() - (bytes.len() - offset) % 3]);
        all.push(text.into_bytes());
    }
    all
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    found
}

fn holds(folder: &Path, needle: &[u8]) -> Option<String> {
    files(folder).into_iter().find(|(_, bytes)| bytes.windows(needle.len()).any(|window| window == needle)).map(|(name, _)| name)
}

#[test]
fn nothing_of_a_payload_reaches_the_disk_or_the_traffic_of_those_who_take_no_part() {
    let folder = tempdir().expect("a folder");
    let ports = ports(12);
    let peers = &ports[..4];
    let mut members = Vec::new();
    let mut taps = Vec::new();
    for index in 0..4 {
        let place = Place { advertised: peers[index], bound: ports[4 + index], application: ports[8 + index] };
        let member = Member::prepare(&folder.path().join(format!("m{index}")), &place, peers, "");
        taps.push(Tap::start(place.advertised, member.bound.clone()));
        members.push(member);
    }
    members.iter_mut().for_each(Member::start);
    let keys: Vec<String> = members.iter().map(|member| member.key.clone()).collect();
    members[0].meet(&[&keys[1], &keys[2], &keys[3]]);
    taps.iter().for_each(Tap::clear);

    let secret = payload(99, 300);
    let id = members[0].send(&secret, &[&keys[1]]).expect("sent");
    assert_eq!(members[1].receive(&id), (200, secret.clone()));
    for outsider in &members[2..] {
        assert_eq!(outsider.call("GET", &path_of(&id), b"").expect("an answer").status, 404);
    }
    // The look-up itself names the id to the outsiders' logs at most: they are part of what is searched.
    let raw_id = BASE64.decode(id.as_bytes()).expect("base64");
    assert!(taps[1].contains(id.as_bytes()), "control: the recipient's traffic shows the delivery");
    for member in &mut members {
        member.stop();
    }
    assert!(holds(&members[1].data, &raw_id).is_some(), "control: the recipient's disk shows the id");
    for index in 0..4 {
        for spelling in spellings(&secret) {
            assert_eq!(holds(&members[index].folder, &spelling), None, "plaintext at member {index}");
            assert!(!taps[index].contains(&spelling), "plaintext in the traffic of member {index}");
        }
    }
    for index in 2..4 {
        for spelling in spellings(&raw_id) {
            assert_eq!(holds(&members[index].folder, &spelling), None, "the id at member {index}");
            assert!(!taps[index].contains(&spelling), "the id in the traffic of member {index}");
        }
    }
}

#[test]
fn private_keys_and_boxes_are_on_no_disk_but_in_the_key_file() {
    let folder = tempdir().expect("a folder");
    let ports = ports(6);
    let peers = &ports[..2];
    let mut members = Vec::new();
    let mut taps = Vec::new();
    for index in 0..2 {
        let place = Place { advertised: peers[index], bound: ports[2 + index], application: ports[4 + index] };
        let member = Member::prepare(&folder.path().join(format!("m{index}")), &place, peers, "");
        taps.push(Tap::start(place.advertised, member.bound.clone()));
        members.push(member);
    }
    members.iter_mut().for_each(Member::start);
    let keys: Vec<String> = members.iter().map(|member| member.key.clone()).collect();
    members[0].meet(&[&keys[1]]);
    taps.iter().for_each(Tap::clear);
    let secret = payload(5, 200);
    let body = serde_json::json!({ "payload": BASE64.encode(&secret), "to": [keys[1]] }).to_string();
    let sent = members[0].call("POST", "/send", body.as_bytes()).expect("an answer");
    assert_eq!(sent.status, 201);
    let boxes = boxes_of(&taps[1]);
    assert!(!boxes.is_empty(), "control: the delivery carries a box");
    for member in &mut members {
        member.stop();
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(member.folder.join("node.key")).expect("a key file")).expect("JSON");
        let private = BASE64.decode(json["data"]["bytes"].as_str().expect("bytes").as_bytes()).expect("base64");
        for needle in boxes.iter().chain([&private]) {
            for spelling in spellings(needle) {
                assert_eq!(holds(&member.data, &spelling), None);
                assert!(!member.log().as_bytes().windows(spelling.len()).any(|window| window == spelling));
            }
        }
    }
}

/// The 48-byte boxes in recorded CBOR pushes: the array behind `recipientBoxes`.
fn boxes_of(tap: &Tap) -> Vec<Vec<u8>> {
    tap.after(b"recipientBoxes", 3 + 48).into_iter().map(|bytes| bytes[3..].to_vec()).collect()
}
