//! Erasure that reaches every holder, and its certificate: real processes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::http::Request;
use crate::member::Member;
use crate::net::Net;

/// The node's cache is not waited for, and the root is rotated when it is asked for.
pub const QUICK: &str = "[erasure]\nnode-cache = \"0s\"\n";

pub fn celosia(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

pub fn must(arguments: &[&str]) -> String {
    let (good, text) = celosia(arguments);
    assert!(good, "{arguments:?}: {text}");
    text
}

pub fn admin(member: &Member) -> String {
    match &member.admin {
        crate::http::Target::Tcp(port) => format!("http://127.0.0.1:{port}"),
        crate::http::Target::Unix(path) => format!("unix:{}", path.display()),
    }
}

pub fn quick(ids: &[&str]) -> Net {
    let mut net = Net::prepare(ids);
    for member in &mut net.members {
        QUICK.clone_into(&mut member.extra);
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    net
}

/// Opens a case and decides it; its name.
pub fn erase(member: &Member, arguments: &[&str]) -> String {
    let admin = admin(member);
    let fixed = ["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now"];
    must(&[&fixed, arguments].concat()).lines().next().unwrap().to_owned()
}

pub fn case(member: &Member, case: &str) -> Value {
    serde_json::from_str(&must(&["erase", "show", "--admin", &admin(member), case, "--json"])).unwrap()
}

pub fn wait_for(member: &Member, name: &str, state: &str) {
    member.wait_until(|| case(member, name)["state"] == state, &format!("the case is not {state}"));
}

pub fn certificate(member: &Member, case: &str, file: &Path) -> String {
    must(&["erase", "certificate", "--admin", &admin(member), case, "--out", file.to_str().unwrap()]);
    file.to_str().unwrap().to_owned()
}

#[test]
fn an_erasure_reaches_every_holder_and_is_certified() {
    let net = quick(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let (gone, kept) = (a.sent(b"about a person", &[b, c]), a.sent(b"about nobody", &[b]));
    let of_b = b.sent(b"what b sent", &[a]);

    // A dry run changes nothing and names everybody.
    let reach = must(&["erase", "request", "--admin", &admin(a), "--ground", "objection", "--dry-run", "--id", &gone]);
    assert!(reach.contains(&gone) && reach.contains("1 item(s) at c (c S.A.)"), "{reach}");
    assert!(a.receive(&gone).is_some() && must(&["erase", "list", "--admin", &admin(a)]).is_empty());

    let name = erase(a, &["--id", &gone, "--urgent"]);
    for member in [a, b, c] {
        member.wait_until(|| member.receive(&gone).is_none(), "it is not erased");
    }
    assert!(a.receive(&kept).is_some() && b.receive(&kept).is_some() && a.receive(&of_b).is_some());
    wait_for(a, &name, "backup-safe");
    for member in [b, c] {
        must(&["root", "rotate", "--admin", &admin(member)]);
    }
    wait_for(a, &name, "certified");
    let file = certificate(a, &name, &a.folder.join("certificate"));
    let network = net.governors.network().to_string();
    let good = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(good.contains("complete: every holder") && good.matches("E3 (backup-safe)").count() >= 3, "{good}");
    assert_eq!(good.matches("its journal has the receipt").count(), 3, "{good}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/certificate");
        std::fs::create_dir_all(&seeds).unwrap();
        std::fs::copy(&file, seeds.join("one")).unwrap();
    }
    let page = a.folder.join("certificate.html");
    must(&["certificate", "page", "--network", &network, &file, "--out", page.to_str().unwrap()]);
    assert!(std::fs::read_to_string(&page).unwrap().contains("b S.A."));

    // What b sent is b's to erase elsewhere; of its own copy a decides.
    let name = erase(a, &["--id", &of_b]);
    a.wait_until(|| a.receive(&of_b).is_none(), "its own copy is not erased");
    assert!(b.receive(&of_b).is_some(), "a's decision reached b");
    assert_eq!(case(a, &name)["holders"].as_array().unwrap().len(), 1);
}

#[test]
fn a_changed_certificate_is_found_out() {
    let net = quick(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let id = a.sent(b"about a person", &[b]);
    let name = erase(a, &["--id", &id, "--urgent"]);
    wait_for(a, &name, "backup-safe");
    let path = a.folder.join("certificate");
    let file = certificate(a, &name, &path);
    let network = net.governors.network().to_string();
    let good = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(good.contains("NOT complete yet"), "{good}");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = "0".repeat(64);
    let (bad, why) = celosia(&["certificate", "verify", "--network", &other, &file]);
    assert!(!bad && why.contains("CEL3371"), "{why}");
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let (good, why) = celosia(&["certificate", "verify", "--network", &network, &file]);
        assert!(!good, "{from} -> {to}: {why}");
        why
    };
    assert!(changed("\"complete\":false", "\"complete\":true").contains("CEL3374"));
    assert!(changed("consent-withdrawn", "objection").contains("CEL3374"));
    assert!(changed("\"member\":\"b\"", "\"member\":\"a\"").contains("CEL337"));
    assert!(changed("{", "").contains("CEL3370"));
}

/// Two cases over one item: the second knows who had it, although nobody can read that any more. And a third is refused.
#[test]
fn a_case_remembers_who_had_what_when_it_was_opened() {
    let mut net = quick(&["a", "b"]);
    let id = net.at(0).sent(b"about a person", &[net.at(1)]);
    net.members[1].kill();
    let a = net.at(0);
    let body = serde_json::json!({ "scope": { "by": "items", "of": [id] }, "ground": "objection", "urgent": false }).to_string();
    let open = || Request::post("/erasures", "application/json", body.as_bytes()).send(&a.admin);
    let opened = open().must(201).json();
    let first = erase(a, &["--id", &id]);
    a.wait_until(|| a.receive(&id).is_none(), "it is not erased");
    let path = format!("/erasures/{}/erase", opened["id"].as_str().unwrap());
    let second = Request::post(&path, "application/json", b"{}").send(&a.admin).must(200).json();
    for name in [&first, second["id"].as_str().unwrap()] {
        assert_eq!(case(a, name)["holders"][1]["member"], "b", "{second}");
    }
    assert_eq!(open().must(422).json()["code"], "CEL3363", "it is gone here");
    net.members[1].start();
    let b = net.at(1);
    b.wait_until(|| b.receive(&id).is_none(), "b was not told");
}

#[test]
fn a_holder_that_is_away_is_asked_again_and_does_not_get_it_back() {
    let mut net = quick(&["a", "b"]);
    let id = net.at(0).sent(b"about a person", &[net.at(1)]);
    net.members[1].kill();
    let name = erase(net.at(0), &["--id", &id]);
    let a = net.at(0);
    a.wait_until(|| case(a, &name)["holders"][1]["error"].is_string(), "nobody asked b");
    let file = certificate(a, &name, &a.folder.join("certificate"));
    let network = net.governors.network().to_string();
    let said = must(&["certificate", "verify", "--network", &network, &file]);
    assert!(said.contains("1 x no answer") && said.contains("NOT complete yet"), "{said}");
    // A restart of the controller forgets nothing.
    net.members[0].kill();
    net.members[0].start();
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    b.wait_until(|| b.receive(&id).is_none(), "b did not get its order");
    a.wait_until(|| case(a, &name)["holders"][1]["level"].as_u64() >= Some(1), "b's receipt did not come");
}

#[test]
fn a_refusal_needs_a_ground_a_text_and_a_day() {
    let net = quick(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let id = a.sent(b"about a person", &[b]);
    let admin = admin(a);
    let name = must(&["erase", "request", "--admin", &admin, "--ground", "objection", "--id", &id]).trim().to_owned();
    assert_eq!(case(a, &name)["state"], "requested");
    assert_eq!(celosia(&["overdue", "--admin", &admin]), (true, String::new()), "the month has just begun");
    let refuse = |text: &str, until: &str| {
        celosia(&["erase", "refuse", "--admin", &admin, &name, "--ground", "legal-claims", "--text", text, "--until", until])
    };
    assert!(refuse(" ", "2099-01-01T00:00:00Z").1.contains("CEL3364"));
    assert!(refuse("a lawsuit", "2020-01-01T00:00:00Z").1.contains("CEL3367"));
    assert_eq!(refuse("a lawsuit", "2099-01-01T00:00:00Z"), (true, "refused\n".to_owned()));
    assert!(refuse("again", "2099-01-01T00:00:00Z").1.contains("CEL3362"));
    assert!(a.receive(&id).is_some() && b.receive(&id).is_some());
    let refusal = case(a, &name)["refusal"].clone();
    assert_eq!((refusal["exception"].as_str(), refusal["by"].as_str()), (Some("legal-claims"), Some("admin")));
    // Decided anew, it is erased after all.
    let decided = Request::post(&format!("/erasures/{name}/erase"), "application/json", b"{}").send(&a.admin);
    assert_eq!(decided.status, 200, "{}", decided.text());
    b.wait_until(|| b.receive(&id).is_none(), "it is not erased");
}

#[test]
fn a_crash_at_any_moment_loses_no_order() {
    let mut net = quick(&["a", "b"]);
    let ids: Vec<String> = (0..40_u8).map(|n| net.at(0).sent(&[n; 100], &[net.at(1)])).collect();
    let mut callers = Vec::new();
    for (round, id) in ids.iter().enumerate() {
        let body = serde_json::json!({ "scope": { "by": "items", "of": [id] }, "ground": "retention", "urgent": false });
        let a = net.at(0);
        let asked = Request::post("/erasures", "application/json", body.to_string().as_bytes()).send(&a.admin).must(201).json();
        let path = format!("/erasures/{}/erase", asked["id"].as_str().unwrap());
        let port = match a.admin {
            crate::http::Target::Tcp(port) => port,
            crate::http::Target::Unix(_) => unreachable!("a port"),
        };
        // Nobody waits for the answer: the process dies in the middle of it, at another place each time.
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}");
        std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        callers.push(stream);
        if round % 4 == 3 {
            std::thread::sleep(std::time::Duration::from_millis(round as u64 / 2));
            let who = (round / 4) % 2;
            net.members[who].kill();
            net.members[who].start();
        }
    }
    let (a, b) = (net.at(0), net.at(1));
    let mut decided = 0;
    for id in &ids {
        if a.receive(id).is_none() || b.receive(id).is_none() {
            decided += 1;
            b.wait_until(|| a.receive(id).is_none() && b.receive(id).is_none(), "an order was lost");
        }
    }
    assert!(decided >= 20, "only {decided} were decided");
}

pub fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

/// What a backup of the store brings back, and what it has never heard of: neither is there again when the node serves.
#[test]
fn a_restored_store_hears_of_every_erasure_before_the_node_serves() {
    let mut net = quick(&["a", "b"]);
    let (of_a, of_b) = (net.at(0).sent(b"a about a person", &[net.at(1)]), net.at(1).sent(b"b about a person", &[net.at(0)]));
    let kept = net.at(0).sent(b"about nobody", &[net.at(1)]);
    let body = Request::post("/documents", "application/octet-stream", b"a paper").header("celosia-to", &net.at(1).keys.public);
    let put = body.send(&net.at(0).application).must(201).json();
    let document = put["hex"].as_str().unwrap().trim_start_matches("0x").to_owned();
    let arrived = || Request::get(&format!("/documents/{document}")).send(&net.at(1).application).status == 200;
    net.at(1).wait_until(arrived, "the document does not arrive");
    net.members[1].stop();
    let (store, saved) = (net.at(1).folder.join("data/store"), net.at(1).folder.join("saved"));
    copy(&store, &saved);
    net.members[1].start();
    let later = net.at(0).sent(b"after the backup", &[net.at(1)]);
    let (a, b) = (net.at(0), net.at(1));
    let paper = |member: &Member| Request::get(&format!("/documents/{document}")).send(&member.application).status;
    b.wait_until(|| paper(b) == 200, "the document is lost");
    assert_eq!(Request::new("DELETE", &format!("/documents/{document}")).send(&a.application).status, 204);
    b.wait_until(|| paper(b) == 410, "the document is not erased");
    let names = [erase(a, &["--id", &of_a]), erase(a, &["--id", &later]), erase(b, &["--id", &of_b])];
    for id in [&of_a, &later, &of_b] {
        b.wait_until(|| b.receive(id).is_none() && a.receive(id).is_none(), "it is not erased");
    }
    // Rows are in the log within a second.
    let rows = || Request::get("/journal/export").send(&b.admin).must(200).text().lines().count() as u64;
    b.wait_until(|| Request::get("/journal").send(&b.admin).json()["size"].as_u64() == Some(rows()), "the log does not grow");
    // The backup comes back. The log knows more than it, so the node does not even start.
    net.members[1].stop();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&saved, &store);
    net.members[1].spawn(&[]);
    assert!(!net.members[1].ended().success());
    let folder = net.at(1).folder.join("data");
    let accept =
        ["journal", "accept-rollback", "--data-dir", folder.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"];
    must(&accept);
    // Nobody is there to say what was erased since: it does not serve.
    net.members[0].stop();
    net.members[1].spawn(&[]);
    net.members[1].wait_for_admin();
    let b = net.at(1);
    b.wait_until(|| b.log().contains("CEL3368"), "it does not ask the others");
    assert!(Request::get("/upcheck").try_send(&b.node).is_none(), "it serves");
    net.members[0].start();
    net.members[1].wait();
    let (a, b) = (net.at(0), net.at(1));
    assert!(b.log().contains("erasures were replayed"), "{}", b.log());
    for id in [&of_a, &later, &of_b] {
        assert_eq!(b.receive(id), None, "an erased payload came back");
    }
    let paper = Request::get(&format!("/documents/{document}")).send(&b.application).status;
    assert_eq!(paper, 410, "an erased document came back");
    assert_eq!(b.receive(&kept).as_deref(), Some(&b"about nobody"[..]), "something else was lost");
    let status = Request::get("/status").send(&b.admin).must(200).json();
    assert_eq!(status["store"]["tombstones"], 2, "those that the backup had are buried: {status}");
    // The orders go on where they were: a hears of the levels again.
    for name in &names[..2] {
        a.wait_until(|| case(a, name)["holders"][1]["level"].as_u64() >= Some(1), "b forgot an order");
    }
}
