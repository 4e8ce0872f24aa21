//! What every surface answers, and who is known.

use serde_json::Value;

use super::{Check, table};
use crate::http::{JSON, Request, Target};
use crate::member::{Maker, Member};
use crate::net::Net;

pub(super) const CHECKS: &[Check] = table![
    every_surface_is_up,
    the_root_path_answers,
    versions_are_told,
    interface_versions_are_a_sorted_list,
    an_unknown_path_is_404,
    the_document_of_the_interface_comes_as_json_or_yaml,
    own_keys_are_listed,
    known_keys_are_listed_once,
    party_info_lists_keys_with_urls,
    the_pid_file_names_the_process,
];

fn surfaces(member: &Member) -> [Target; 3] {
    [member.q2t.clone(), member.p2p.clone(), member.third_party.clone()]
}

fn every_surface_is_up(net: &Net) {
    for target in net.members.iter().flat_map(surfaces) {
        assert_eq!(Request::get("/upcheck").send(&target).must(200).text(), "I'm up!");
    }
}

fn the_root_path_answers(net: &Net) {
    for target in net.members.iter().flat_map(surfaces) {
        assert_eq!(Request::get("/").send(&target).must(200).text(), "");
    }
}

fn versions_are_told(net: &Net) {
    for target in net.members.iter().flat_map(surfaces) {
        for path in ["/version", "/version/distribution"] {
            let version = Request::get(path).send(&target).must(200).text();
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version:?}");
        }
    }
}

fn interface_versions_are_a_sorted_list(net: &Net) {
    for member in &net.members {
        let versions = member.versions();
        let expected = ["1.0", "2.0", "2.1", "3.0", "4.0", "5.0"];
        assert_eq!(versions, expected[..versions.len()]);
        if member.maker == Maker::Celosia {
            assert_eq!(versions.len(), expected.len());
        }
    }
}

fn an_unknown_path_is_404(net: &Net) {
    for target in net.members.iter().flat_map(surfaces) {
        Request::get("/nothing-here").send(&target).must(404);
    }
}

fn the_document_of_the_interface_comes_as_json_or_yaml(net: &Net) {
    for target in net.members.iter().flat_map(surfaces) {
        let json = Request::get("/api").header("Accept", JSON).send(&target).must(200);
        assert_eq!(json.media(), JSON);
        assert!(json.json()["paths"]["/upcheck"].is_object());
        let yaml = Request::get("/api").header("Accept", "application/yaml").send(&target).must(200);
        assert_eq!(yaml.media(), "application/yaml");
        Request::get("/api").header("Accept", "text/html").send(&target).must(400);
    }
}

fn own_keys_are_listed(net: &Net) {
    for member in &net.members {
        let answer = Request::get("/keys").send(&member.third_party).must(200).json();
        let mut listed: Vec<&str> = answer["keys"].as_array().expect("a list").iter().filter_map(|e| e["key"].as_str()).collect();
        let mut own: Vec<&str> = member.keys.iter().map(|key| key.public.as_str()).collect();
        listed.sort_unstable();
        own.sort_unstable();
        assert_eq!(listed, own);
    }
}

fn known_keys_are_listed_once(net: &Net) {
    let all = net.members.iter().map(|member| member.keys.len()).sum::<usize>();
    for member in &net.members {
        let mut known = member.known_keys();
        known.sort_unstable();
        known.dedup();
        assert_eq!((known.len(), member.known_keys().len()), (all, all));
    }
}

fn party_info_lists_keys_with_urls(net: &Net) {
    for member in &net.members {
        let info = Request::get("/partyinfo").header("Accept", JSON).send(&member.p2p).must(200).json();
        assert_eq!(info["url"], member.url());
        for other in &net.members {
            for key in &other.keys {
                assert_eq!(urls_of(&info, &key.public), [other.url()]);
            }
        }
        let mut peers: Vec<_> = info["peers"].as_array().expect("peers").iter().map(|peer| peer["url"].to_string()).collect();
        let count = peers.len();
        peers.sort();
        peers.dedup();
        assert_eq!(peers.len(), count, "{info}");
    }
}

fn urls_of(info: &Value, key: &str) -> Vec<String> {
    let keys = info["keys"].as_array().expect("keys");
    keys.iter().filter(|entry| entry["key"] == key).map(|entry| entry["url"].as_str().expect("a URL").into()).collect()
}

fn the_pid_file_names_the_process(net: &Net) {
    for member in &net.members {
        let text = std::fs::read_to_string(member.folder.join("pid")).expect("a pid file");
        assert_eq!(text.trim(), member.pid().to_string());
    }
}
