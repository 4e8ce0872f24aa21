//! What every enclave must do with records that are blocked.

use super::*;
use crate::crypto::hpke::BoxKey;
use crate::enclave::{HoldRelease, HoldShare};
use crate::erasure::{HoldId, HoldLabel, HoldRequest, LockedEnvelope, REQUEST_FORMAT};
use crate::seal::hold::tests::Sample;
use crate::types::{ItemId, NetworkId};

pub(in crate::enclave) async fn blocked_records_come_back_with_the_committee_alone(start: Start<'_>) {
    let a = fresh(start);
    let sealed = a.seal_raw(Zeroizing::new(b"payload".to_vec()), a.addresses()[0]).await.expect("sealed");
    let (id, head) = (sealed.id, sealed.head.clone());
    let tags = a.seal_beside(&head, "tags", b"ana".to_vec()).await.expect("sealed");
    let sample = Sample::new();
    let key = sample.committee.key;
    let asked = HoldLabel {
        network: NetworkId::new([7; 32]),
        item: ItemId::Payload(id),
        hold: HoldId([1; 16]),
        ground: "court-order".into(),
        reference: "12/2026".into(),
        until: 4,
    };
    let label = asked.encode();
    let wrong = a.block_record(id, &head, vec![("acks".into(), tags.clone())], key, label.clone()).await;
    assert!(is_foreign(&wrong), "{wrong:?}");
    let envelope = a.block_record(id, &head, vec![("tags".into(), tags)], key, label.clone()).await.expect("an envelope");
    assert_ne!(envelope.leaf(), head.leaf());
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.meta(id, &head).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.meta(id, &envelope).await), "an envelope is no head");
    assert!(is_foreign(&a.hold_lock(PayloadId::new([9; 64]), &envelope).await), "nor that of another payload");

    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(id, &envelope).await.expect("a lock");
    assert_eq!(lock.committee, key);
    let capsule = lock.capsule.to_bytes().to_vec();
    let locked = LockedEnvelope { label: asked.clone(), committee: key, capsule };
    let (format, network, hold) = (REQUEST_FORMAT.to_owned(), asked.network, asked.hold);
    let request = HoldRequest { format, network, hold, key: one_time, envelopes: vec![locked] };
    let share = |at: usize| {
        let sealed = sample.answer(&request, at).envelopes.swap_remove(0).share.into();
        HoldShare { verifying: sample.committee.officers[at].share, sealed }
    };
    let good = HoldRelease { envelope: envelope.clone(), label: label.clone(), one_time, shares: vec![share(2), share(0)] };
    let other_label = HoldRelease { label: b"other".to_vec(), ..good.clone() };
    let other_key = HoldRelease { one_time: BoxKey::new([9; 32]), ..good.clone() };
    let alone = HoldRelease { shares: vec![share(1)], ..good.clone() };
    let nobody = HoldRelease { shares: Vec::new(), ..good.clone() };
    let mut swapped = good.clone();
    swapped.shares[1].verifying = sample.committee.officers[1].share;
    assert!(matches!(a.release_record(id, other_label).await, Err(EnclaveError::HoldShare(0))));
    assert!(matches!(a.release_record(id, other_key).await, Err(EnclaveError::HoldKeyGone)));
    assert!(matches!(a.release_record(id, swapped).await, Err(EnclaveError::HoldShare(1))), "it is named");
    assert!(matches!(a.release_record(id, alone).await, Err(EnclaveError::Broken)), "one of two opens nothing");
    assert!(matches!(a.release_record(id, nobody).await, Err(EnclaveError::Broken)));
    let restored = a.release_record(id, good.clone()).await.expect("restored");
    let opened = a.open(id, &restored.head, sealed.nonce, sealed.ciphertext.clone()).await.expect("opens");
    assert_eq!(opened.plaintext.as_slice(), b"payload");
    let (name, text) = &restored.beside[0];
    assert_eq!(name, "tags");
    assert_eq!(a.open_beside(&restored.head, name, text.clone()).await.expect("opens").as_slice(), b"ana");
    // At the end of the hold not even the answers that were given open anything.
    a.erase(vec![envelope.leaf()]).await.expect("punctured");
    assert!(matches!(a.release_record(id, good).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.hold_lock(id, &envelope).await, Err(EnclaveError::Erased)));
}
