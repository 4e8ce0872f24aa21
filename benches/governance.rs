//! How long a directory takes to load, members and signatures included: `cargo bench --bench governance`.
//!
//! The figures stand in the performance document; nothing here passes or fails.

use std::time::{Duration, Instant};

use celosia::crypto::hash::sha256;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::governance::{Charter, Delta, Document, DocumentHash, Genesis, Governor};
use celosia::translog::note::Note;
use jiff::Timestamp;

const ROUNDS: u32 = 20;
const RULE: &str = "tessera = false\nregions = [\"*\"]\npadding = \"none\"\ndelivery = \"prompt\"\nlog-reads = false\n";

fn main() {
    let names = ["a", "b", "c", "d", "e"];
    let begun = begin(&names);
    for members in [10, 100, 1_000, 5_000] {
        let note = signed(directory(&begun, 2, members, "active"), &names[..3]).to_string();
        let next = {
            let mut charter = begun.clone();
            accept(&mut charter, &note);
            (signed(directory(&charter, 3, members, "suspended"), &names[..3]), charter)
        };
        let load = best(|| accept(&mut begun.clone(), &note));
        let (note_3, mut charter) = next;
        let old = charter.directory().expect("a directory").clone();
        accept(&mut charter, &note_3.to_string());
        let new = charter.directory().expect("a directory").clone();
        let delta = Delta::between(&old, &new).encode();
        let apply = best(|| drop(Delta::decode(&delta).expect("a delta").apply(&old).expect("the directory")));
        let kib = note.len() / 1024;
        println!(
            "{members:>5} members, {kib:>5} KiB: parse, verify 3 of 5, prepare {load:>10.2?}; delta of one {} bytes, applied in {apply:>10.2?}",
            delta.len()
        );
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn accept(charter: &mut Charter, note: &str) {
    charter.accept(&Note::parse(note).expect("a note"), now()).expect("a directory");
}

fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().expect("a time")
}

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&Secret::from_slice(&sha256(&[name.as_bytes()])).expect("32 bytes"))
}

fn begin(names: &[&str]) -> Charter {
    let governors: Vec<Governor> =
        names.iter().map(|name| Governor::new(name, key(name).verify_key()).expect("a name")).collect();
    let list = governors.iter().map(|governor| format!("\"{governor}\",\n")).collect::<Vec<_>>().concat();
    let genesis = Genesis { name: "bench".into(), nonce: DocumentHash::new([0; 32]), threshold: 3, governors };
    let quorum = format!("threshold = 3\ngovernors = [{list}]\n");
    let mut text = format!(
        "format = \"celosia-policy-1\"\nnetwork = \"{}\"\nversion = 1\nissued = \"{}\"\ngrace = \"24h\"\n{quorum}[genesis]\nname = \"bench\"\nnonce = \"{}\"\n{quorum}",
        genesis.network_id(),
        now(),
        genesis.nonce
    );
    for class in ["public", "business", "personal", "special"] {
        text.extend(["[classes.", class, "]\n", RULE]);
    }
    Charter::begin(&signed(Document::from_toml(&text).expect("a policy"), &names[..3])).expect("version 1")
}

fn directory(charter: &Charter, version: u64, members: usize, first: &str) -> Document {
    let (head, hash) = charter.newest();
    let mut text = format!(
        "format = \"celosia-directory-1\"\nnetwork = \"{}\"\nversion = {version}\nprevious = \"{hash}\"\npolicy = 1\nissued = \"{}\"\n",
        head.network,
        now()
    );
    for at in 0..members {
        let key = key(&format!("member {at}")).verify_key();
        let pin = DocumentHash::new(sha256(&[&at.to_be_bytes()]));
        let state = if at == 0 { first } else { "active" };
        text.extend([format!(
            "[[members]]\nid = \"member-{at}\"\nlegal-name = \"Member {at} of the Network, S.A.\"\nlegal-id = \"ES-A{at:08}\"\nregion = \"ES-MD\"\nstate = \"{state}\"\nsoftware = \"celosia\"\nroles = [\"member\", \"witness\"]\naddresses = [\"{key}\"]\nsigning-key = \"{key}\"\ntls-pin = \"{pin}\"\nnative = \"https://celosia.member-{at}.example:9443/\"\ncompatible = \"https://tm.member-{at}.example:9000/\"\n"
        )]);
    }
    Document::from_toml(&text).expect("a directory")
}

fn signed(document: Document, names: &[&str]) -> Note {
    let mut note = document.to_note().expect("a note");
    for name in names {
        note.sign(name, &key(name));
    }
    note
}
