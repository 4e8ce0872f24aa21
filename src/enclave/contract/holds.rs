//! What every enclave must do with records that are blocked.

use super::*;
use crate::crypto::nacl;
use crate::enclave::HoldRelease;
use crate::seal::hold::{Answering, unlock};

pub(in crate::enclave) async fn blocked_records_come_back_with_the_committee_alone(start: Start<'_>) {
    let a = fresh(start);
    let sealed = a.seal_raw(Zeroizing::new(b"payload".to_vec()), a.addresses()[0]).await.expect("sealed");
    let (id, head) = (sealed.id, sealed.head.clone());
    let tags = a.seal_beside(&head, "tags", b"ana".to_vec()).await.expect("sealed");
    let committee = Secret::random();
    let public = nacl::public_key(&committee);
    let label = b"label".to_vec();
    let low = a.block_record(id, &head, Vec::new(), Address::new([0; 32]), label.clone()).await;
    assert!(matches!(low, Err(EnclaveError::LowOrder(_))), "{low:?}");
    let wrong = a.block_record(id, &head, vec![("acks".into(), tags.clone())], public, label.clone()).await;
    assert!(is_foreign(&wrong), "{wrong:?}");
    let envelope = a.block_record(id, &head, vec![("tags".into(), tags)], public, label.clone()).await.expect("an envelope");
    assert_ne!(envelope.leaf(), head.leaf());
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.meta(id, &head).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.meta(id, &envelope).await), "an envelope is no head");
    assert!(is_foreign(&a.hold_lock(PayloadId::new([9; 64]), &envelope).await), "nor that of another payload");

    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(id, &envelope).await.expect("a lock");
    let answering = Answering::to(&one_time).expect("usable");
    let share = unlock(&committee, &lock, &label).expect("usable");
    let sealed_share: Bytes = answering.seal(&share, &label).into();
    let good = HoldRelease {
        envelope: envelope.clone(),
        label: label.clone(),
        one_time,
        from: answering.from(),
        sealed: sealed_share.clone(),
    };
    let other_label = HoldRelease { label: b"other".to_vec(), ..good.clone() };
    let other_key = HoldRelease { one_time: Address::new([9; 32]), ..good.clone() };
    assert!(matches!(a.release_record(id, other_label).await, Err(EnclaveError::Broken)));
    assert!(matches!(a.release_record(id, other_key).await, Err(EnclaveError::HoldKeyGone)));
    let restored = a.release_record(id, good.clone()).await.expect("restored");
    let opened = a.open(id, &restored.head, sealed.nonce, sealed.ciphertext.clone()).await.expect("opens");
    assert_eq!(opened.plaintext.as_slice(), b"payload");
    let (name, text) = &restored.beside[0];
    assert_eq!(name, "tags");
    assert_eq!(a.open_beside(&restored.head, name, text.clone()).await.expect("opens").as_slice(), b"ana");
    // At the end of the hold not even the answer that was given opens anything.
    a.erase(vec![envelope.leaf()]).await.expect("punctured");
    assert!(matches!(a.release_record(id, good).await, Err(EnclaveError::Erased)));
    assert!(matches!(a.hold_lock(id, &envelope).await, Err(EnclaveError::Erased)));
}
