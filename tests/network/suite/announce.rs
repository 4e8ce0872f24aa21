//! What a stranger may tell about the network, and what is believed.

use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::json;

use super::scenarios::alone;
use super::{Check, Scenario, table};
use crate::http::{Answer, BYTES, Request};
use crate::keys::KeyPair;
use crate::member::{Maker, Member};
use crate::net::Net;

pub(super) const CHECKS: &[Check] = table![
    keys_of_third_parties_are_not_believed,
    a_name_that_does_not_resolve_blocks_nothing,
    an_announcement_is_answered_at_once,
];

pub(super) const SCENARIOS: &[Scenario] = table![a_key_that_cannot_be_proved_is_not_believed];

/// The binary form: own URL, keys with the URLs where they are, URLs of all.
fn party_info(url: &str, keys: &[(&str, &str)], parties: &[&str]) -> Vec<u8> {
    let mut info = field(url.as_bytes());
    info.extend(number(keys.len()));
    for (key, at) in keys {
        info.extend(field(&BASE64.decode(key.as_bytes()).expect("base64")));
        info.extend(field(at.as_bytes()));
    }
    info.extend(number(parties.len()));
    info.extend(parties.iter().flat_map(|party| field(party.as_bytes())));
    info
}

fn field(bytes: &[u8]) -> Vec<u8> {
    [&number(bytes.len()), bytes].concat()
}

fn number(count: usize) -> Vec<u8> {
    u64::try_from(count).expect("a count").to_be_bytes().to_vec()
}

fn announce(member: &Member, info: &[u8]) -> Answer {
    let versions = "tesseraSupportedApiVersions";
    Request::new("POST", "/partyinfo").header("Content-Type", BYTES).header(versions, "v1,v2,2.1").body(info).send(&member.p2p)
}

fn keys_of_third_parties_are_not_believed(net: &Net) {
    for (member, other) in [(net.a(), net.b()), (net.b(), net.a())] {
        let before = member.known_keys().len();
        let bogus = KeyPair::random().public;
        // Neither a new key nor a known one moves because somebody else says so.
        let keys = [(bogus.as_str(), "http://127.0.0.1:9/"), (other.key(), "http://127.0.0.1:9/")];
        announce(member, &party_info("http://127.0.0.1:7/", &keys, &[])).must(200);
        let known = member.known_keys();
        assert_eq!(known.len(), before);
        assert!(!known.contains(&bogus));
        let info = Request::get("/partyinfo").send(&member.p2p).must(200).json();
        let mut entries = info["keys"].as_array().expect("keys").iter().filter(|entry| entry["key"] == other.key());
        assert_eq!(entries.next().expect("the key")["url"], other.url());
        assert!(entries.next().is_none());
    }
}

fn a_name_that_does_not_resolve_blocks_nothing(net: &Net) {
    for member in &net.members {
        let before = Instant::now();
        announce(member, &party_info("http://127.0.0.1:7/", &[], &["http://nobody.invalid:9/"])).must(200);
        assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
    }
}

/// A peer repeats what is known: nothing changes.
fn an_announcement_is_answered_at_once(net: &Net) {
    for (member, other) in [(net.a(), net.b()), (net.b(), net.a())] {
        let before = member.known_keys().len();
        let own = [(other.key(), other.url())];
        let keys: Vec<(&str, &str)> = own.iter().map(|(key, url)| (*key, url.as_str())).collect();
        announce(member, &party_info(&other.url(), &keys, &[&other.url()])).must(200);
        assert_eq!(member.known_keys().len(), before);
    }
}

fn a_key_that_cannot_be_proved_is_not_believed(maker: Maker, _: Maker) {
    let (_folder, member) = alone(maker, |member| member.config["features"]["enableRemoteKeyValidation"] = json!("true"));
    let bogus = KeyPair::random().public;
    // Nobody answers there.
    announce(&member, &party_info("http://127.0.0.1:9/", &[(&bogus, "http://127.0.0.1:9/")], &[])).must(500);
    assert_eq!(member.known_keys(), [member.key()]);
    // The member itself is there, and cannot open for that key.
    let url = member.url();
    announce(&member, &party_info(&url, &[(&bogus, &url)], &[]));
    assert_eq!(member.known_keys(), [member.key()]);
}
