//! Five Celosias and a real Tessera in one directory, where `CELOSIA_TEST_TESSERA` names one.

use celosia::governance::Member as Entry;

use crate::http::{JSON_2_1, Request};
use crate::member::percent;
use crate::net::Net;
use crate::peer::{self, Maker};

#[test]
fn five_celosias_and_a_tessera_live_in_one_directory() {
    if peer::tessera().is_none() {
        eprintln!("SKIPPED: set CELOSIA_TEST_TESSERA to the command line of a Tessera");
        return;
    }
    let mut net = Net::prepare(&["c1", "c2", "c3", "c4", "c5"]);
    let mut tessera = peer::Member::prepare(Maker::Tessera, &net.folder.path().join("tessera"));
    let entry: Entry = toml::from_str(&format!(
        "id = \"t\"\nlegal-name = \"Tessera S.A.\"\nlegal-id = \"ES-T\"\nregion = \"ES\"\nstate = \"active\"\nsoftware = \"tessera\"\n\
         roles = [\"member\"]\naddresses = [\"{}\"]\ncompatible = \"{}\"\n",
        tessera.key(),
        tessera.url(),
    ))
    .unwrap();
    let entries = net.members.iter().map(crate::member::Member::entry).chain([entry]).collect();
    net.governors.directory(entries);
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    for member in &mut net.members {
        member.give(network, &notes);
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(crate::member::Member::wait);
    let urls: Vec<String> = net.members.iter().map(|member| format!("http://127.0.0.1:{}/", member.peer_port)).collect();
    tessera.set_peers(&urls);
    tessera.start();

    // Business may go to a Tessera: everybody gets it in Tessera's suite. Personal may not, and nothing is sent to anybody.
    let (c1, c2) = (net.at(0), net.at(1));
    let to = [c2.keys.public.as_str(), tessera.key()];
    let send = |class: &str| {
        let body = serde_json::json!({ "payload": "aG9sYQ==", "to": to });
        Request::post("/send", crate::http::JSON, body.to_string().as_bytes()).header("celosia-class", class).send(&c1.node)
    };
    let id = send("business").must(201).json()["key"].as_str().unwrap().to_owned();
    let path = format!("/transaction/{}", percent(&id));
    assert_eq!(tessera.get(&path).must(200).json()["payload"], "aG9sYQ==");
    assert_eq!(c2.receive(&id).as_deref(), Some(&b"hola"[..]));
    assert_eq!(send("personal").must(403).header("celosia-error"), Some("CEL6032"));
    // Between Celosias alone it is the suite celosia-1: it has a receipt, the other has none.
    let native = c1.sent(b"suite", &[c2, net.at(4)]);
    let receipt = |id: &str| Request::get(&format!("/receipts/{}", percent(id))).send(&c1.admin).status;
    assert_eq!((receipt(&native), receipt(&id)), (200, 404));
    // From the Tessera to two Celosias.
    tessera.wait_for_keys(&[&c1.keys.public, &c2.keys.public]);
    let body = serde_json::json!({ "payload": "YWRpb3M=", "from": tessera.key(), "to": [c1.keys.public, c2.keys.public] });
    let answer = Request::post("/send", JSON_2_1, body.to_string().as_bytes()).send(&tessera.q2t).must(201);
    let id = answer.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(c1.receive(&id).as_deref(), Some(&b"adios"[..]));
    // Expelled: its payloads are refused, and none goes there.
    let note = net.governors.change("t", |member| member.state = celosia::governance::State::Expelled);
    net.at(2).publish(&note).must(200);
    net.members.iter().for_each(|member| member.wait_for_version(4));
    assert_eq!(send_to(&net, tessera.key()), 403);
    let refused = Request::post("/send", JSON_2_1, body.to_string().as_bytes()).send(&tessera.q2t);
    assert_ne!(refused.status, 201, "{}", refused.text());
}

fn send_to(net: &Net, key: &str) -> u16 {
    let body = serde_json::json!({ "payload": "aG9sYQ==", "to": [key] });
    Request::post("/send", crate::http::JSON, body.to_string().as_bytes())
        .header("celosia-class", "business")
        .send(&net.at(0).node)
        .status
}
