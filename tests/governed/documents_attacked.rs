//! Documents against members that do not keep to the protocol, a disk that is full, and a disk that somebody wrote on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use celosia::net::native::{Admission, NativePool, NativeTls, Pin};
use celosia::services::{NativeAddress, NativePeers as _, PeerError, native_path};
use celosia::types::MemberId;
use celosia::wire::native::{Answer, Answers, Batch, DocumentPart, Item, Message as _, PartTaken};

use crate::documents::{get, info, put, putted, wait_for};
use crate::http::{BYTES, Request, Target};
use crate::keys::random_bytes;
use crate::member::Member;
use crate::net::Net;

const MIB: usize = 1 << 20;

struct Nobody;

impl Admission for Nobody {
    fn admitted(&self, _: &Pin) -> Option<MemberId> {
        None
    }
}

/// What a member says to another, with the key that the directory names for it.
async fn call(from: &Member, to: &Member, path: &'static str, body: Vec<u8>) -> Result<Bytes, PeerError> {
    let tls = NativeTls::load(&from.folder.join("node.crt"), &from.folder.join("node.key"), Arc::new(Nobody)).unwrap();
    let entry = to.entry();
    let pin = *entry.tls_pin.unwrap().as_bytes();
    let address = NativeAddress { member: entry.id, endpoint: entry.native.unwrap(), pin };
    NativePool::new(tls).call(&address, path, Bytes::from(body), Duration::from_secs(30)).await
}

fn code_of(outcome: Result<Bytes, PeerError>) -> (u16, String) {
    match outcome {
        Err(PeerError::Refused { status, message, .. }) => (status, message),
        other => panic!("refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_adds_nothing_to_what_it_did_not_offer() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let content = random_bytes(2 * MIB);
    let id = putted(a, &content, &[b], "now");
    let mut document = [0; 32];
    document.copy_from_slice(&data_encoding::HEXLOWER.decode(&id.as_bytes()[2..]).unwrap());
    let part = |document, index, len| DocumentPart { document, index, bytes: vec![7; len].into() }.to_bytes();
    // Another member's document, one that nobody offered, one that is complete.
    for (from, document) in [(c, document), (a, [9; 32])] {
        let (status, text) = code_of(call(from, b, native_path::DOCUMENT_PART, part(document, 0, MIB + 40)).await);
        assert!(status == 400 && text.contains("did not offer"), "{status} {text}");
    }
    let said = call(a, b, native_path::DOCUMENT_PART, part(document, 0, MIB + 40)).await.unwrap();
    assert_eq!(PartTaken::from_bytes(&said), Ok(PartTaken { next: 3 }));
    // An offer that is none.
    let epoch = call(c, c, native_path::EPOCH, Vec::new()).await.unwrap();
    for body in [vec![], vec![0x89], random_bytes(300)] {
        let item = Item { suite: 3, body: body.into(), upload: None };
        let batch = Batch { epoch: epoch.to_vec().into(), items: vec![item], filler: Vec::new().into() };
        let answers = Answers::from_bytes(&call(c, b, native_path::DELIVER, batch.to_bytes()).await.unwrap()).unwrap();
        assert!(matches!(answers.items[..], [Answer::Refused { status: 400, .. }]), "{answers:?}");
    }
    for holder in [a, b] {
        assert!(get(holder, &id).must(200).body == content);
    }
}

#[test]
fn what_somebody_wrote_into_the_file_is_told_and_never_given_out() {
    let net = Net::start(&["a"]);
    let a = net.at(0);
    let id = putted(a, &random_bytes(3 * MIB), &[], "eventual");
    let folder = a.folder.join("data/documents");
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&file).unwrap();
    let sealed = MIB + 40;
    // Two chunks change places; the end is cut off; a bit turns.
    let mut swapped = good.clone();
    swapped[..2 * sealed].rotate_left(sealed);
    let mut turned = good.clone();
    turned[100] ^= 1;
    for bytes in [&swapped, &turned] {
        std::fs::write(&file, bytes).unwrap();
        // The head is on its way when the first chunk does not open: the connection ends without a whole answer.
        assert!(Request::get(&format!("/documents/{id}")).try_send(&a.application).is_none_or(|answer| answer.body.is_empty()));
    }
    std::fs::write(&file, &good[..2 * sealed]).unwrap();
    let last = Request::get(&format!("/documents/{id}")).header("Range", "bytes=0-9").send(&a.application);
    assert_eq!((last.status, last.body.len()), (206, 10), "chunks that are whole are still read");
    assert!(
        Request::get(&format!("/documents/{id}"))
            .header("Range", "bytes=-9")
            .try_send(&a.application)
            .is_none_or(|answer| answer.body.is_empty())
    );
    std::fs::write(&file, &good).unwrap();
    assert_eq!(get(a, &id).must(200).body.len(), 3 * MIB);
}

/// A small file system of its own, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    fn mount(path: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path.to_owned()));
        }
        println!("skipped: mounting a small file system needs root");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn documents_leave_room_on_the_disk_and_go_on_when_there_is_more() {
    let mut net = Net::prepare(&["a", "b"]);
    let Some(small) = Small::mount(&net.at(1).folder.join("data/documents"), "size=260m,mode=0700") else { return };
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);
    let (a, b) = (net.at(0), net.at(1));
    let full = put(b, &random_bytes(8 * MIB), &[], "eventual");
    assert_eq!((full.status, full.header("celosia-error")), (507, Some("CEL3309")), "{}", full.text());
    // A delivery waits for room, and nothing of it is visible meanwhile.
    let content = random_bytes(8 * MIB);
    let id = putted(a, &content, &[b], "eventual");
    a.wait_until(|| a.log().contains("a document was not delivered"), "it is not tried");
    assert_eq!(get(b, &id).status, 404);
    let remounted = Command::new("mount").args(["-o", "remount,size=400m"]).arg(&small.0).status().unwrap();
    assert!(remounted.success());
    wait_for(b, &id);
    assert!(get(b, &id).body == content);
}

#[test]
fn reads_are_journalled_where_the_policy_asks_and_applications_are_told() {
    let net = Net::start(&["a", "b"]);
    let (a, b) = (net.at(0), net.at(1));
    let post = |class: &str| {
        let request = Request::post("/documents", BYTES, b"x").header("celosia-class", class);
        let request = request.header("celosia-to", &b.keys.public).header("celosia-deliver", "now");
        request.send(&a.application).must(201).json()["hex"].as_str().unwrap().to_owned()
    };
    let (special, personal) = (post("special"), post("personal"));
    for id in [&special, &personal] {
        get(a, id).must(200);
    }
    let id = |hex: &str| info(a, hex)["id"].as_str().unwrap().to_owned();
    let rows = Request::get("/journal/export").send(&a.admin).must(200).text();
    let reads: Vec<&str> =
        rows.lines().filter(|line| line.contains(r#"kind":"read""#) || line.contains(r#"kind\":\"read\""#)).collect();
    assert!(reads.len() == 1 && reads[0].contains(&id(&special)), "{rows}");
    Request::new("DELETE", &format!("/documents/{personal}")).send(&b.application).must(204);
    // What was said of the erased one before is silent: only its erasure is told.
    let told = events(b, 2);
    assert_eq!(told.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["received", "erased"]);
    assert!(told[0].1.contains(&id(&special)) && told[1].1.contains(&id(&personal)), "{told:?}");
}

/// The first events of the stream: kind and data.
fn events(of: &Member, count: usize) -> Vec<(String, String)> {
    let Target::Tcp(port) = of.application else { panic!("a port") };
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: b\r\n\r\n").unwrap();
    let (mut told, mut kind) = (Vec::new(), String::new());
    // Heartbeats come for ever: a line may be missed only so often.
    for line in BufReader::new(stream).lines().take(200) {
        let line = line.unwrap();
        if let Some(name) = line.strip_prefix("event: ").or(line.strip_prefix("event:")) {
            kind = name.trim().to_owned();
        } else if let Some(data) = line.strip_prefix("data:") {
            told.push((std::mem::take(&mut kind), data.trim().to_owned()));
        }
        if told.len() == count {
            break;
        }
    }
    told
}
