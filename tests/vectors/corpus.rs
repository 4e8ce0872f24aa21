use std::fs;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub, reason = "a library of its own in fuzz/")]
#[path = "../../fuzz/src/lib.rs"]
mod entries;

type Entry = fn(&[u8]);
type Takes = fn(&[u8]) -> bool;

/// Targets by the name of their folder.
const TARGETS: &[(&str, Entry)] = &[
    ("ack", entries::ack),
    ("capsule", entries::capsule),
    ("capsule_altered", entries::capsule_altered),
    ("capsule_answer", entries::capsule_answer),
    ("cbor", entries::cbor),
    ("ceremony_acts", entries::ceremony_acts),
    ("ceremony_carried", entries::ceremony_carried),
    ("ceremony_dealing", entries::ceremony_dealing),
    ("ceremony_message", entries::ceremony_message),
    ("ceremony_plan", entries::ceremony_plan),
    ("certificate", entries::certificate),
    ("checkpoint", entries::checkpoint),
    ("config", entries::config),
    ("cosignature", entries::cosignature),
    ("delivery", entries::delivery),
    ("disclosure_acts", entries::disclosure_acts),
    ("disclosure_case", entries::disclosure_case),
    ("disclosure_docket", entries::disclosure_docket),
    ("disclosure_item", entries::disclosure_item),
    ("disclosure_notice", entries::disclosure_notice),
    ("disclosure_provenance", entries::disclosure_provenance),
    ("disclosure_release", entries::disclosure_release),
    ("disclosure_released", entries::disclosure_released),
    ("disclosure_request", entries::disclosure_request),
    ("disclosure_revocation", entries::disclosure_revocation),
    ("disclosure_shares", entries::disclosure_shares),
    ("disclosure_taking", entries::disclosure_taking),
    ("disclosure_verdict", entries::disclosure_verdict),
    ("enclave_frame", entries::enclave_frame),
    ("entry_bundle", entries::entry_bundle),
    ("epoch_key", entries::epoch_key),
    ("erasure_order", entries::erasure_order),
    ("erasure_receipt", entries::erasure_receipt),
    ("escrow_label", entries::escrow_label),
    ("given_back", entries::given_back),
    ("governance_delta", entries::governance_delta),
    ("governance_directory", entries::governance_directory),
    ("governance_policy", entries::governance_policy),
    ("header", entries::header),
    ("http_path", entries::http_path),
    ("key_file", entries::key_file),
    ("legacy", entries::legacy),
    ("manifest", entries::manifest),
    ("needles", entries::needles),
    ("note", entries::note),
    ("party_info", entries::party_info),
    ("privacy_group", entries::privacy_group),
    ("receipt", entries::receipt),
    ("sealed_head", entries::sealed_head),
    ("stop_lift", entries::stop_lift),
    ("stop_order", entries::stop_order),
    ("submission", entries::submission),
    ("supervision_copy", entries::supervision_copy),
    ("tile_path", entries::tile_path),
    ("tlog_proof", entries::tlog_proof),
    ("tree_state", entries::tree_state),
    ("vouched", entries::vouched),
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
    use celosia::ceremony::Carried;
    use celosia::supervision::{SignedCosignature, SignedLift, SignedStop, SupervisionCopy};
    use celosia::types::Codec;
    use celosia::wire::{Delivery, EncodedPayload, EpochKey, Header, Manifest, Receipt, SignedAck, Vouched};
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, codec) in [("legacy", Codec::Legacy), ("cbor", Codec::Cbor)] {
        let taken = listed(&corpus.join(name))
            .into_iter()
            .filter(|file| EncodedPayload::decode(codec, &fs::read(file).unwrap().into()).is_ok());
        assert!(taken.count() >= 4, "{name}");
    }
    let native: &[(&str, Takes)] = &[
        ("ack", |bytes| SignedAck::decode(bytes).is_ok()),
        ("ceremony_carried", |bytes| Carried::decode(bytes).is_ok()),
        ("cosignature", |bytes| SignedCosignature::decode(bytes).is_ok()),
        ("delivery", |bytes| Delivery::decode(&bytes.to_vec().into()).is_ok()),
        ("epoch_key", |bytes| EpochKey::decode(bytes).is_ok()),
        ("header", |bytes| Header::decode(bytes).is_ok()),
        ("manifest", |bytes| Manifest::decode(bytes).is_ok()),
        ("receipt", |bytes| Receipt::decode(bytes).is_ok()),
        ("stop_lift", |bytes| SignedLift::decode(bytes).is_ok()),
        ("stop_order", |bytes| SignedStop::decode(bytes).is_ok()),
        ("supervision_copy", |bytes| SupervisionCopy::decode(bytes).is_ok()),
        ("vouched", |bytes| Vouched::decode(bytes).is_ok()),
    ];
    for (name, takes) in native {
        let outcomes = listed(&corpus.join(name)).into_iter().map(|file| takes(&fs::read(file).unwrap()));
        let (taken, refused): (Vec<bool>, Vec<bool>) = outcomes.partition(|taken| *taken);
        assert!(taken.len() >= 2 && refused.len() >= 2, "{name}: {} taken, {} refused", taken.len(), refused.len());
    }
}

/// The same for what a log is made of.
#[test]
fn some_of_the_corpus_of_a_log_is_well_formed() {
    use celosia::translog::{checkpoint::Checkpoint, note::Note, proof::Proof, submission::Submission, tile::Tile};
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let taken = |name: &str, is_good: fn(&str) -> bool| {
        listed(&corpus.join(name)).iter().filter(|file| is_good(&fs::read_to_string(file).unwrap_or_default())).count()
    };
    assert!(taken("note", |text| Note::parse(text).is_ok()) >= 3);
    assert!(taken("checkpoint", |text| text.parse::<Checkpoint>().is_ok()) >= 4);
    assert!(taken("tile_path", |text| text.parse::<Tile>().is_ok()) >= 4);
    assert!(taken("submission", |text| text.parse::<Submission>().is_ok()) >= 2);
    assert!(taken("tlog_proof", |text| text.parse::<Proof>().is_ok()) >= 2);
}

/// The same for the documents of a charter.
#[test]
fn some_documents_of_the_corpus_are_well_formed() {
    use celosia::governance::{Charter, Delta, Document};
    use celosia::translog::note::Note;
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let taken = |name: &str, take: &dyn Fn(&[u8]) -> bool| {
        listed(&corpus.join(name)).into_iter().filter(|file| take(&fs::read(file).unwrap())).count()
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap_or_default();
    let begins = |bytes: &[u8]| Note::parse(&text(bytes)).is_ok_and(|note| Charter::begin(&note).is_ok());
    assert!(taken("governance_policy", &begins) >= 1);
    assert!(taken("governance_directory", &|bytes| Document::parse(&text(bytes)).is_ok()) >= 2);
    assert!(taken("governance_delta", &|bytes| Delta::decode(bytes).is_ok()) >= 2);
}

/// The same for a capsule and its officers' answers.
#[test]
fn some_of_the_corpus_of_a_capsule_is_well_formed() {
    use celosia::crypto::threshold::{Capsule, Partial};
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let taken: [(&str, Takes); 2] =
        [("capsule", |bytes| Capsule::try_from(bytes).is_ok()), ("capsule_answer", |bytes| Partial::try_from(bytes).is_ok())];
    for (name, takes) in taken {
        let outcomes = listed(&corpus.join(name)).into_iter().map(|file| takes(&fs::read(file).unwrap()));
        let (taken, refused): (Vec<bool>, Vec<bool>) = outcomes.partition(|taken| *taken);
        assert!(taken.len() >= 3 && refused.len() >= 3, "{name}: {} taken, {} refused", taken.len(), refused.len());
    }
}
