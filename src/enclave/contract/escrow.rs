use super::native::{native_draft, take_native_with};
use super::*;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::threshold::{GroupKey, KeyShare, combine};
use crate::enclave::documents::Place;
use crate::seal::celosia1::Refused;
use crate::seal::document::ChunkKey;
use crate::seal::escrow::{EscrowKey, Escrowed};
use crate::types::Class;

/// A committee of one, whose share is the key: the arithmetic of many is `crypto::threshold`'s.
pub(super) fn committee() -> (KeyShare, EscrowKey) {
    let share = KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(3))).expect("a share");
    let key = share.verifying();
    (share, EscrowKey { epoch: 2, key })
}

fn other() -> GroupKey {
    KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(9))).expect("a share").verifying()
}

/// What an auditor does with a committee's answer and a holder's release: the data key, sealed by nobody's word.
pub(super) async fn opened_by_mandate(at: &Subject, id: PayloadId, head: &SealedHead, nonce: Nonce) -> (Secret<32>, Escrowed) {
    let (share, key) = committee();
    let escrowed = at.escrow(id, head).await.expect("a head").expect("a capsule");
    let label = escrowed.label.encode();
    let auditor = Secret::random();
    let sealed = at.release_escrow(id, head, nonce, BoxKey::of(&auditor), b"grant".to_vec()).await.expect("released");
    assert!(hpke::open(&auditor, b"another grant", &label, &sealed).is_err());
    let plain = hpke::open(&auditor, b"grant", &label, &sealed).expect("for the auditor");
    assert_eq!((plain.len(), &plain[32..]), (56, &nonce[..]));
    let sigma = Secret::from_slice(&plain[..32]).expect("32 bytes");
    let combined = combine(1, &[share.partial(&key.key, &escrowed.capsule, &label).expect("sound")]).expect("enough");
    let data_key = escrowed.capsule.open(&combined, &sigma, &label).expect("it opens");
    assert!(escrowed.capsule.open(&combined, &Secret::random(), &label).is_err(), "k officers without sigma open nothing");
    (data_key, escrowed)
}

pub(in crate::enclave) async fn capsules_open_by_mandate_at_every_holder(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let (_, key) = committee();
    let mut draft = native_draft(&a, &[&b, &a], b"payload").await;
    draft.escrow = Some(key);
    let sealed = a.seal_native(draft).await.expect("seals");
    let (head, meta) = take_native_with(&b, &a, &sealed.deliveries[0], &[key]).await;
    let native = meta.native.clone().expect("of this suite");
    for (at, head) in [(&a, &sealed.head), (&b, &head)] {
        let (data_key, escrowed) = opened_by_mandate(at, sealed.id, head, sealed.nonce).await;
        let label = &escrowed.label;
        assert_eq!((label.epoch, label.class, label.id, label.suite), (2, Class::Business, sealed.id, 1));
        assert_eq!(label.member.as_ref(), Some(&native.member));
        let plain = crate::seal::celosia1::content::open(&NETWORK, &native.member, &data_key, &sealed.nonce, &sealed.ciphertext);
        assert_eq!(plain.expect("the payload").as_slice(), b"payload");
    }
    // Words are added to the head, the capsule stays; it goes with the leaf, for every number of officers.
    let rewritten = b.rewrite(sealed.id, &head, meta).await.expect("rewrites");
    assert_eq!(b.escrow(sealed.id, &rewritten).await.expect("a head"), b.escrow(sealed.id, &head).await.expect("a head"));
    let again = a.rebox_native(sealed.id, &sealed.head, sealed.nonce, sealed.ciphertext.clone(), native::target(&b).await).await;
    take_native_with(&b, &a, &again.expect("made again"), &[key]).await;
    b.erase(vec![head.leaf()]).await.expect("punctures");
    assert!(matches!(b.escrow(sealed.id, &rewritten).await, Err(EnclaveError::Erased)));
    let auditor = BoxKey::of(&Secret::random());
    let released = b.release_escrow(sealed.id, &rewritten, sealed.nonce, auditor, Vec::new()).await;
    assert!(matches!(released, Err(EnclaveError::Erased)));
}

pub(in crate::enclave) async fn capsules_that_do_not_fit_are_refused(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let (_, key) = committee();
    let mut draft = native_draft(&a, &[&b], b"payload").await;
    draft.escrow = Some(key);
    let sealed = a.seal_native(draft).await.expect("seals");
    let take =
        async |escrows: &[EscrowKey]| match b.ingest_native(&sealed.deliveries[0], a.verify_key().expect("a key"), escrows).await
        {
            Err(EnclaveError::Refused(refused)) => Some(refused),
            Ok(_) => None,
            other => panic!("{other:?}"),
        };
    assert_eq!(take(&[key]).await, None);
    assert_eq!(take(&[]).await, Some(Refused::CapsuleEpoch));
    assert_eq!(take(&[EscrowKey { epoch: 1, ..key }]).await, Some(Refused::CapsuleEpoch));
    assert_eq!(take(&[EscrowKey { key: other(), ..key }]).await, Some(Refused::Capsule), "the key of another committee");
}

pub(in crate::enclave) async fn holders_make_capsules_of_tesseras_suite_themselves(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let (_, key) = committee();
    let terms = EscrowTerms { key, policy: 4, class: Class::Personal, member: Some(name(&first(&a))) };
    let sealed =
        a.seal(Draft { escrow: Some(terms.clone()), ..draft(b"payload", first(&a), &[first(&b)]) }).await.expect("seals");
    let Ingest::Mine { head, .. } = b.ingest(sealed.id, &sealed.payload, Some(terms.clone())).await.expect("intact") else {
        panic!("a recipient")
    };
    let EncodedPayload { nonce, ciphertext, .. } = &sealed.payload;
    let (at_a, escrowed_a) = opened_by_mandate(&a, sealed.id, &sealed.head, *nonce).await;
    let (at_b, escrowed_b) = opened_by_mandate(&b, sealed.id, &head, *nonce).await;
    assert!(at_a == at_b && escrowed_a.capsule != escrowed_b.capsule, "each has a capsule and a sigma of its own");
    assert_eq!(nacl::open(at_b.expose(), nonce, ciphertext).expect("the payload").as_slice(), b"payload");
    assert_eq!((escrowed_b.label.suite, escrowed_b.label.policy, escrowed_b.label.sender), (0, 4, first(&a)));
    let raw = a.seal_raw(Zeroizing::new(b"raw".to_vec()), first(&a)).await.expect("seals");
    assert_eq!(a.escrow(raw.id, &raw.head).await.expect("a head"), None, "it is nobody's yet");
    let stored = RawDraft {
        raw: raw.clone(),
        recipients: vec![first(&b)],
        privacy: Privacy::default(),
        affected: Vec::new(),
        escrow: Some(terms),
    };
    let sent = a.seal_stored(stored).await.expect("boxes");
    opened_by_mandate(&a, sent.id, &sent.head, raw.nonce).await;
    let none = a.release_escrow(raw.id, &raw.head, raw.nonce, BoxKey::of(&Secret::random()), Vec::new()).await;
    assert!(matches!(none, Err(EnclaveError::NoEscrow)));
}

/// A document's data key seals its manifest: the capsule of the one is that of the other.
pub(in crate::enclave) async fn documents_open_by_mandate_where_they_were_taken(start: Start<'_>) {
    use super::documents::{ID, manifest};
    let (a, b) = (fresh(start), fresh(start));
    let (share, key) = committee();
    let head = a.begin_document(ID).await.expect("a key");
    let place = Place { index: 0, last: true };
    let chunk = a.seal_chunk(ID, &head, place, Zeroizing::new(b"chunk".to_vec())).await.expect("seals");
    let mut draft = native_draft(&a, &[&b], &manifest().encode()).await;
    draft.escrow = Some(key);
    let offered = a.seal_manifest(ID, &head, draft).await.expect("seals");
    let (taken, _) = take_native_with(&b, &a, &offered.deliveries[0], &[key]).await;
    let theirs = b.adopt_document(offered.id, &taken, ID).await.expect("adopted");
    b.check_chunk(ID, &theirs, place, chunk.clone()).await.expect("its key");
    let escrowed = b.document_escrow(ID, &theirs).await.expect("a head").expect("a capsule");
    assert_eq!(escrowed.label.id, offered.id, "that of its manifest");
    let (label, auditor) = (escrowed.label.encode(), Secret::random());
    let sealed = b.release_document(ID, &theirs, BoxKey::of(&auditor), b"grant".to_vec()).await.expect("released");
    let plain = hpke::open(&auditor, b"grant", &label, &sealed).expect("for the auditor");
    let sigma = Secret::from_slice(&plain[..32]).expect("32 bytes");
    let combined = combine(1, &[share.partial(&key.key, &escrowed.capsule, &label).expect("sound")]).expect("enough");
    let data_key = escrowed.capsule.open(&combined, &sigma, &label).expect("it opens");
    assert_eq!(&*ChunkKey::of(&ID, &data_key).open(&ID, place, &chunk).expect("the chunk"), b"chunk");
    assert_eq!(a.document_escrow(ID, &head).await.expect("a head"), None, "its sender keeps none");
    b.erase(vec![theirs.leaf()]).await.expect("punctured");
    assert!(matches!(b.document_escrow(ID, &theirs).await, Err(EnclaveError::Erased)));
}
