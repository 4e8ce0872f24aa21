//! What every enclave must do with records that are blocked.

use super::*;
use crate::crypto::hpke::BoxKey;
use crate::enclave::documents::Place;
use crate::enclave::{HoldLock, HoldRelease, HoldShare};
use crate::erasure::{HoldId, HoldLabel, HoldRequest, LockedEnvelope, REQUEST_FORMAT};
use crate::seal::hold::tests::Sample;
use crate::types::{DocumentId, ItemId, NetworkId};

fn label(item: ItemId) -> HoldLabel {
    HoldLabel {
        network: NetworkId::new([7; 32]),
        item,
        hold: HoldId([1; 16]),
        ground: "court-order".into(),
        reference: "12/2026".into(),
        until: 4,
    }
}

/// What an officer answers to a one-time key.
fn share(sample: &Sample, at: usize, label: &HoldLabel, lock: &HoldLock, one_time: BoxKey) -> HoldShare {
    let capsule = lock.capsule.to_bytes().to_vec();
    let locked = LockedEnvelope { label: label.clone(), committee: lock.committee, capsule };
    let (format, network, hold) = (REQUEST_FORMAT.to_owned(), label.network, label.hold);
    let request = HoldRequest { format, network, hold, key: one_time, envelopes: vec![locked] };
    let sealed = sample.answer(&request, at).envelopes.swap_remove(0).share.into();
    HoldShare { verifying: sample.committee.officers[at].share, sealed }
}

pub(in crate::enclave) async fn blocked_records_come_back_with_the_committee_alone(start: Start<'_>) {
    let a = fresh(start);
    let sealed = a.seal_raw(Zeroizing::new(b"payload".to_vec()), a.addresses()[0]).await.expect("sealed");
    let (id, head) = (sealed.id, sealed.head.clone());
    let item = ItemId::Payload(id);
    let tags = a.seal_beside(&head, "tags", b"ana".to_vec()).await.expect("sealed");
    let sample = Sample::new();
    let (key, asked) = (sample.committee.key, label(item));
    let label = asked.encode();
    let wrong = a.block_record(item, &head, vec![("acks".into(), tags.clone())], key, label.clone()).await;
    assert!(is_foreign(&wrong), "{wrong:?}");
    let envelope = a.block_record(item, &head, vec![("tags".into(), tags)], key, label.clone()).await.expect("an envelope");
    assert_ne!(envelope.leaf(), head.leaf());
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.meta(id, &head).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.meta(id, &envelope).await), "an envelope is no head");
    assert!(is_foreign(&a.hold_lock(ItemId::Payload(PayloadId::new([9; 64])), &envelope).await), "nor that of another payload");

    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(item, &envelope).await.expect("a lock");
    assert_eq!(lock.committee, key);
    let share = |at| share(&sample, at, &asked, &lock, one_time);
    let good = HoldRelease { envelope: envelope.clone(), label: label.clone(), one_time, shares: vec![share(2), share(0)] };
    let other_label = HoldRelease { label: b"other".to_vec(), ..good.clone() };
    let other_key = HoldRelease { one_time: BoxKey::new([9; 32]), ..good.clone() };
    let alone = HoldRelease { shares: vec![share(1)], ..good.clone() };
    let nobody = HoldRelease { shares: Vec::new(), ..good.clone() };
    let mut swapped = good.clone();
    swapped.shares[1].verifying = sample.committee.officers[1].share;
    assert!(matches!(a.release_record(item, other_label).await, Err(EnclaveError::HoldShare(0))));
    assert!(matches!(a.release_record(item, other_key).await, Err(EnclaveError::HoldKeyGone)));
    assert!(matches!(a.release_record(item, swapped).await, Err(EnclaveError::HoldShare(1))), "it is named");
    assert!(matches!(a.release_record(item, alone).await, Err(EnclaveError::Broken)), "one of two opens nothing");
    assert!(matches!(a.release_record(item, nobody).await, Err(EnclaveError::Broken)));
    let restored = a.release_record(item, good.clone()).await.expect("restored");
    let opened = a.open(id, &restored.head, sealed.nonce, sealed.ciphertext.clone()).await.expect("opens");
    assert_eq!(opened.plaintext.as_slice(), b"payload");
    let (name, text) = &restored.beside[0];
    assert_eq!(name, "tags");
    assert_eq!(a.open_beside(&restored.head, name, text.clone()).await.expect("opens").as_slice(), b"ana");
    // At the end of the hold not even the answers that were given open anything.
    a.erase(vec![envelope.leaf()]).await.expect("punctured");
    assert!(matches!(a.release_record(item, good).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.hold_lock(item, &envelope).await, Err(EnclaveError::Erased)));
}

pub(in crate::enclave) async fn blocked_documents_come_back_with_the_committee_alone(start: Start<'_>) {
    let a = fresh(start);
    let id = DocumentId::new([3; 32]);
    let item = ItemId::Document(id);
    let head = a.begin_document(id).await.expect("a key");
    let place = Place { index: 0, last: true };
    let sealed = a.seal_chunk(id, &head, place, Zeroizing::new(b"chunk".to_vec())).await.expect("seals");
    let card = a.seal_beside(&head, "card", b"for bea".to_vec()).await.expect("sealed");
    let sample = Sample::new();
    let (key, asked) = (sample.committee.key, label(item));
    let label = asked.encode();
    let other = ItemId::Document(DocumentId::new([4; 32]));
    assert!(is_foreign(&a.block_record(other, &head, Vec::new(), key, label.clone()).await), "the head is another's");
    let envelope = a.block_record(item, &head, vec![("card".into(), card)], key, label.clone()).await.expect("an envelope");
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.check_chunk(id, &head, place, sealed.clone()).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.check_chunk(id, &envelope, place, sealed.clone()).await), "an envelope is no head");
    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(item, &envelope).await.expect("a lock");
    let shares = [0, 1].map(|at| share(&sample, at, &asked, &lock, one_time)).to_vec();
    let release = HoldRelease { envelope, label, one_time, shares };
    assert!(a.release_record(other, release.clone()).await.is_err());
    let restored = a.release_record(item, release).await.expect("restored");
    assert_eq!(&*a.open_chunk(id, &restored.head, place, sealed).await.expect("opens"), b"chunk");
    let (name, text) = restored.beside[0].clone();
    assert_eq!((&*name, &**a.open_beside(&restored.head, &name, text).await.expect("opens")), ("card", &b"for bea"[..]));
}
