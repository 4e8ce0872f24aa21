//! Documents between Celosias of one directory: put, got, shared, erased, over restarts and broken lines.

use std::process::Command;

use serde_json::{Value, json};

use crate::http::{Answer, BYTES, Request};
use crate::keys::random_bytes;
use crate::member::{Member, percent};
use crate::net::Net;

const PART: &str = "application/offset+octet-stream";
pub const MIB: usize = 1 << 20;

pub fn put(at: &Member, content: &[u8], to: &[&Member], deliver: &str) -> Answer {
    let to: Vec<&str> = to.iter().map(|member| member.keys.public.as_str()).collect();
    let request = Request::post("/documents", BYTES, content).header("celosia-to", &to.join(","));
    request.header("celosia-deliver", deliver).send(&at.application)
}

/// A document that must be put; its id in hexadecimal.
#[track_caller]
pub fn putted(at: &Member, content: &[u8], to: &[&Member], deliver: &str) -> String {
    let answer = put(at, content, to, deliver);
    assert_eq!(answer.status, 201, "{}\n{}", answer.text(), at.log());
    answer.json()["hex"].as_str().unwrap().to_owned()
}

pub fn get(at: &Member, id: &str) -> Answer {
    Request::get(&format!("/documents/{id}")).send(&at.application)
}

pub fn info(at: &Member, id: &str) -> Value {
    Request::get(&format!("/documents/{id}/info")).send(&at.application).must(200).json()
}

/// Of every recipient, `pending`, `delivered` or `refused`.
pub fn states(at: &Member, id: &str) -> Vec<String> {
    let recipients = info(at, id)["recipients"].as_array().unwrap().clone();
    recipients.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
pub fn wait_for(at: &Member, id: &str) {
    at.wait_until(|| get(at, id).status == 200, "the document does not arrive");
}

/// Begins an upload in parts; its path.
pub fn begin(at: &Member, headers: &[(&str, &str)]) -> String {
    let request = headers.iter().fold(Request::new("POST", "/documents"), |request, (name, value)| request.header(name, value));
    request.header("Tus-Resumable", "1.0.0").send(&at.application).must(201).header("location").unwrap().to_owned()
}

pub fn append(at: &Member, path: &str, offset: usize, bytes: &[u8]) -> Answer {
    let request = Request::new("PATCH", path).header("Content-Type", PART).header("Tus-Resumable", "1.0.0");
    request.header("Upload-Offset", &offset.to_string()).body(bytes).send(&at.application)
}

pub fn offset(at: &Member, path: &str) -> usize {
    Request::new("HEAD", path).send(&at.application).must(200).header("upload-offset").unwrap().parse().unwrap()
}

pub fn files(at: &Member) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(at.folder.join("data/documents")).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn documents_reach_their_recipients_and_nobody_else() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    for length in [0, 1, 1_000, MIB - 1, MIB, MIB + 1, 5 * MIB + 17] {
        let content = random_bytes(length);
        let id = putted(a, &content, &[b], "now");
        for holder in [a, b] {
            let answer = get(holder, &id).must(200);
            assert!(answer.body == content, "{length} bytes at {}", holder.id);
            assert_eq!(answer.header("content-length"), Some(&*length.to_string()));
        }
        assert_eq!(get(c, &id).must(404).header("celosia-error"), Some("CEL3302"));
        assert_eq!(states(a, &id), ["delivered", "delivered"]);
        // A recipient knows itself, and who sent it.
        assert_eq!(info(b, &id)["recipients"].as_array().unwrap().len(), 1);
        assert_eq!((info(b, &id)["member"].as_str(), info(b, &id)["root"].clone()), (Some("a"), info(a, &id)["root"].clone()));
    }
    // The files are the owner's alone, and hold no plaintext.
    let content = b"no plaintext on the disk ".repeat(2_000);
    let id = putted(a, &content, &[b, c], "eventual");
    wait_for(b, &id);
    wait_for(c, &id);
    for member in [a, b, c] {
        for file in files(member) {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            let bytes = std::fs::read(&file).unwrap();
            assert!(!bytes.windows(20).any(|window| window == &content[..20]), "{}", file.display());
        }
    }
    // The node surface knows no documents.
    let padded =
        data_encoding::BASE64.encode(&[&data_encoding::HEXLOWER.decode(&id.as_bytes()[2..]).unwrap()[..], &[0; 32]].concat());
    for path in [format!("/transaction/{}", percent(&padded)), format!("/documents/{id}")] {
        assert_eq!(Request::get(&path).send(&a.node).status, 404);
    }
}

#[test]
fn ranges_are_answered_as_the_rfc_says() {
    let net = Net::start(&["a"]);
    let a = net.at(0);
    let content = random_bytes(2 * MIB + 100);
    let id = putted(a, &content, &[], "eventual");
    let ranged = |range: &str| Request::get(&format!("/documents/{id}")).header("Range", range).send(&a.application);
    let size = content.len();
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=1048570-1048580", MIB - 6, MIB + 5),
        ("bytes=2097152-", 2 * MIB, size),
        ("bytes=-100", size - 100, size),
        ("bytes=100-99999999", 100, size),
    ] {
        let answer = ranged(range).must(206);
        assert!(answer.body == content[from..to], "{range}");
        assert_eq!(answer.header("content-range"), Some(&*format!("bytes {from}-{}/{size}", to - 1)));
    }
    for (range, status) in [("bytes=0-1,5-6", 200), ("bytes=9-2", 200), ("pages=1-2", 200)] {
        assert_eq!(ranged(range).must(status).body.len(), size);
    }
    let none = ranged("bytes=99999999-").must(416);
    assert_eq!(
        (none.header("content-range"), none.header("celosia-error")),
        (Some(&*format!("bytes */{size}")), Some("CEL3312"))
    );
    let whole = get(a, &id);
    let tag = whole.header("etag").unwrap();
    let path = format!("/documents/{id}");
    assert_eq!(Request::get(&path).header("If-None-Match", tag).send(&a.application).status, 304);
    let partial =
        |tag: &str| Request::get(&path).header("If-Range", tag).header("Range", "bytes=0-9").send(&a.application).status;
    assert_eq!((partial(tag), partial("\"another\"")), (206, 200));
    let head = Request::new("HEAD", &path).send(&a.application).must(200);
    assert_eq!((head.header("content-length"), head.header("accept-ranges")), (Some(&*size.to_string()), Some("bytes")));
    // However an id is written.
    let base64 = info(a, &id)["id"].as_str().unwrap().to_owned();
    for written in [&id[2..], &id[2..].to_uppercase(), &percent(&base64)] {
        assert_eq!(get(a, written).status, 200, "{written}");
    }
}

#[test]
fn an_upload_goes_on_where_it_broke_off_also_over_a_killed_node() {
    let mut net = Net::start(&["a", "b"]);
    let content = random_bytes(3 * MIB + 12_345);
    let size = content.len().to_string();
    let to = net.at(1).keys.public.clone();
    let metadata = "filename YSBjb250cmFjdC5wZGY=,filetype YXBwbGljYXRpb24vcGRm";
    let path = begin(net.at(0), &[("Upload-Length", &size), ("celosia-to", &to), ("Upload-Metadata", metadata)]);
    let id = path.rsplit('/').next().unwrap().to_owned();
    let mut at = 0;
    for (turn, length) in [1, 499_999, MIB, 1_000_003].into_iter().enumerate() {
        let a = net.at(0);
        assert_eq!(offset(a, &path), at, "part {turn}");
        let answer = append(a, &path, at, &content[at..at + length]).must(204);
        at += length;
        assert_eq!(answer.header("upload-offset"), Some(&*at.to_string()));
        assert!(answer.header("upload-expires").is_some());
        // Nobody sees it.
        assert_eq!(get(a, &id).must(409).header("celosia-error"), Some("CEL3304"));
        // A part that is sent twice is not taken twice.
        let again = append(a, &path, at - length, &content[at - length..at]);
        assert_eq!((again.status, again.header("celosia-error")), (409, Some("CEL3306")));
        net.members[0].kill();
        net.members[0].start();
    }
    // A part that breaks off in its middle: what came of it stays.
    let a = net.at(0);
    broken_part(a, &path, at, &content[at..], 200_000);
    a.wait_until(|| Request::new("HEAD", &path).send(&a.application).status == 200, "the upload stays locked");
    let reached = offset(a, &path);
    assert!(reached > at && reached <= at + 200_000, "{at} {reached}");
    append(a, &path, reached, &content[reached..]).must(204);
    assert!(get(a, &id).must(200).body == content);
    assert_eq!((info(a, &id)["name"].as_str(), get(a, &id).media()), (Some("a contract.pdf"), "application/pdf"));
    wait_for(net.at(1), &id);
    assert!(get(net.at(1), &id).body == content);
    let late = append(a, &path, content.len(), b"more");
    assert_eq!((late.status, late.header("celosia-error")), (409, Some("CEL3305")));
    // Nothing of the unfinished upload is left beside the document's one file.
    assert_eq!(files(a).len(), 1, "{:?}", files(a));
}

/// Sends `sent` bytes of a part that says to be whole, and closes the connection.
fn broken_part(at: &Member, path: &str, offset: usize, rest: &[u8], sent: usize) {
    use std::io::Write as _;
    let crate::http::Target::Tcp(port) = at.application else { panic!("a port") };
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = rest.len();
    write!(
        stream,
        "PATCH {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {PART}\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(&rest[..sent]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
}

#[test]
fn a_length_may_come_later_and_an_upload_may_be_given_up() {
    let net = Net::start(&["a"]);
    let a = net.at(0);
    let content = random_bytes(MIB + 5);
    let path = begin(a, &[("Upload-Defer-Length", "1")]);
    append(a, &path, 0, &content[..700_000]).must(204);
    let last = Request::new("PATCH", &path).header("Content-Type", PART).header("Upload-Offset", "700000");
    let last = last.header("Upload-Length", &content.len().to_string()).body(&content[700_000..]).send(&a.application);
    assert_eq!(last.status, 204, "{}", last.text());
    let id = path.rsplit('/').next().unwrap();
    assert!(get(a, id).must(200).body == content);
    let given_up = begin(a, &[("Upload-Length", "100")]);
    append(a, &given_up, 0, &[1; 50]).must(204);
    Request::new("DELETE", &given_up).send(&a.application).must(204);
    assert_eq!(Request::new("HEAD", &given_up).send(&a.application).status, 404);
    assert_eq!(files(a).len(), 1);
    let options = Request::new("OPTIONS", "/documents").send(&a.application).must(204);
    assert_eq!((options.header("tus-version"), options.header("tus-max-size")), (Some("1.0.0"), Some("5368709120")));
    // Of no bytes: complete with its beginning.
    let empty = begin(a, &[("Upload-Length", "0")]);
    assert_eq!(get(a, empty.rsplit('/').next().unwrap()).must(200).body, b"");
}

#[test]
fn a_member_that_is_away_gets_it_when_it_is_back() {
    let mut net = Net::start(&["a", "b"]);
    net.members[1].stop();
    let content = random_bytes(2 * MIB);
    let id = putted(net.at(0), &content, &[net.at(1)], "eventual");
    net.at(0).wait_until(|| net.at(0).log().contains("a document was not delivered"), "it is not tried");
    assert_eq!(states(net.at(0), &id), ["pending", "delivered"]);
    // Asked to wait for it, the sender says that it did not arrive, and goes on trying.
    let refused = put(net.at(0), &content, &[net.at(1)], "now");
    assert_eq!((refused.status, refused.header("celosia-error")), (410, Some("CEL3001")), "{}", refused.text());
    // What is still to be done outlives the sender.
    net.members[0].kill();
    net.members[0].start();
    net.members[1].start();
    wait_for(net.at(1), &id);
    assert!(get(net.at(1), &id).body == content);
    net.at(0).wait_until(|| states(net.at(0), &id) == ["delivered", "delivered"], "it is not acknowledged");
    net.at(1).wait_until(|| listed(net.at(1)).len() == 2, "the second does not arrive");
}

pub fn listed(at: &Member) -> Vec<Value> {
    Request::get("/documents").send(&at.application).must(200).json()["documents"].as_array().unwrap().clone()
}

#[test]
fn an_erased_document_is_gone_and_does_not_come_back() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let (content, other) = (random_bytes(MIB + 1), random_bytes(10));
    let id = putted(a, &content, &[b], "now");
    let stays = putted(a, &other, &[b], "now");
    let erase = |at: &Member| Request::new("DELETE", &format!("/documents/{id}")).send(&at.application);
    erase(b).must(204);
    for answer in [get(b, &id), erase(b), Request::get(&format!("/documents/{id}/info")).send(&b.application)] {
        assert_eq!(answer.must(410).header("celosia-error"), Some("CEL3303"));
    }
    assert_eq!((get(a, &id).status, files(b).len()), (200, 1));
    // Shared again with whoever erased it: refused, and not tried again. With another it goes on.
    let share = |to: &Member| {
        let body = json!({ "to": [to.keys.public] }).to_string();
        Request::post(&format!("/documents/{id}/share"), crate::http::JSON, body.as_bytes()).send(&a.application).must(200);
    };
    share(c);
    wait_for(c, &id);
    assert!(get(c, &id).body == content);
    // Where it was put, an erasure is ordered of every holder.
    erase(a).must(204);
    assert_eq!(get(a, &id).status, 410);
    c.wait_until(|| get(c, &id).status == 410, "the order does not arrive");
    assert_eq!((files(a).len(), files(c).len()), (1, 0));
    for holder in [a, b] {
        assert!(get(holder, &stays).must(200).body == other, "nothing else is lost");
    }
    // The journal keeps the erasure; what it said of the document before is silent.
    let rows = Request::get("/journal/export").send(&a.admin).must(200).text();
    let about: Vec<&str> = rows.lines().filter(|line| line.contains(&base64(&id))).collect();
    assert!(about.iter().any(|line| line.contains("erased")) && !about.iter().any(|line| line.contains("stored")), "{about:?}");
    a.wait_until(|| metrics(a).contains("\ncelosia_documents_pending 0\n"), "something is pending");
    let metrics = metrics(a);
    for line in ["celosia_documents 1", "celosia_documents_put_total 2", "celosia_documents_erased_total 1"] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in\n{metrics}");
    }
}

pub fn base64(id: &str) -> String {
    data_encoding::BASE64.encode(&data_encoding::HEXLOWER.decode(&id.as_bytes()[2..]).unwrap())
}

#[test]
fn a_recipient_that_erased_it_refuses_it_for_good() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let path = format!("/documents/{}", putted(a, b"once", &[b], "now"));
    Request::new("DELETE", &path).send(&b.application).must(204);
    // One more address of the same member would tell it again; here the directory has one, so the way is made open by a refusal before.
    let body = json!({ "to": [b.keys.public] }).to_string();
    let share = || Request::post(&format!("{path}/share"), crate::http::JSON, body.as_bytes()).send(&a.application);
    share().must(200);
    assert_eq!(Request::get(&path).send(&b.application).status, 410);
}

fn celosia(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn the_command_line_puts_gets_shares_and_erases() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let folder = net.folder.path();
    let config = |of: &Member| of.folder.join("celosia.toml").display().to_string();
    let path = |name: &str| folder.join(name).display().to_string();
    let content = random_bytes(9 * MIB + 3);
    std::fs::write(folder.join("in.pdf"), &content).unwrap();
    let run = |arguments: &[&str]| {
        let (good, told) = celosia(arguments);
        assert!(good, "{arguments:?}\n{told}");
        told
    };
    let told = run(&["doc", "put", "--config", &config(a), &path("in.pdf"), "--class", "business", "--media", "application/pdf"]);
    let line = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let (id, hex) = (line("id "), line("bytes32 "));
    assert_eq!((base64(&hex), hex.len()), (id.clone(), 66));
    run(&["doc", "share", "--config", &config(a), &id, "--to", &b.keys.public]);
    wait_for(b, &hex);
    assert!(run(&["doc", "list", "--config", &config(b)]).contains(&format!("{hex} here      business")));
    assert!(run(&["doc", "show", "--config", &config(a), &hex]).contains("\"delivered\""));
    run(&["doc", "get", "--config", &config(b), &hex, "--output", &path("out.pdf")]);
    assert!(std::fs::read(folder.join("out.pdf")).unwrap() == content);
    // A download that broke off goes on: the piece that is there is not fetched again.
    let part = folder.join(format!("again.pdf.{}.0-{}.part", &hex[2..18], content.len()));
    std::fs::write(&part, &content[..5_000_000]).unwrap();
    assert!(
        run(&["doc", "get", "--config", &config(b), &hex, "--output", &path("again.pdf")]).contains("going on at byte 5000000")
    );
    assert!(std::fs::read(folder.join("again.pdf")).unwrap() == content && !part.exists());
    run(&["doc", "get", "--config", &config(b), &hex, "--range", "10-19", "--output", &path("part")]);
    assert_eq!(std::fs::read(folder.join("part")).unwrap(), content[10..20]);
    // Receipts are verified with the network's documents alone.
    a.wait_until(|| states(a, &hex) == ["delivered", "delivered"], "it is not acknowledged");
    run(&["doc", "receipts", "--config", &config(a), &hex, "--out", &path("receipts")]);
    let documents = a.folder.join("data/governance").display().to_string();
    let good = run(&["receipt", "verify", &path("receipts/b.receipt"), "--directory", &documents]);
    assert!(good.contains("good: sent by a") && good.contains("b S.A."), "{good}");
    run(&["doc", "erase", "--config", &config(b), &hex]);
    let (good, told) = celosia(&["doc", "get", "--config", &config(b), &hex]);
    assert!(!good && told.contains("CEL3303"), "{told}");
    // From standard input, whose length nobody knows.
    let piped = format!("printf hola | {} doc put - --config {} --name saludo", env!("CARGO_BIN_EXE_celosia"), config(a));
    let output = Command::new("sh").args(["-c", &piped]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let hex = told.lines().find_map(|line| line.strip_prefix("bytes32 ")).unwrap_or_else(|| panic!("{told} {output:?}"));
    assert_eq!(get(a, hex).must(200).body, b"hola");
}

fn metrics(of: &Member) -> String {
    Request::get("/metrics").send(&of.admin).must(200).text()
}
