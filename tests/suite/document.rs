//! The file of a document (`docs/documents.md` section 3): `tests/vectors/document.json`, and a second implementation in Go,
//! `tests/foreign/document`. `CELOSIA_WRITE_VECTORS=1 cargo test --test suite document` writes the vectors anew.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use celosia::crypto::hash::sha256;
use celosia::crypto::secret::Secret;
use celosia::crypto::{aead, kdf};
use celosia::seal::document::{CHUNK, ChunkKey, Layout, OVERHEAD, Place, SEALED};
use celosia::translog::hash;
use celosia::types::DocumentId;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::go;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/document.json");

fn known(label: &str) -> [u8; 32] {
    sha256(&[label.as_bytes()])
}

fn id() -> DocumentId {
    DocumentId::new(known("document/id"))
}

fn data_key() -> Secret<32> {
    Secret::init_with(|bytes| *bytes = known("document/data key"))
}

/// Sealed as the page says, from primitives alone, under a nonce that everybody can compute.
fn sealed(index: u64, last: bool, plain: &[u8]) -> Vec<u8> {
    let key = kdf::hkdf(id().as_bytes(), data_key().expose(), &[b"celosia document 1"]);
    let nonce: [u8; 24] = std::array::from_fn(|at| known(&format!("document/nonce {index}"))[at]);
    let bound = [b"celosia chunk 1", &id().as_bytes()[..], &index.to_be_bytes(), &[u8::from(last)]].concat();
    let mut body = plain.to_vec();
    let tag = aead::seal_in_place(key.expose(), &nonce, &bound, &mut body);
    [&nonce[..], &body, &tag].concat()
}

fn vectors() -> Value {
    let plains: [&[u8]; 4] = [b"", b"a chunk", &[0; 8], &known("document/plain")];
    let chunk = |(index, plain): (usize, &&[u8])| {
        let (index, last) = (index as u64, index == 3);
        json!({ "index": index, "last": last, "plain": HEXLOWER.encode(plain), "sealed": HEXLOWER.encode(&sealed(index, last, plain)) })
    };
    let leaves: Vec<_> =
        plains.iter().enumerate().map(|(index, plain)| hash::leaf(&sealed(index as u64, index == 3, plain))).collect();
    json!({
        "dataKey": HEXLOWER.encode(data_key().expose()),
        "id": HEXLOWER.encode(id().as_bytes()),
        "chunks": plains.iter().enumerate().map(chunk).collect::<Vec<_>>(),
        "root": HEXLOWER.encode(&hash::fold(&leaves)),
    })
}

#[test]
fn vectors_of_chunks_open_at_their_places() {
    if std::env::var_os("CELOSIA_WRITE_VECTORS").is_some() {
        std::fs::write(VECTORS, format!("{:#}\n", vectors())).unwrap();
    }
    let file: Value = serde_json::from_slice(&std::fs::read(VECTORS).unwrap()).unwrap();
    assert_eq!(file, vectors());
    let key = ChunkKey::of(&id(), &data_key());
    for chunk in file["chunks"].as_array().unwrap() {
        let bytes = |name: &str| HEXLOWER.decode(chunk[name].as_str().unwrap().as_bytes()).unwrap();
        let place = Place { index: chunk["index"].as_u64().unwrap(), last: chunk["last"].as_bool().unwrap() };
        assert_eq!(*key.open(&id(), place, &bytes("sealed")).unwrap(), bytes("plain"));
        assert!(key.open(&id(), Place { last: !place.last, ..place }, &bytes("sealed")).is_err());
    }
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(go::program("document"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// A file as the node makes it, and its root.
fn file(content: &[u8], padded: usize) -> (Vec<u8>, String) {
    let (key, layout) = (ChunkKey::of(&id(), &data_key()), Layout { padded: padded as u64 });
    let padded = [content, &vec![0; padded - content.len()]].concat();
    let chunks: Vec<_> =
        (0..).zip(padded.chunks(CHUNK)).map(|(at, chunk)| key.seal(&id(), layout.place(at).unwrap(), chunk)).collect();
    let leaves: Vec<_> = chunks.iter().map(|chunk| hash::leaf(chunk)).collect();
    (chunks.concat(), HEXLOWER.encode(&hash::fold(&leaves)))
}

#[test]
fn go_reads_the_file_of_a_document_and_we_read_that_of_go() {
    assert!(run(&["check", VECTORS], b"").status.success());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let (key, name) = (HEXLOWER.encode(data_key().expose()), HEXLOWER.encode(id().as_bytes()));
    for (size, padded) in [(0, 8), (1, 1024), (CHUNK - 8, CHUNK), (CHUNK, CHUNK + 32_768), (3 * CHUNK + 5, 3 * CHUNK + 131_072)] {
        let content: Vec<u8> = (0..=250).cycle().take(size).collect();
        let (sealed, root) = file(&content, padded);
        assert_eq!(sealed.len() as u64, Layout { padded: padded as u64 }.sealed_len());
        std::fs::write(&path, &sealed).unwrap();
        let words = [size.to_string(), padded.to_string(), path.display().to_string()];
        let opened = run(&["open", &key, &name, &words[0], &words[1], &words[2]], b"");
        assert!(opened.status.success() && opened.stdout == content, "{size}: {}", String::from_utf8_lossy(&opened.stderr));
        assert_eq!(String::from_utf8_lossy(&opened.stderr).trim(), root);
        // The other way round.
        let made = run(&["seal", &key, &name, &words[1], &words[2]], &content);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (bytes, ours) = (std::fs::read(&path).unwrap(), ChunkKey::of(&id(), &data_key()));
        let layout = Layout { padded: padded as u64 };
        let plain = bytes
            .chunks(SEALED)
            .zip(0..)
            .flat_map(|(chunk, at)| ours.open(&id(), layout.place(at).unwrap(), chunk).unwrap().to_vec());
        assert!(plain.take(size).eq(content), "{size}");
    }
}

/// The check itself: who says yes to everything would pass.
#[test]
fn go_refuses_files_that_were_cut_or_rearranged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let (key, name) = (HEXLOWER.encode(data_key().expose()), HEXLOWER.encode(id().as_bytes()));
    let (good, _) = file(&vec![7; 2 * CHUNK], 2 * CHUNK + 65_536);
    let swapped = [&good[SEALED..2 * SEALED], &good[..SEALED], &good[2 * SEALED..]].concat();
    let cut = good[..2 * SEALED].to_vec();
    let shorter = good[..good.len() - OVERHEAD].to_vec();
    for (bytes, padded) in [(swapped, 2 * CHUNK + 65_536), (cut, 2 * CHUNK), (shorter, 2 * CHUNK + 65_536)] {
        std::fs::write(&path, bytes).unwrap();
        let words = [(2 * CHUNK).to_string(), padded.to_string(), path.display().to_string()];
        assert_eq!(run(&["open", &key, &name, &words[0], &words[1], &words[2]], b"").status.code(), Some(1));
    }
}
