//! Documents: what the scanner finds of one by its id, before and after; what `celosia fsck` says of files.

use std::fs;
use std::path::PathBuf;

use data_encoding::{BASE64, HEXLOWER};

use crate::http::Request;
use crate::member::Member;
use crate::net::Net;
use crate::support::{celosia, letter, parts, scan};

/// Puts a document; its id in base64.
fn put(at: &Member, content: &[u8], to: &str) -> String {
    let request = Request::post("/documents", "application/octet-stream", content).header("celosia-to", to);
    request.header("celosia-deliver", "now").send(&at.application).must(201).json()["id"].as_str().unwrap().to_owned()
}

fn hex(id: &str) -> String {
    format!("0x{}", HEXLOWER.encode(&BASE64.decode(id.as_bytes()).unwrap()))
}

fn data(member: &Member) -> String {
    member.folder.join("data").to_str().unwrap().to_owned()
}

#[test]
fn a_document_is_found_by_its_id_and_gone_after_its_erasure() {
    let mut net = Net::prepare(&["uno", "dos"]);
    for member in &mut net.members {
        member.extra = "[store]\npurge-every = \"1s\"".into();
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    let (uno, dos) = (net.at(0), net.at(1));
    let content = letter(3_000);
    let id = put(uno, &content, &dos.keys.public);
    for (member, asked) in [(uno, id.clone()), (dos, hex(&id))] {
        let needles = member.folder.join("needles").to_str().unwrap().to_owned();
        let all_there = || {
            let _ = fs::remove_file(&needles);
            let (exit, report) = scan(&["--for", &asked, "--data-dir", &data(member), "--save", &needles, &data(member)]);
            println!("{report:#}");
            let searched = report["searched-for"].to_string();
            assert!(searched.contains("data key") && searched.contains("leaf key"), "{report:#}");
            let parts = parts(&report);
            let expected = ["ciphertext", "document card", "journal record", "journal salt", "sealed head"];
            exit == 1 && expected.iter().all(|part| parts.contains(&(*part).to_owned()))
        };
        member.wait_until(all_there, "all that a document leaves");
    }
    Request::new("DELETE", &format!("/documents/{}", hex(&id))).send(&uno.application).must(204);
    dos.wait_until(
        || Request::get(&format!("/documents/{}", hex(&id))).send(&dos.application).status == 410,
        "the order does not arrive",
    );
    for member in [uno, dos] {
        let (needles, log) = (member.folder.join("needles"), member.folder.join("log"));
        let gone = || {
            let (exit, report) = scan(&["--needles", needles.to_str().unwrap(), &data(member), log.to_str().unwrap()]);
            println!("{report:#}");
            exit == 0
        };
        member.wait_until(gone, "nothing of it is left");
        let (exit, report) =
            scan(&["--for", &id, "--data-dir", &data(member), "--needles", needles.to_str().unwrap(), &data(member)]);
        assert_eq!(exit, 0, "{report:#}");
        assert!(report["notes"].to_string().contains("the document is erased here"), "{report:#}");
    }
    let other = BASE64.encode(&[7; 32]);
    let refused = celosia(&[
        "scan",
        "--for",
        &other,
        "--needles",
        uno.folder.join("needles").to_str().unwrap(),
        uno.folder.to_str().unwrap(),
    ]);
    assert_eq!(refused.status.code(), Some(2), "needles of another item");
}

#[test]
fn fsck_opens_every_chunk_and_names_files_of_no_document() {
    let mut net = Net::start(&["uno"]);
    let uno = net.at(0);
    let own = uno.keys.public.clone();
    let ids: Vec<String> = [1_000, (2 << 20) + 7, 30].map(|length| put(uno, &letter(length), &own)).to_vec();
    let folder = uno.folder.join("data/documents");
    let files = || -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().len());
        files
    };
    net.members[0].stop();
    let check = || {
        let output = celosia(&["fsck", "--data-dir", &data(&net.members[0])]);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), shown)
    };
    let (exit, shown) = check();
    assert_eq!(exit, Some(0), "{shown}");
    assert!(shown.contains("3 documents of") && shown.contains("3 documents opened and verified, 0 blocked"), "{shown}");
    // One byte of the largest, the end of the next, the whole of the smallest; and a file that nobody knows.
    let files = files();
    let mut bytes = fs::read(&files[2]).unwrap();
    bytes[(1 << 20) + 300] ^= 1;
    fs::write(&files[2], bytes).unwrap();
    let short = fs::read(&files[1]).unwrap();
    fs::write(&files[1], &short[..short.len() - 1]).unwrap();
    fs::remove_file(&files[0]).unwrap();
    let stray = "0123456789abcdef0123456789abcdef";
    fs::write(folder.join(stray), b"x").unwrap();
    let (exit, shown) = check();
    assert_eq!(exit, Some(1), "{shown}");
    for words in [&format!("{}: chunk 1 does not open", ids[1]), &format!("of no document: {stray}"), "3 problems"] {
        assert!(shown.contains(words), "{words} is missing in\n{shown}");
    }
    assert!(ids.iter().all(|id| shown.contains(&format!("bad: {id}: "))) && shown.contains(": its file"), "{shown}");
}
