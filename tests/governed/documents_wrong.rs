//! What is asked wrongly of documents, and what is not let through.

use celosia::governance::Member as Entry;

use crate::documents::{get, info, put, putted};
use crate::http::{BYTES, JSON, Request};
use crate::keys::KeyPair;
use crate::member::Member;
use crate::net::Net;
use crate::peer::{self, Maker};

const PART: &str = "application/offset+octet-stream";

/// Method, path, headers, body, status, code.
type Wrong<'a> = (&'static str, String, &'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);

#[test]
fn wrong_requests_have_a_status_and_a_code_each() {
    let mut net = Net::prepare(&["a"]);
    net.members[0].extra = "[limits]\nmax-document = \"1MiB\"\nmax-documents = \"3MiB\"\n".into();
    net.members[0].start();
    let a = net.at(0);
    let here = format!("/documents/{}", putted(a, &[7; 100], &[], "eventual"));
    let upload = |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(Request::new("POST", "/documents"), |request, (name, value)| request.header(name, value));
        request.send(&a.application).must(201).header("location").unwrap().to_owned()
    };
    let begun = upload(&[("Upload-Length", "100")]);
    let nobody = format!("/documents/{}", "0".repeat(64));
    let stranger = KeyPair::random().public;
    let documents = || "/documents".to_owned();
    let large = vec![1; (1 << 20) + 1];
    let wrong: &[Wrong<'_>] = &[
        ("POST", documents(), &[("celosia-class", "secret")], b"x", 400, "CEL2102"),
        ("POST", documents(), &[("celosia-deliver", "soon")], b"x", 400, "CEL2102"),
        ("POST", documents(), &[("celosia-to", "?")], b"x", 400, "CEL2102"),
        ("POST", documents(), &[("celosia-to", &stranger)], b"x", 404, "CEL2003"),
        ("POST", documents(), &[("celosia-from", &stranger)], b"x", 404, "CEL2004"),
        ("POST", documents(), &[("upload-metadata", "filename !")], b"x", 400, "CEL2102"),
        ("POST", documents(), &[("upload-length", "one")], b"", 400, "CEL2102"),
        ("POST", documents(), &[("upload-length", "1"), ("upload-defer-length", "1")], b"", 400, "CEL2102"),
        ("POST", documents(), &[("upload-length", "1048577")], b"", 413, "CEL3307"),
        ("POST", documents(), &[("tus-resumable", "0.2.2")], b"x", 412, "CEL3316"),
        ("POST", documents(), &[], &large, 413, "CEL3307"),
        ("GET", "/documents/none".into(), &[], b"", 400, "CEL3315"),
        ("GET", nobody.clone(), &[], b"", 404, "CEL3302"),
        ("GET", begun.clone(), &[], b"", 409, "CEL3304"),
        ("GET", here.clone(), &[("range", "bytes=100-")], b"", 416, "CEL3312"),
        ("GET", "/documents?after=x".into(), &[], b"", 400, "CEL3315"),
        ("PATCH", nobody.clone(), &[("content-type", PART), ("upload-offset", "0")], b"x", 404, "CEL3302"),
        ("PATCH", begun.clone(), &[("upload-offset", "0")], b"x", 415, "CEL2107"),
        ("PATCH", begun.clone(), &[("content-type", PART)], b"x", 400, "CEL2102"),
        ("PATCH", begun.clone(), &[("content-type", PART), ("upload-offset", "7")], b"x", 409, "CEL3306"),
        (
            "PATCH",
            begun.clone(),
            &[("content-type", PART), ("upload-offset", "0"), ("upload-length", "99")],
            b"x",
            400,
            "CEL3308",
        ),
        ("PATCH", begun.clone(), &[("content-type", PART), ("upload-offset", "0")], &[0; 101], 400, "CEL3308"),
        ("PATCH", here.clone(), &[("content-type", PART), ("upload-offset", "100")], b"x", 409, "CEL3305"),
        ("POST", format!("{here}/share"), &[], b"[]", 400, "CEL2101"),
        ("POST", format!("{here}/share"), &[], br#"{"to":["?"]}"#, 400, "CEL2102"),
        ("POST", format!("{begun}/share"), &[], br#"{"to":[]}"#, 409, "CEL3304"),
        ("DELETE", nobody.clone(), &[], b"", 404, "CEL3302"),
        ("PUT", here.clone(), &[], b"x", 405, "CEL2106"),
    ];
    for (method, path, headers, body, status, code) in wrong {
        let request = headers.iter().fold(Request::new(method, path), |request, (name, value)| request.header(name, value));
        let answer = request.body(body).send(&a.application);
        assert_eq!(
            (answer.status, answer.header("celosia-error")),
            (*status, Some(*code)),
            "{method} {path} {headers:?}: {}",
            answer.text()
        );
    }
    // Nothing of it is half visible, and what was here is whole.
    let listed = Request::get("/documents").send(&a.application).must(200).json();
    assert_eq!(listed["documents"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(get(a, &here["/documents/".len()..]).must(200).body, [7; 100]);
    let mib = vec![1; 1 << 20];
    // The quota: coded, and again room after an erasure.
    let full = (0..9).map(|_| put(a, &mib, &[], "eventual")).find(|answer| answer.status != 201).unwrap();
    assert_eq!((full.status, full.header("celosia-error")), (507, Some("CEL3309")), "{}", full.text());
    for document in Request::get("/documents").send(&a.application).must(200).json()["documents"].as_array().unwrap() {
        let path = format!("/documents/{}", &document["hex"].as_str().unwrap()[2..]);
        Request::new("DELETE", &path).send(&a.application).must(204);
    }
    putted(a, &mib, &[], "eventual");
}

#[test]
fn the_policy_and_the_directory_judge_documents_too() {
    let mut net = Net::prepare(&["a", "b"]);
    net.members[1].region = "US".into();
    let keys = KeyPair::random();
    let tessera: Entry = toml::from_str(&format!(
        "id = \"t\"\nlegal-name = \"Tessera S.A.\"\nlegal-id = \"ES-T\"\nregion = \"ES\"\nstate = \"active\"\nsoftware = \"tessera\"\n\
         roles = [\"member\"]\naddresses = [\"{}\"]\ncompatible = \"http://127.0.0.1:1/\"\n",
        keys.public
    ))
    .unwrap();
    let entries = net.members.iter().map(Member::entry).chain([tessera]).collect();
    net.governors.directory(entries);
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    for member in &mut net.members {
        member.give(network, &notes);
        member.start();
    }
    let (a, b) = (net.at(0), net.at(1));
    let post = |to: &str, class: &str| {
        Request::post("/documents", BYTES, b"x").header("celosia-to", to).header("celosia-class", class).send(&a.application)
    };
    for (to, class, code) in [
        (&b.keys.public, "personal", "CEL6033"),
        (&keys.public, "personal", "CEL6032"),
        // What the policy lets through in Tessera's suite still is no document.
        (&keys.public, "business", "CEL3311"),
    ] {
        let answer = post(to, class);
        assert_eq!((answer.status, answer.header("celosia-error")), (403, Some(code)), "{}", answer.text());
    }
    assert!(post(&keys.public, "business").text().contains(&keys.public), "it names the recipient");
    let id = post(&b.keys.public, "business").must(201).json()["hex"].as_str().unwrap().to_owned();
    crate::documents::wait_for(b, &id);
    // Only whoever put it shares it.
    let body = serde_json::json!({ "to": [a.keys.public] }).to_string();
    let shared = Request::post(&format!("/documents/{id}/share"), JSON, body.as_bytes()).send(&b.application);
    assert_eq!((shared.status, shared.header("celosia-error")), (403, Some("CEL3313")));
    assert_eq!(info(b, &id)["class"], "business");
}

#[test]
fn a_node_without_a_directory_says_that_it_has_no_documents() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = peer::Member::prepare(Maker::Celosia, folder.path());
    alone.set_peers(&[]);
    alone.start();
    for request in [
        Request::post("/documents", BYTES, b"x"),
        Request::get("/documents"),
        Request::get(&format!("/documents/{}", "0".repeat(64))),
    ] {
        let answer = request.send(&alone.third_party);
        assert_eq!((answer.status, answer.header("celosia-error")), (404, Some("CEL3301")), "{}", answer.text());
    }
}
