//! Events and acts of a governed node, end to end: real processes, a real journal, a receiver of webhooks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use celosia::crypto::sign::VerifyKey;
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::http::{JSON, Request, Target};
use crate::issuer::Issuer;
use crate::member::Member;
use crate::net::Net;
use crate::people::{access, people};
use crate::ports;

/// Longer than any event takes to come.
const PATIENCE: Duration = Duration::from_mins(1);

fn verified(key: &VerifyKey, id: &str, timestamp: &str, signature: &str, payload: &str) -> Value {
    let signature = BASE64.decode(signature.strip_prefix("v1a,").unwrap().as_bytes()).unwrap();
    key.verify(format!("{id}.{timestamp}.{payload}").as_bytes(), &signature).expect("the node's signature");
    serde_json::from_str(payload).unwrap()
}

/// The events of a member's stream, verified, until one of a kind is about a payload.
fn until(member: &Member, kind: &str, id: &str) -> Vec<Value> {
    let Target::Tcp(port) = member.application else { unreachable!() };
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let (key, mut events) = (member.signing().verify_key(), Vec::new());
    for line in BufReader::new(stream).lines() {
        let line = line.expect("the event comes");
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let data: Value = serde_json::from_str(data).unwrap();
        let text = |name: &str| data[name].as_str().unwrap();
        let event = verified(&key, text("id"), &data["timestamp"].to_string(), text("signature"), text("payload"));
        let is_it = event["type"] == kind && event["data"]["id"] == id;
        events.push(event);
        if is_it {
            return events;
        }
    }
    panic!("the stream ended: {}", member.log());
}

/// Takes posts on a port, verified.
fn receiver(port: u16, key: VerifyKey) -> Receiver<Value> {
    let (listener, (sender, taken)) = (TcpListener::bind(("127.0.0.1", port)).unwrap(), channel());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Some(event) = post(stream.unwrap(), &key) else { continue };
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    taken
}

/// One post on one connection.
fn post(mut stream: TcpStream, key: &VerifyKey) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut headers = std::collections::HashMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.trim().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    let mut body = vec![0; headers["content-length"].parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(verified(key, &headers["webhook-id"], &headers["webhook-timestamp"], &headers["webhook-signature"], &body))
}

#[test]
fn a_governed_node_tells_applications_and_journals_who_did_what() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut net = Net::prepare(&["a", "b"]);
    let port = ports::free();
    let hook = format!("[[webhook]]\nurl = \"http://127.0.0.1:{port}/hook\"\nkinds = [\"stored\", \"erased\"]\n");
    net.members[0].extra = format!("{hook}{}", access(&issuer, ""));
    net.members.iter_mut().for_each(Member::start);
    let taken = receiver(port, net.at(0).signing().verify_key());
    let id = net.at(0).sent(b"a secret", &[net.at(1)]);
    until(net.at(0), "stored", &id);
    until(net.at(1), "received", &id);

    // An erasure by two people, over a crash of the node.
    let token = |name: &str| format!("Bearer {}", issuer.token(name, "member1", "ES256"));
    let call = |member: &Member, path: &str, who: &str, body: &Value| {
        Request::post(path, JSON, body.to_string().as_bytes()).header("Authorization", &token(who)).send(&member.admin)
    };
    let erasure = json!({ "act": "erase", "arguments": { "id": id }, "reason": "case 17" });
    assert_eq!(call(net.at(0), "/acts", "bea", &erasure).status, 403);
    let act = call(net.at(0), "/acts", "ana", &erasure).must(202).json();
    net.members[0].kill();
    net.members[0].start();
    let approve = format!("/acts/{}/approve", act["id"].as_str().unwrap());
    call(net.at(0), &approve, "bea", &json!({})).must(200);
    let events = until(net.at(0), "erased", &id);
    let stored = events.iter().find(|event| event["type"] == "stored");
    assert!(stored.is_none_or(|event| event["proof"]["salt"].is_null()), "what the event said went with the payload");
    // At least once: the crash may have come before the bookmark was written.
    let mut hooked = vec![taken.recv_timeout(PATIENCE).expect("a webhook")];
    while hooked.last().unwrap()["type"] != "erased" {
        hooked.push(taken.recv_timeout(PATIENCE).expect("a webhook"));
    }
    hooked.dedup_by_key(|event| event["data"]["index"].clone());
    let kinds: Vec<(&Value, &Value)> = hooked.iter().map(|event| (&event["type"], &event["data"]["id"])).collect();
    assert_eq!(kinds, [(&json!("stored"), &json!(id)), (&json!("erased"), &json!(id))]);

    // Who did it stands in the journal, and only those who may read it get it.
    let export = |who: &str| Request::get("/journal/export").header("Authorization", &token(who)).send(&net.at(0).admin);
    assert_eq!(export("gov").status, 403);
    assert_eq!(Request::get("/journal/export").send(&net.at(0).admin).status, 401);
    let text = export("aud").must(200).text();
    for (actor, outcome) in [("Bea Ruiz", "refused"), ("Ana Díaz", "requested"), ("Bea Ruiz", "approved"), ("Bea Ruiz", "done")]
    {
        assert!(text.lines().any(|line| line.contains(actor) && line.contains(outcome)), "{actor} {outcome} is not in {text}");
    }
}
