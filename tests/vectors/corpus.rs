use std::fs;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub, reason = "a library of its own in fuzz/")]
#[path = "../../fuzz/src/lib.rs"]
mod entries;

type Entry = fn(&[u8]);
type Takes = fn(&[u8]) -> bool;

/// Targets by the name of their folder.
const TARGETS: [(&str, Entry); 15] = [
    ("ack", entries::ack),
    ("cbor", entries::cbor),
    ("config", entries::config),
    ("delivery", entries::delivery),
    ("enclave_frame", entries::enclave_frame),
    ("epoch_key", entries::epoch_key),
    ("header", entries::header),
    ("http_path", entries::http_path),
    ("key_file", entries::key_file),
    ("legacy", entries::legacy),
    ("party_info", entries::party_info),
    ("privacy_group", entries::privacy_group),
    ("receipt", entries::receipt),
    ("sealed_head", entries::sealed_head),
    ("tree_state", entries::tree_state),
];

fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn names(folder: &Path) -> Vec<String> {
    listed(folder).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// A panic or a failed assertion of an entry fails the test and names the file.
#[test]
fn the_corpus_of_the_fuzzers_panics_nobody() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz.join("corpus")), targets);
    assert_eq!(names(&fuzz.join("fuzz_targets")), targets);
    for (name, entry) in TARGETS {
        let files = listed(&fuzz.join("corpus").join(name));
        assert!((1..=40).contains(&files.len()), "{name}: {} files", files.len());
        for file in files {
            let input = fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| entry(&input));
            assert!(outcome.is_ok(), "{}", file.display());
        }
    }
}

/// Seeds that every decoder must take: a corpus of rejects would test little.
#[test]
fn some_of_the_corpus_is_well_formed() {
    use celosia::types::Codec;
    use celosia::wire::{Delivery, EncodedPayload, EpochKey, Header, Receipt, SignedAck};
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, codec) in [("legacy", Codec::Legacy), ("cbor", Codec::Cbor)] {
        let taken = listed(&corpus.join(name))
            .into_iter()
            .filter(|file| EncodedPayload::decode(codec, &fs::read(file).unwrap().into()).is_ok());
        assert!(taken.count() >= 4, "{name}");
    }
    let native: [(&str, Takes); 5] = [
        ("ack", |bytes| SignedAck::decode(bytes).is_ok()),
        ("delivery", |bytes| Delivery::decode(&bytes.to_vec().into()).is_ok()),
        ("epoch_key", |bytes| EpochKey::decode(bytes).is_ok()),
        ("header", |bytes| Header::decode(bytes).is_ok()),
        ("receipt", |bytes| Receipt::decode(bytes).is_ok()),
    ];
    for (name, takes) in native {
        let outcomes = listed(&corpus.join(name)).into_iter().map(|file| takes(&fs::read(file).unwrap()));
        let (taken, refused): (Vec<bool>, Vec<bool>) = outcomes.partition(|taken| *taken);
        assert!(taken.len() >= 2 && refused.len() >= 2, "{name}: {} taken, {} refused", taken.len(), refused.len());
    }
}
