//! What each fuzz target does with its input: reads it as the named thing and, where it is one, checks that writing and reading it
//! again changes nothing. `tests/vectors` does the same with every file of the corpus.

mod ceremony;
mod grants;

use std::sync::LazyLock;

use bytes::Bytes;
use celosia::ceremony::{Card, Carried, CommitteeFile, Message, Numbers, Plan, Verdict};
use celosia::config;
use celosia::crypto::puncture::{KeyTree, Version};
use celosia::crypto::secret::Secret;
use celosia::crypto::threshold::{Capsule, KeyShare, Partial, Prepared};
use celosia::disclosure::{
    Bundle, Item as DocketItem, Provenance, Released, SignedDocket, SignedNotice, SignedRelease, SignedRequest, SignedRevocation,
    SignedShares, SignedTaking, SignedVerdict, frame_head,
};
use celosia::enclave::keyfile::KeyFile;
use celosia::enclave::proto;
use celosia::erasure::{Certificate, SignedErasureReceipt, SignedOrder};
use celosia::governance::{Charter, Delta, Document};
use celosia::scan::{Matcher, Needles};
use celosia::seal::escrow::{Carried as EscrowCarried, Label};
use celosia::shred::SealedHead;
use celosia::supervision::{SignedCosignature, SignedLift, SignedStop, SupervisionCopy};
use celosia::translog::checkpoint::Checkpoint;
use celosia::translog::cosignature::Witness;
use celosia::translog::note::{Note, NoteKey};
use celosia::translog::proof::Proof;
use celosia::translog::submission::Submission;
use celosia::translog::tile::{self, Tile};
use celosia::types::{Codec, VersionSet};
use celosia::wire::native::{CeremoniesAfter, CeremonyPage, Message as _};
use celosia::wire::privacy_group::EncodedGroup;
use celosia::wire::{Delivery, EncodedPayload, EpochKey, GivenBack, Header, Manifest, PartyInfo, Receipt, SignedAck, Vouched};

pub use ceremony::{ceremony_acts, ceremony_dealing};
pub use grants::disclosure_acts;

/// A payload in Tessera's layout.
pub fn legacy(input: &[u8]) {
    payload(Codec::Legacy, input);
}

/// A payload in CBOR.
pub fn cbor(input: &[u8]) {
    payload(Codec::Cbor, input);
}

/// A capsule.
pub fn capsule(input: &[u8]) {
    if let Ok(capsule) = Capsule::try_from(input) {
        assert_eq!(capsule.to_bytes(), input);
    }
}

/// An officer's answer for a capsule.
pub fn capsule_answer(input: &[u8]) {
    if let Ok(partial) = Partial::try_from(input) {
        assert_eq!(partial.to_bytes(), input);
    }
}

/// The bytes of a capsule and of its label, turned by those of the input: whoever looks at it refuses it, unless nothing was turned.
pub fn capsule_altered(input: &[u8]) {
    static MADE: LazyLock<(KeyShare, Prepared, Capsule)> = LazyLock::new(|| {
        let share = KeyShare::new(1, filled(3)).expect("a scalar");
        let prepared = Prepared::new(&share.verifying());
        let capsule = Capsule::make(&prepared, &filled(1), &filled(2), b"label");
        (share, prepared, capsule)
    });
    let (share, prepared, capsule) = &*MADE;
    let mut bytes = [capsule.to_bytes().as_slice(), b"label"].concat();
    bytes.iter_mut().zip(input).for_each(|(byte, turn)| *byte ^= turn);
    let (altered, label) = bytes.split_at(Capsule::LEN);
    if let Ok(altered) = Capsule::try_from(altered) {
        let whole = altered == *capsule && label == b"label";
        assert_eq!(altered.is_sound(prepared.key(), label), whole);
        assert_eq!(altered.matches(prepared, &filled(1), &filled(2), label), whole);
        assert_eq!(share.partial(prepared.key(), &altered, label).is_ok(), whole);
    }
}

fn filled(byte: u8) -> Secret<32> {
    Secret::init_with(|bytes| bytes.fill(byte))
}

/// A certificate of an erasure.
pub fn certificate(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        drop(Certificate::check(text, None));
    }
}

/// An order to erase.
pub fn erasure_order(input: &[u8]) {
    if let Ok(order) = SignedOrder::decode(input) {
        assert_eq!(SignedOrder::decode(&order.encode()), Ok(order));
    }
}

/// A receipt of an erasure.
pub fn erasure_receipt(input: &[u8]) {
    if let Ok(receipt) = SignedErasureReceipt::decode(input) {
        assert_eq!(SignedErasureReceipt::decode(&receipt.encode()), Ok(receipt));
    }
}

/// A co-signature of a supervisor.
pub fn cosignature(input: &[u8]) {
    if let Ok(read) = SignedCosignature::decode(input) {
        assert_eq!(SignedCosignature::decode(&read.encode()), Ok(read));
    }
}

/// A payload that is given back.
pub fn given_back(input: &[u8]) {
    if let Ok(read) = GivenBack::decode(&Bytes::copy_from_slice(input)) {
        assert_eq!(read.encode(), input);
    }
}

/// Words of supervisors in front of a delivery.
pub fn vouched(input: &[u8]) {
    if let Ok(read) = Vouched::decode(input) {
        assert_eq!(read.encode(), input);
        let bytes = Bytes::from(read.before(b"body"));
        assert_eq!(Vouched::split(&bytes), Ok((read, Bytes::from_static(b"body"))));
    }
    drop(Vouched::split(&Bytes::copy_from_slice(input)));
}

/// What lifts an order to stop.
pub fn stop_lift(input: &[u8]) {
    if let Ok(read) = SignedLift::decode(input) {
        assert_eq!(SignedLift::decode(&read.encode()), Ok(read));
    }
}

/// An order to stop.
pub fn stop_order(input: &[u8]) {
    if let Ok(read) = SignedStop::decode(input) {
        assert_eq!(SignedStop::decode(&read.encode()), Ok(read));
    }
}

/// A copy for a supervisor.
pub fn supervision_copy(input: &[u8]) {
    if let Ok(read) = SupervisionCopy::decode(input) {
        assert_eq!(SupervisionCopy::decode(&read.encode()), Ok(read));
    }
}

/// An announcement of a peer.
pub fn party_info(input: &[u8]) {
    if let Ok(info) = PartyInfo::decode(input) {
        assert_eq!(PartyInfo::decode(&info.encode()), Ok(info));
    }
}

/// A privacy group.
pub fn privacy_group(input: &[u8]) {
    if let Ok(group) = EncodedGroup::decode(input) {
        assert_eq!(EncodedGroup::decode(&group.encode()), Ok(group));
    }
}

/// A configuration: Tessera's JSON or our TOML.
pub fn config(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        drop(config::load_text("input", text, &[]));
    }
}

/// A key file.
pub fn key_file(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        drop(KeyFile::parse(text));
    }
}

/// A needle file of `celosia scan`.
pub fn needles(input: &[u8]) {
    if let Ok((needles, item)) = Needles::decode(input) {
        let again = Needles::decode(needles.encode(item).as_bytes()).expect("what was written is read");
        assert_eq!((again.0.parts(), again.1), (needles.parts(), item));
        drop(Matcher::new(&needles));
    }
}

/// A path, a query and lines of a header of the node surface, one a line.
pub fn http_path(input: &[u8]) {
    use celosia::api::request;
    let mut lines = input.split(|byte| *byte == b'\n');
    let [path, query] =
        [lines.next(), lines.next()].map(|line| std::str::from_utf8(line.unwrap_or_default()).unwrap_or_default());
    drop((request::target(path), request::query(Some(query))));
    drop(lines.clone().map(|line| request::single_key("c11n-from", Some(line))).collect::<Vec<_>>());
    let versions = VersionSet::parse(lines.clone().filter_map(|line| std::str::from_utf8(line).ok()));
    assert_eq!(VersionSet::parse(versions.header_names()), versions);
    drop(request::keys("c11n-to", lines));
}

/// A document's manifest.
pub fn manifest(input: &[u8]) {
    if let Ok(manifest) = Manifest::decode(input) {
        assert_eq!(manifest.encode(), input);
    }
}

/// The state of a key tree, inside its seal, read as one of either version.
pub fn tree_state(input: &[u8]) {
    for version in [Version::First, Version::Second] {
        if let Some(tree) = KeyTree::decode(version, input) {
            assert_eq!(tree.encode().as_slice(), input);
            assert_eq!(tree.encoded_len(), input.len());
            assert_eq!(tree.derive(0).is_some(), tree.is_alive(0));
        }
    }
}

/// A sealed head, as stored.
pub fn sealed_head(input: &[u8]) {
    if let Some(head) = SealedHead::from_bytes(Bytes::copy_from_slice(input)) {
        assert_eq!(head.as_bytes(), input);
        let leaf = head.leaf();
        assert_eq!([leaf.tree.to_be_bytes(), leaf.leaf.to_be_bytes()].concat(), input[1..9]);
    }
}

/// The body of a frame between the node and the enclave's process, either way.
pub fn enclave_frame(input: &[u8]) {
    drop((proto::decode_request(input), proto::decode_response(input)));
}

/// A signed note, and each of its lines as a verifier key of either kind.
pub fn note(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
    }
    for line in text.lines() {
        if let Ok(key) = line.parse::<NoteKey>() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        if let Ok(key) = line.parse::<Witness>() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }
}

/// The text of a checkpoint.
pub fn checkpoint(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }
}

/// The path of a tile.
pub fn tile_path(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(tile) = text.parse::<Tile>() {
        assert_eq!(tile.to_string(), text);
    }
}

/// An entry bundle behind its width.
pub fn entry_bundle(input: &[u8]) {
    let Some((width, bundle)) = input.split_first() else { return };
    drop(tile::decode_hashes(bundle, u16::from(*width)));
    if let Ok(entries) = tile::decode_entries(bundle, u16::from(*width)) {
        assert_eq!(tile::encode_entries(entries), bundle);
    }
}

/// What a log hands to a witness.
pub fn submission(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(submission) = text.parse::<Submission>() {
        assert_eq!(submission.to_string(), text);
    }
}

/// A proof of inclusion.
pub fn tlog_proof(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(proof) = text.parse::<Proof>() {
        assert_eq!(proof.to_string(), text);
    }
}

/// What crosses between two nodes in the suite celosia-1. One form has one encoding: what is read is written as it was.
pub fn delivery(input: &[u8]) {
    if let Ok(delivery) = Delivery::decode(&Bytes::copy_from_slice(input)) {
        assert_eq!(delivery.encode(), input);
    }
}

/// A header of that suite.
pub fn header(input: &[u8]) {
    if let Ok(header) = Header::decode(input) {
        assert_eq!(header.encode(), input);
        assert_eq!(header.privacy.check(), Ok(()));
    }
}

/// What a capsule is bound to, and a capsule as it stands in a header.
pub fn escrow_label(input: &[u8]) {
    if let Ok(label) = Label::decode(input) {
        assert_eq!(label.encode(), input);
    }
    if let Some(carried) = EscrowCarried::from_bytes(input) {
        assert_eq!(carried.to_bytes(), input);
    }
}

/// A signed acknowledgement.
pub fn ack(input: &[u8]) {
    if let Ok(ack) = SignedAck::decode(input) {
        assert_eq!(ack.encode(), input);
    }
}

/// A receipt.
pub fn receipt(input: &[u8]) {
    if let Ok(receipt) = Receipt::decode(input) {
        assert_eq!(receipt.encode(), input);
        assert!(receipt.verify(|_, _| Vec::new()).is_err());
    }
}

/// A signed epoch key.
pub fn epoch_key(input: &[u8]) {
    if let Ok(key) = EpochKey::decode(input) {
        assert_eq!(key.encode(), input);
    }
}

fn payload(codec: Codec, input: &[u8]) {
    let Ok(payload) = EncodedPayload::decode(codec, &Bytes::copy_from_slice(input)) else { return };
    assert_eq!(payload.privacy.check(), Ok(()));
    for codec in [Codec::Legacy, Codec::Cbor] {
        assert_eq!(EncodedPayload::decode(codec, &payload.encode(codec)).as_ref(), Ok(&payload));
    }
}

/// A policy in its envelope, offered as the first of a network; or its text alone.
pub fn governance_policy(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    document(text);
    if let Ok(charter) = Note::parse(text).map_err(drop).and_then(|note| Charter::begin(&note).map_err(drop)) {
        assert_eq!(charter.network(), charter.policy().genesis.network_id());
    }
}

/// A directory, as people write it and as it is signed.
pub fn governance_directory(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        document(text);
    }
}

/// What changed between two directories.
pub fn governance_delta(input: &[u8]) {
    if let Ok(delta) = Delta::decode(input) {
        assert_eq!(delta.encode(), input);
    }
}

/// What is read as people write it has one canonical text, which reads the same.
fn document(text: &str) {
    if let Ok(document) = Document::from_toml(text) {
        let canonical = document.text();
        assert_eq!(Document::parse(&canonical).as_ref(), Ok(&document));
        assert_eq!(Document::parse(text).is_ok(), canonical == text);
    }
}

/// A message of officers, with what it says.
pub fn ceremony_message(input: &[u8]) {
    let Ok(message) = Message::parse(input) else { return };
    assert_eq!(Message::parse(message.to_json().as_bytes()).as_ref(), Ok(&message));
    if let Ok(numbers) = Numbers::decode(&message.body) {
        assert_eq!(numbers.encode(), message.body);
    }
    if let Ok(verdict) = Verdict::decode(&message.body) {
        assert_eq!(verdict.encode(), message.body);
    }
}

/// What nodes relay of a ceremony: one form of each thing.
pub fn ceremony_carried(input: &[u8]) {
    if let Ok(carried) = Carried::decode(input) {
        assert_eq!(carried.encode(), input);
    }
    let _ = (CeremoniesAfter::from_bytes(input), CeremonyPage::from_bytes(input));
}

/// What officers agree on and make: a card, a plan, a committee.
pub fn ceremony_plan(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(card) = Card::parse(text) {
        assert_eq!(Card::parse(&card.to_toml()).as_ref(), Ok(&card));
    }
    if let Ok(plan) = Plan::parse(text) {
        assert_eq!(Plan::parse(&plan.to_toml()).map(|again| again.id()), Ok(plan.id()));
    }
    if let Ok(file) = CommitteeFile::parse(text) {
        assert_eq!(CommitteeFile::parse(&file.to_toml()).as_ref(), Ok(&file));
    }
}

/// The head of a case file.
pub fn disclosure_case(input: &[u8]) {
    drop(frame_head(input));
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(bundle) = Bundle::read(text)
    {
        assert_eq!(Bundle::read(&bundle.write()), Ok(bundle));
    }
}

/// What a request for disclosure resolved to.
pub fn disclosure_docket(input: &[u8]) {
    if let Ok(read) = SignedDocket::decode(input) {
        assert_eq!(SignedDocket::decode(&read.encode()), Ok(read));
    }
}

/// An item of such a list.
pub fn disclosure_item(input: &[u8]) {
    if let Ok(read) = DocketItem::decode(input) {
        assert_eq!(DocketItem::decode(&read.encode()), Ok(read));
    }
}

/// A notice of a disclosure.
pub fn disclosure_notice(input: &[u8]) {
    if let Ok(read) = SignedNotice::decode(input) {
        assert_eq!(SignedNotice::decode(&read.encode()), Ok(read));
    }
}

/// Header and acknowledgements of a released payload.
pub fn disclosure_provenance(input: &[u8]) {
    if let Ok(read) = Provenance::decode(input) {
        assert_eq!(Provenance::decode(&read.encode()), Ok(read));
    }
}

/// The head of a release.
pub fn disclosure_release(input: &[u8]) {
    if let Ok(read) = SignedRelease::decode(input) {
        assert_eq!(SignedRelease::decode(&read.encode()), Ok(read));
    }
}

/// A released payload.
pub fn disclosure_released(input: &[u8]) {
    if let Ok(read) = Released::decode(input) {
        assert_eq!(Released::decode(&read.encode()), Ok(read));
    }
}

/// A request for disclosure.
pub fn disclosure_request(input: &[u8]) {
    if let Ok(read) = SignedRequest::decode(input) {
        assert_eq!(SignedRequest::decode(&read.encode()), Ok(read));
    }
}

/// A revocation of a grant.
pub fn disclosure_revocation(input: &[u8]) {
    if let Ok(read) = SignedRevocation::decode(input) {
        assert_eq!(SignedRevocation::decode(&read.encode()), Ok(read));
    }
}

/// The head of an officer's shares.
pub fn disclosure_shares(input: &[u8]) {
    if let Ok(read) = SignedShares::decode(input) {
        assert_eq!(SignedShares::decode(&read.encode()), Ok(read));
    }
}

/// What an auditor takes with.
pub fn disclosure_taking(input: &[u8]) {
    if let Ok(read) = SignedTaking::decode(input) {
        assert_eq!(SignedTaking::decode(&read.encode()), Ok(read));
    }
}

/// An officer's verdict.
pub fn disclosure_verdict(input: &[u8]) {
    if let Ok(read) = SignedVerdict::decode(input) {
        assert_eq!(SignedVerdict::decode(&read.encode()), Ok(read));
    }
}
