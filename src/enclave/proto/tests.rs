use proptest::prelude::*;

use self::holds::{group_key, hold_lock, hold_release};
use self::roots::{root, root_failures, rotation};
use super::field::Field;
use super::*;
use crate::crypto::hpke::BoxKey;
use crate::crypto::padme::Padding;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::{KeyShare, Prepared};
use crate::enclave::{EscrowTerms, NativeMeta};
use crate::seal::celosia1::Refused;
use crate::seal::escrow::{EscrowKey, Escrowed, Held};
use crate::types::{Affected, Class, Code, Coded, DocumentId, GroupId, ItemId, NetworkId, PrivacyFlag};
use crate::wire::{Opening, Proofs};

mod holds;
mod roots;

fn head() -> SealedHead {
    let bytes: Vec<u8> = std::iter::once(1).chain(0..80).collect();
    SealedHead::from_bytes(bytes.into()).expect("version 1")
}

fn meta() -> Meta {
    let affected = vec![Affected { id: PayloadId::new([5; 64]), hash: [6; 64] }];
    let privacy = Privacy {
        flag: PrivacyFlag::StateValidation,
        affected,
        exec_hash: b"root".to_vec(),
        mandatory: vec![Address::new([8; 32])],
        group: Some(GroupId(vec![9; 3])),
    };
    Meta {
        sender: Address::new([1; 32]),
        recipients: vec![Address::new([2; 32])],
        recipient_nonce: [3; 24],
        privacy,
        native: None,
    }
}

fn native_meta() -> Meta {
    let opening = Opening { address: Address::new([1; 32]), salt: [2; 16], index: 3, path: vec![[4; 32]; 2] };
    let native = NativeMeta {
        network: NetworkId::new([1; 32]),
        header: Bytes::from_static(b"header"),
        signature: [3; 64],
        policy: u64::MAX,
        class: Class::Special,
        time: 5,
        member: "bank".parse().expect("a name"),
        proofs: Proofs::Received(vec![opening]),
    };
    Meta { native: Some(native), ..meta() }
}

fn sent_meta() -> Meta {
    let mut meta = native_meta();
    let recipients = vec![(Address::new([1; 32]), "bank".parse().expect("a name"))];
    let native = meta.native.as_mut().expect("native");
    native.proofs = Proofs::Sent { seed: [1; 32], recipients };
    meta
}

fn epoch() -> EpochKey {
    let (network, member) = (NetworkId::new([1; 32]), "bank".parse().expect("a name"));
    EpochKey { network, member, day: 20_000, public: [2; 32], signature: [3; 64] }
}

fn delivery() -> Delivery {
    Delivery {
        member: "bank".parse().expect("a name"),
        from: [1; 32],
        day: 2,
        to: [3; 32],
        box_nonce: [4; 24],
        sealed: Bytes::from_static(b"box"),
        nonce: [5; 24],
        ciphertext: Bytes::from_static(b"ciphertext"),
    }
}

fn document_requests() -> Vec<Request> {
    let (id, place) = (DocumentId::new([6; 32]), Place { index: u64::MAX, last: true });
    let Some(Request::SealNative(draft)) = native_requests().into_iter().find(|one| matches!(one, Request::SealNative(_))) else {
        unreachable!("it is among them")
    };
    vec![
        Request::BeginDocument(id),
        Request::SealManifest(id, head(), draft),
        Request::DocumentEscrow(id, head()),
        Request::ReleaseDocument(id, head(), BoxKey::new([3; 32]), b"info".to_vec()),
        Request::AdoptDocument(PayloadId::new([7; 64]), head(), id),
        Request::SameDocument(id, head(), head()),
        Request::SealChunk(id, head(), place, Plain(Zeroizing::new(b"plaintext".to_vec()))),
        Request::OpenChunk(id, head(), place, Bytes::from_static(b"sealed")),
        Request::CheckChunk(id, head(), Place { index: 0, last: false }, Bytes::from_static(b"sealed")),
    ]
}

fn native_requests() -> Vec<Request> {
    let (id, member): (_, crate::types::MemberId) = (PayloadId::new([7; 64]), "bank".parse().expect("a name"));
    let item = ItemId::Payload(id);
    let target = NativeTarget { member: member.clone(), epoch: epoch(), shown: vec![Address::new([6; 32])] };
    let draft = NativeDraft {
        plaintext: Zeroizing::new(b"plaintext".to_vec()),
        sender: Address::new([1; 32]),
        policy: 3,
        class: Class::Public,
        padding: Padding::Bucket,
        privacy: meta().privacy,
        recipients: vec![(Address::new([2; 32]), member)],
        affected: affected(),
        targets: vec![target.clone()],
        escrow: Some(escrow_key()),
    };
    vec![
        Request::VerifyKey,
        Request::Sign(Bytes::from_static(b"message")),
        Request::EpochKey,
        Request::SealNative(draft),
        Request::ReboxNative(id, head(), [1; 24], Bytes::from_static(b"c"), target.clone()),
        Request::IngestNative(delivery(), VerifyKey::new([9; 32]), vec![escrow_key()]),
        Request::CopyNative(id, head(), [1; 24], Bytes::from_static(b"c"), target),
        Request::IngestCopy(delivery(), VerifyKey::new([9; 32]), vec![escrow_key()]),
        Request::Escrow(id, head()),
        Request::ReleaseEscrow(id, head(), [1; 24], BoxKey::new([3; 32]), b"info".to_vec()),
        Request::SealBeside(head(), "ack".to_owned(), Plain(Zeroizing::new(b"plaintext".to_vec()))),
        Request::OpenBeside(head(), "ack".to_owned(), Bytes::from_static(b"sealed")),
        Request::IndexKey(IndexKey::Words),
        Request::IndexKey(IndexKey::Buckets),
        Request::IndexTokens(IndexKey::Bucket(7), head(), vec![Plain(Zeroizing::new(b"plaintext".to_vec()))]),
        Request::Block(item, head(), vec![("tags".into(), Bytes::from_static(b"t"))], group_key(), b"label".to_vec()),
        Request::HoldKey,
        Request::HoldLock(ItemId::Document(DocumentId::new([6; 32])), head()),
        Request::Release(item, hold_release()),
    ]
}

fn native_responses() -> Vec<Response> {
    let (id, head) = (PayloadId::new([7; 64]), head());
    let sealed = NativeSealed {
        id,
        nonce: [1; 24],
        ciphertext: Bytes::from_static(b"c"),
        head: head.clone(),
        header: [8; 32],
        deliveries: vec![delivery(); 2],
    };
    let mut all = vec![
        Response::VerifyKey(None),
        Response::VerifyKey(Some(VerifyKey::new([9; 32]))),
        Response::Signed([1; 64]),
        Response::EpochKey(epoch()),
        Response::SealedNative(sealed),
        Response::Delivery(delivery()),
        Response::NativeIngest(NativeIngest::Mine { id, head: head.clone(), meta: native_meta() }),
        Response::NativeIngest(NativeIngest::UnknownEpoch),
        Response::Beside(Bytes::from_static(b"sealed")),
        Response::Meta(sent_meta()),
        Response::Tokens(vec![[1; 32]; 2]),
        Response::Failed(EnclaveError::NoSigningKey),
        Response::Failed(EnclaveError::HoldKeyGone),
        Response::Failed(EnclaveError::HoldShare(2)),
        Response::BoxKey(BoxKey::new([1; 32])),
        Response::HoldLock(hold_lock()),
        Response::Restored(Restored { head, beside: vec![("acks".into(), Bytes::from_static(b"a"))] }),
    ];
    all.extend(refusals().map(|refused| Response::Failed(refused.into())));
    all
}

/// All of them: each has a code of its own.
fn refusals() -> impl Iterator<Item = Refused> {
    use Refused as R;
    let codes = [
        R::EpochDay,
        R::EpochKey,
        R::Box,
        R::Header,
        R::Suite,
        R::Network,
        R::Id,
        R::Day,
        R::Signature,
        R::Sender,
        R::Audience,
        R::Commitment,
        R::Ciphertext,
        R::Padding,
        R::NotAddressed,
        R::NotNative,
        R::TooMany,
        R::Rules,
    ];
    assert!(codes.iter().zip(5011..).all(|(refused, code)| refused.code() == Code(code)));
    codes.into_iter()
}

fn payload() -> EncodedPayload {
    let Meta { sender, recipients, recipient_nonce, privacy, .. } = meta();
    let ciphertext = Bytes::from_static(b"ciphertext");
    EncodedPayload { sender, ciphertext, nonce: [4; 24], boxes: vec![[7; 48]; 2], recipient_nonce, recipients, privacy }
}

fn affected() -> Vec<AffectedRecord> {
    vec![AffectedRecord { id: PayloadId::new([1; 64]), head: head(), ciphertext: Bytes::from_static(b"other") }]
}

fn escrow_key() -> EscrowKey {
    let share = KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(3))).expect("a share");
    EscrowKey { epoch: 2, key: share.verifying() }
}

fn escrow_terms() -> EscrowTerms {
    EscrowTerms { key: escrow_key(), policy: 3, class: Class::Special, member: None }
}

fn escrowed() -> Escrowed {
    let key = Prepared::new(&escrow_key().key);
    Held::make(&key, &Secret::random(), crate::seal::escrow::tests::label()).escrowed
}

fn raw() -> SealedRaw {
    SealedRaw { id: PayloadId::new([1; 64]), ciphertext: Bytes::new(), nonce: [2; 24], head: head() }
}

fn requests() -> Vec<Request> {
    let id = PayloadId::new([7; 64]);
    let Meta { sender, recipients, privacy, .. } = meta();
    let draft = Draft {
        plaintext: Zeroizing::new(b"plaintext".to_vec()),
        sender,
        recipients: recipients.clone(),
        privacy: privacy.clone(),
        affected: affected(),
        escrow: Some(escrow_terms()),
    };
    vec![
        Request::Hello(VERSION),
        Request::Seal(draft),
        Request::SealRaw(Plain(Zeroizing::new(Vec::new())), sender),
        Request::SealStored(RawDraft { raw: raw(), recipients, privacy, affected: Vec::new(), escrow: Some(escrow_terms()) }),
        Request::Open(id, head(), [1; 24], Bytes::from_static(b"c")),
        Request::Meta(id, head()),
        Request::Verify(id, head(), [1; 24], Bytes::from_static(b"c")),
        Request::Ingest(id, payload(), Some(escrow_terms())),
        Request::Ingest(id, payload(), None),
        Request::OpenPayload(payload()),
        Request::Rewrite(id, head(), meta()),
        Request::SameKey(id, head(), head()),
        Request::Boxes(id, head(), vec![sender; 3]),
        Request::SecurityHashes(Bytes::from_static(b"c"), affected()),
        Request::Erase(vec![LeafRef { tree: 1, leaf: u32::MAX }]),
        Request::Ping,
        Request::Root,
        Request::RotateRoot,
    ]
}

fn responses() -> Vec<Response> {
    let io = |source| Response::Failed(ShredError::Io { path: "p".to_owned(), source }.into());
    vec![
        Response::Hello(1, vec![Address::new([1; 32])]),
        Response::Sealed(Sealed { id: PayloadId::new([7; 64]), payload: payload(), head: head() }),
        Response::SealedRaw(raw()),
        Response::Opened(Opened { plaintext: Zeroizing::new(b"plaintext".to_vec()), meta: meta() }),
        Response::Meta(meta()),
        Response::Ingest(Ingest::Mine { head: head(), meta: meta() }),
        Response::Ingest(Ingest::NotMine),
        Response::Plaintext(None),
        Response::Plaintext(Some(Plain(Zeroizing::new(b"plaintext".to_vec())))),
        Response::Head(head()),
        Response::Truth(true),
        Response::Boxes(vec![Some([1; 48]), None]),
        Response::SecurityHashes(vec![[3; 64]]),
        Response::Done,
        Response::Escrowed(None),
        Response::Escrowed(Some(escrowed())),
        Response::Failed(EnclaveError::NoEscrow),
        Response::Failed(EnclaveError::Broken),
        Response::Failed(EnclaveError::Erased),
        Response::Failed(EnclaveError::LowOrder(Address::new([1; 32]))),
        Response::Failed(EnclaveError::NotOurs(Address::new([1; 32]))),
        Response::Failed(EnclaveError::Unavailable("why".to_owned())),
        Response::Failed(ShredError::Broken("what".to_owned()).into()),
        Response::Failed(ShredError::Destroyed.into()),
        io(std::io::Error::from_raw_os_error(28)),
        io(std::io::Error::other("text")),
        Response::Failed(ShredError::Loose("path".to_owned()).into()),
        Response::Failed(ShredError::Missing(9).into()),
        Response::Failed(ShredError::Locked("path".to_owned()).into()),
        Response::Failed(ShredError::NoGeneration(7).into()),
        Response::Failed(ShredError::Rotating.into()),
        Response::Root(root(None)),
        Response::Root(root(Some(rotation()))),
        Response::Rotation(rotation()),
    ]
}

/// Frame → message → frame again, and every cut and every extra byte refused.
fn check<T: Field + std::fmt::Debug>(message: &T) {
    let frame = encode(300, message).expect("fits");
    let body = Bytes::copy_from_slice(&frame[4..]);
    assert_eq!(frame[..4], u32::try_from(body.len()).expect("small").to_be_bytes());
    let (number, back) = decode::<T>(&body).expect("own encoding");
    assert_eq!((number, format!("{back:?}")), (300, format!("{message:?}")));
    assert_eq!(encode(300, &back).expect("fits"), frame);
    for cut in 0..body.len() {
        assert!(decode::<T>(&body.slice(..cut)).is_err(), "{message:?} cut at {cut}");
    }
    let longer = Bytes::from([&body[..], &[0]].concat());
    assert!(decode::<T>(&longer).is_err());
}

#[test]
fn every_message_crosses() {
    requests().iter().for_each(check);
    responses().iter().for_each(check);
    root_failures().iter().for_each(check);
    native_requests().iter().for_each(check);
    document_requests().iter().for_each(check);
    native_responses().iter().for_each(check);
}

#[test]
fn errors_keep_code_and_text() {
    for response in responses().into_iter().chain(root_failures()).chain(native_responses()) {
        let Response::Failed(error) = &response else { continue };
        let frame = encode(1, &response).expect("fits");
        let (_, Response::Failed(back)) = decode_response(&frame[4..]).expect("own encoding") else { panic!("an error") };
        assert_eq!((back.code(), back.to_string()), (error.code(), error.to_string()));
        assert_ne!(back.code(), Code(0));
    }
}

#[test]
fn prints_no_plaintext() {
    let printed = format!("{:?} {:?} {:?}", requests(), native_requests(), document_requests());
    let printed = format!("{printed} {:?} {:?}", responses(), native_responses());
    let bytes = format!("{:?}", b"plaintext");
    assert!(printed.contains("9 bytes"), "{printed}");
    assert!(!printed.contains(bytes.trim_matches(['[', ']'])), "{printed}");
}

#[test]
fn lists_and_flags_are_bounded() {
    // Number, tag of Erase, an array of 2^32 - 1 elements.
    assert!(decode_request(&[0, 13, 0x9a, 0xff, 0xff, 0xff, 0xff]).is_none());
    // Indefinite length.
    assert!(decode_request(&[0, 13, 0x9f, 0xff]).is_none());
    assert!(decode_request(&[0, 13, 0x80]).is_some());
    let frame = encode(0, &PrivacyFlag::StateValidation).expect("fits");
    assert_eq!(frame[4..], [0, 3]);
    assert!(decode::<PrivacyFlag>(&Bytes::from_static(&[0, 4])).is_err());
}

#[tokio::test]
async fn frames_are_read_whole_and_bounded() {
    let frame = encode(1, &Request::Ping).expect("fits");
    let two = [&frame[..], &frame[..]].concat();
    let mut stream = two.as_slice();
    for _ in 0..2 {
        let body = read(&mut stream).await.expect("whole").expect("a frame");
        assert!(matches!(decode::<Request>(&body), Ok((1, Request::Ping))));
    }
    assert!(read(&mut stream).await.expect("end").is_none());
    assert!(read(&mut &frame[..frame.len() - 1]).await.is_err());
    assert!(read(&mut &frame[..2]).await.is_err());
    let too_long = u32::try_from(MAX_FRAME + 1).expect("small").to_be_bytes();
    assert!(read(&mut too_long.as_slice()).await.is_err());
}

#[test]
fn messages_longer_than_a_frame_are_not_made() {
    let plaintext = Zeroizing::new(vec![0; MAX_FRAME]);
    assert!(encode(0, &Request::SealRaw(Plain(plaintext), Address::new([0; 32]))).is_none());
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>, at in 0_usize..400, which: prop::sample::Index, bits: u8) {
        let _ = (decode_request(&bytes), decode_response(&bytes));
        let mut messages = requests();
        messages.extend(native_requests());
        let mut frame = encode(1, &messages[which.index(messages.len())]).expect("fits").to_vec();
        let at = 4 + at % (frame.len() - 4);
        frame[at] ^= bits;
        let _ = decode_request(&frame[4..]);
    }
}
