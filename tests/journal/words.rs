use std::fs;
use std::sync::Arc;

use celosia::journal::Witness;
use celosia::translog::commitment::commit;
use celosia::translog::note::{Note, NoteKey};
use data_encoding::HEXLOWER;

use crate::made::{Key, Rows, Said, log, open, record, run, salt};

fn verify(arguments: &[&str]) -> Said {
    let alone = run(env!("CARGO_BIN_EXE_celosia-verify"), arguments);
    let ours = run(env!("CARGO_BIN_EXE_celosia"), &[&["verify"][..], arguments].concat());
    assert_eq!((ours.exit, &ours.text), (alone.exit, &alone.text.replace("celosia-verify", "celosia verify")));
    ours
}

#[tokio::test]
async fn a_record_that_is_in_the_log_is_proved_from_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let sequencer = open(&folder.path().join("journal"), &Rows::to(1, 700)).await;
    let published = sequencer.advance(Some(4)).await.unwrap().unwrap();
    let proof = sequencer.log().proof(500, 700, published.note.clone()).unwrap();
    fs::write(path("a.tlog-proof"), proof.to_string()).unwrap();
    fs::write(path("record"), record(500)).unwrap();
    fs::write(path("other"), record(501)).unwrap();
    let (key, salt_text) = (sequencer.key().to_string(), HEXLOWER.encode(&salt(1)));
    let commitment = HEXLOWER.encode(&commit(&salt(1), &record(500)));
    let asked = |record: &str, salt: &str| {
        verify(&["inclusion", &path("a.tlog-proof"), "--key", &key, "--record", &path(record), "--salt", salt])
    };
    let said = asked("record", &salt_text);
    assert!(
        said.exit == 0 && said.text.starts_with("good: the record is entry 500 of celosia/0011223344556677/banco-azul at 700"),
        "{said:?}"
    );
    assert!(said.text.contains("4 punctures"), "{said:?}");
    let said = verify(&["inclusion", &path("a.tlog-proof"), "--key", &key, "--commitment", &commitment]);
    assert_eq!(said.exit, 0, "{said:?}");
    for (record, salt, exit) in [
        ("other", salt_text.as_str(), 1),
        ("record", &HEXLOWER.encode(&salt(2)), 1),
        ("record", "12", 2),
        ("absent", &salt_text, 2),
    ] {
        assert_eq!(asked(record, salt).exit, exit, "{record} {salt}");
    }
    for (arguments, exit) in [
        (vec!["inclusion", "a.tlog-proof", "--key", "nonsense", "--commitment", &commitment], 4),
        (vec!["inclusion", "a.tlog-proof", "--key", &key], 4),
        (vec!["inclusion", "a.tlog-proof", "--key", &key, "--record", "record"], 4),
        (vec!["log", "/nowhere", "--key", &key], 2),
    ] {
        assert_eq!(verify(&arguments).exit, exit, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_checkpoint_is_good_with_a_quorum_of_witnesses() {
    let folder = tempfile::tempdir().unwrap();
    let sequencer = open(&folder.path().join("journal"), &Rows::to(1, 9)).await;
    let published = sequencer.advance(None).await.unwrap().unwrap();
    let mut note: Note = published.note.clone();
    let mut witnesses = Vec::new();
    for n in [2, 3] {
        let place = folder.path().join(n.to_string());
        let witness = Witness::open(&place, format!("celosia/0011223344556677/w{n}"), Key::new(n) as Arc<_>).unwrap();
        let key: &NoteKey = sequencer.key();
        note.add(witness.consider(key, &published.note, &[], 1_800_000_000).await.unwrap());
        witnesses.push(witness.me().to_string());
    }
    let file = folder.path().join("cosigned").to_str().unwrap().to_owned();
    fs::write(&file, note.to_string()).unwrap();
    let key = sequencer.key().to_string();
    let absent = "celosia/0011223344556677/w4";
    let stranger = witnesses[0].replace("w2", "w4");
    assert!(stranger.starts_with(absent));
    let both = ["checkpoint", &file, "--key", &key, "--witness", &witnesses[0], "--witness", &witnesses[1]];
    let said = verify(&both);
    assert!(
        said.exit == 0 && said.text.contains("cosigned by celosia/0011223344556677/w2, celosia/0011223344556677/w3"),
        "{said:?}"
    );
    let said = verify(&[&both[..], &["--quorum", "3"]].concat());
    assert!(said.exit == 1 && said.text.contains("2 of the given witnesses cosigned it, 3 are needed"), "{said:?}");
    // A key text whose hash is of another name is none.
    assert_eq!(verify(&["checkpoint", &file, "--key", &key, "--witness", &stranger]).exit, 4);
    // The same of a proof: its checkpoint counts only as far as others have seen it.
    let proof = sequencer.log().proof(4, 9, note).unwrap();
    fs::write(format!("{file}.tlog-proof"), proof.to_string()).unwrap();
    let commitment = HEXLOWER.encode(&commit(&salt(1), &record(4)));
    let proof = format!("{file}.tlog-proof");
    let proved = ["inclusion", &proof, "--key", &key, "--commitment", &commitment, "--witness", &witnesses[0]];
    let said = verify(&proved);
    assert!(said.exit == 0 && said.text.contains("cosigned by celosia/0011223344556677/w2"), "{said:?}");
    assert_eq!(verify(&[&proved[..], &["--quorum", "2"]].concat()).exit, 1);
    fs::write(&file, published.note.to_string()).unwrap();
    assert_eq!(verify(&both).exit, 1);
    assert_eq!(verify(&["checkpoint", &file, "--key", &key]).exit, 0);
}

#[test]
fn two_checkpoints_of_one_history_are_told_from_two_histories() {
    let (folder, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = log(folder.path(), 1, &[300, 1_000]);
    log(fork.path(), 2, &[300, 1_000]);
    let (path, other) = (folder.path().to_str().unwrap(), fork.path().to_str().unwrap());
    let file = |folder: &str, size: u64| format!("{folder}/checkpoint.{size}");
    let asked = |old: &str, new: &str, key: &[&str]| verify(&[&["consistency", old, new, "--folder", path][..], key].concat());
    let said = asked(&file(path, 300), &file(path, 1_000), &["--key", &key]);
    assert!(said.exit == 0 && said.text.contains("goes on from its first 300 entries"), "{said:?}");
    assert!(asked(&file(path, 300), &file(path, 1_000), &[]).text.contains("no key was given"));
    let said = asked(&file(other, 300), &file(path, 1_000), &["--key", &key]);
    assert!(said.exit == 1 && said.text.contains("the newer checkpoint does not go on from the older"), "{said:?}");
    let said = asked(&file(path, 1_000), &file(path, 300), &["--key", &key]);
    assert!(said.exit == 1 && said.text.contains("a tree of 1000 leaves is no part of one of 300"), "{said:?}");
    let said = asked(&file(path, 1_000), &file(other, 1_000), &["--key", &key]);
    assert!(said.exit == 1, "{said:?}");
}
