//! The journal of a node, its witnesses, and what happens when it is put back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::http::Request;
use crate::net::Net;

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn celosia(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn a_node_that_was_put_back_refuses_to_serve_until_operators_decide() {
    let mut net = Net::start(&["a", "b"]);
    net.at(0).sent(b"first", &[net.at(1)]);
    net.members[0].stop();
    let (data, saved) = (net.at(0).folder.join("data"), net.at(0).folder.join("saved"));
    copy(&data, &saved);
    net.members[0].start();
    let lost = net.at(0).sent(b"second", &[net.at(1)]);
    let a = net.at(0);
    let cosigned = |text: &str| text.lines().filter(|line| line.starts_with('\u{2014}')).count() >= 2;
    let size = || Request::get("/journal").send(&a.admin).json()["size"].as_u64().unwrap();
    a.wait_until(|| size() >= 4, "the journal does not grow");
    std::thread::sleep(Duration::from_secs(1));
    let grown = size();
    a.wait_until(
        || {
            let answer = Request::get("/journal/checkpoint?cosigned=true").send(&a.admin);
            answer.status == 200 && cosigned(&answer.text()) && answer.text().lines().nth(1) == Some(&grown.to_string())
        },
        "no witness cosigns",
    );
    // The machine's snapshot comes back.
    net.members[0].kill();
    fs::remove_dir_all(&data).unwrap();
    copy(&saved, &data);
    net.members[0].spawn(&[]);
    net.members[0].wait_for_admin();
    let a = net.at(0);
    // While others are asked, and from the moment on in which it knows.
    let is_known = || {
        assert_eq!(Request::get("/ready").send(&a.admin).status, 503);
        a.log().contains("CEL3211")
    };
    a.wait_until(is_known, "it does not see that it was put back");
    assert_eq!(Request::get("/ready").send(&a.admin).status, 503);
    assert!(a.log().contains("b has seen it"), "{}", a.log());
    let halted = Request::get("/journal").send(&a.admin).json()["halted"].as_str().unwrap_or_default().to_owned();
    assert!(halted.contains("entries"), "{halted}");
    let socket = match &a.node {
        crate::http::Target::Unix(path) => path.clone(),
        crate::http::Target::Tcp(_) => unreachable!("a socket"),
    };
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /upcheck HTTP/1.1\r\nHost: c\r\n\r\n").unwrap();
    assert!(std::io::Read::read(&mut stream, &mut [0; 64]).is_err(), "the node surface answers");

    // In the open: another log, with the decision in it.
    net.members[0].stop();
    let folder = net.at(0).folder.join("data");
    let (good, text) = celosia(&[
        "journal",
        "accept-rollback",
        "--data-dir",
        folder.to_str().unwrap(),
        "--actor",
        "ana",
        "--reason",
        "disk lost",
    ]);
    assert!(good, "{text}");
    net.members[0].start();
    let a = net.at(0);
    let status = Request::get("/journal").send(&a.admin).must(200).json();
    assert!(status["log"].as_str().unwrap().ends_with("/2"), "{status}");
    let export = Request::get("/journal/export").send(&a.admin).must(200).text();
    assert!(export.contains("accept-rollback") && export.contains("disk lost"), "{export}");
    net.at(1).wait_until(|| net.at(1).log().contains("begins another log"), "the witness says nothing");
    // What it lost it gets back from those who have it.
    assert_eq!(a.receive(&lost), None);
    net.members[0].stop();
    net.members[0].spawn(&["--recover"]);
    assert!(net.members[0].ended().success(), "{}", net.at(0).log());
    net.members[0].start();
    assert_eq!(net.at(0).receive(&lost).as_deref(), Some(&b"second"[..]));
}

#[test]
fn a_log_is_verified_from_a_copy_and_each_tampering_is_found() {
    let net = Net::start(&["a", "b"]);
    for number in 0..300 {
        net.at(0).sent(format!("{number}").as_bytes(), &[net.at(1)]);
    }
    let a = net.at(0);
    let status = || Request::get("/journal").send(&a.admin).json();
    a.wait_until(|| status()["size"].as_u64().unwrap() >= 600, "the journal does not grow");
    let key = status()["key"].as_str().unwrap().to_owned();
    let copied = net.folder.path().join("copied");
    // A copy of a log that goes on: its checkpoint first would name tiles that are there, so the folder may be copied as it is.
    copy(&a.folder.join("data/journal/log"), &copied);
    let verify = |folder: &Path| celosia(&["verify", "log", folder.to_str().unwrap(), "--key", &key]);
    let (good, text) = verify(&copied);
    assert!(good, "{text}");
    let tile = copied.join("tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[100] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let (good, text) = verify(&copied);
    assert!(!good && text.contains("entry 2"), "{text}");
    // A row and its proof, offline.
    let row: serde_json::Value = {
        let export = Request::get("/journal/export?from=5").send(&a.admin).must(200).text();
        serde_json::from_str(export.lines().next().unwrap()).unwrap()
    };
    let (proof, record) = (net.folder.path().join("proof"), net.folder.path().join("record"));
    fs::write(&proof, Request::get("/journal/proof?index=5").send(&a.admin).must(200).body).unwrap();
    fs::write(&record, row["record"].as_str().unwrap()).unwrap();
    let salt = row["salt"].as_str().unwrap();
    let inclusion = |record: &Path| {
        celosia(&[
            "verify",
            "inclusion",
            proof.to_str().unwrap(),
            "--key",
            &key,
            "--record",
            record.to_str().unwrap(),
            "--salt",
            salt,
        ])
    };
    let (good, text) = inclusion(&record);
    assert!(good, "{text}");
    fs::write(&record, row["record"].as_str().unwrap().replace("\"at\":1", "\"at\":2")).unwrap();
    assert!(!inclusion(&record).0);
}

/// Erasing a payload takes what the journal says of it; the log still verifies, and strangers learn counts and times.
#[test]
fn an_erased_payload_leaves_the_log_whole() {
    let net = Net::start(&["a", "b"]);
    let id = net.at(0).sent(b"personal", &[net.at(1)]);
    let a = net.at(0);
    let about = || Request::get(&format!("/journal/about/{}", crate::member::percent(&id))).send(&a.admin).must(200).json();
    a.wait_until(|| about().as_array().unwrap().len() == 2, "stored and delivered");
    let before = about();
    Request::new("DELETE", &format!("/transaction/{}", crate::member::percent(&id))).send(&a.node).must(204);
    let after = about();
    for (old, new) in before.as_array().unwrap().iter().zip(after.as_array().unwrap()) {
        assert_eq!(old["commitment"], new["commitment"]);
        assert_eq!(new["erased"], true);
        assert!(new.get("record").is_none());
    }
    assert_eq!(after[2]["what"]["kind"], "erased");
    let receipt = Request::get(&format!("/receipts/{}", crate::member::percent(&id))).send(&a.admin);
    assert_eq!(receipt.status, 404, "{}", receipt.text());
}

/// The node's reads at block execution are counted; a class whose policy asks for it has each written down.
#[test]
fn reads_are_written_down_where_the_policy_asks() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let sent = |class| {
        let answer = a.send(b"x", &[b], Some(class)).must(201);
        answer.json()["key"].as_str().unwrap().to_owned()
    };
    let (special, personal) = (sent("special"), sent("personal"));
    for id in [&special, &personal, &special] {
        assert_eq!(b.receive(id).as_deref(), Some(&b"x"[..]));
    }
    let reads = |id: &str| {
        let rows = Request::get(&format!("/journal/about/{}", crate::member::percent(id))).send(&b.admin).must(200).json();
        rows.as_array().unwrap().iter().filter(|row| row["what"]["kind"] == "read").count()
    };
    assert_eq!((reads(&special), reads(&personal)), (2, 0));
}
