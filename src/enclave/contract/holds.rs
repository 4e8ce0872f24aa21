//! What every enclave must do with records that are blocked.

use super::*;
use crate::crypto::nacl;
use crate::enclave::HoldRelease;
use crate::enclave::documents::Place;
use crate::seal::hold::{Answering, unlock};
use crate::types::{DocumentId, ItemId};

pub(in crate::enclave) async fn blocked_records_come_back_with_the_committee_alone(start: Start<'_>) {
    let a = fresh(start);
    let sealed = a.seal_raw(Zeroizing::new(b"payload".to_vec()), a.addresses()[0]).await.expect("sealed");
    let (id, head) = (sealed.id, sealed.head.clone());
    let item = ItemId::Payload(id);
    let tags = a.seal_beside(&head, "tags", b"ana".to_vec()).await.expect("sealed");
    let committee = Secret::random();
    let public = nacl::public_key(&committee);
    let label = b"label".to_vec();
    let low = a.block_record(item, &head, Vec::new(), Address::new([0; 32]), label.clone()).await;
    assert!(matches!(low, Err(EnclaveError::LowOrder(_))), "{low:?}");
    let wrong = a.block_record(item, &head, vec![("acks".into(), tags.clone())], public, label.clone()).await;
    assert!(is_foreign(&wrong), "{wrong:?}");
    let envelope = a.block_record(item, &head, vec![("tags".into(), tags)], public, label.clone()).await.expect("an envelope");
    assert_ne!(envelope.leaf(), head.leaf());
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.meta(id, &head).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.meta(id, &envelope).await), "an envelope is no head");
    assert!(is_foreign(&a.hold_lock(ItemId::Payload(PayloadId::new([9; 64])), &envelope).await), "nor that of another payload");

    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(item, &envelope).await.expect("a lock");
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
    assert!(matches!(a.release_record(item, other_label).await, Err(EnclaveError::Broken)));
    assert!(matches!(a.release_record(item, other_key).await, Err(EnclaveError::HoldKeyGone)));
    let restored = a.release_record(item, good.clone()).await.expect("restored");
    let opened = a.open(id, &restored.head, sealed.nonce, sealed.ciphertext.clone()).await.expect("opens");
    assert_eq!(opened.plaintext.as_slice(), b"payload");
    let (name, text) = &restored.beside[0];
    assert_eq!(name, "tags");
    assert_eq!(a.open_beside(&restored.head, name, text.clone()).await.expect("opens").as_slice(), b"ana");
    // At the end of the hold not even the answer that was given opens anything.
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
    let (committee, label) = (Secret::random(), b"label".to_vec());
    let public = nacl::public_key(&committee);
    let other = ItemId::Document(DocumentId::new([4; 32]));
    assert!(is_foreign(&a.block_record(other, &head, Vec::new(), public, label.clone()).await), "the head is another's");
    let envelope = a.block_record(item, &head, vec![("card".into(), card)], public, label.clone()).await.expect("an envelope");
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.check_chunk(id, &head, place, sealed.clone()).await, Err(EnclaveError::Erased)));
    assert!(is_foreign(&a.check_chunk(id, &envelope, place, sealed.clone()).await), "an envelope is no head");
    let one_time = a.hold_key().await.expect("a key");
    let lock = a.hold_lock(item, &envelope).await.expect("a lock");
    let answering = Answering::to(&one_time).expect("usable");
    let share = unlock(&committee, &lock, &label).expect("usable");
    let (from, share) = (answering.from(), answering.seal(&share, &label).into());
    let release = HoldRelease { envelope, label, one_time, from, sealed: share };
    assert!(a.release_record(other, release.clone()).await.is_err());
    let restored = a.release_record(item, release).await.expect("restored");
    assert_eq!(&*a.open_chunk(id, &restored.head, place, sealed).await.expect("opens"), b"chunk");
    let (name, text) = restored.beside[0].clone();
    assert_eq!((&*name, &**a.open_beside(&restored.head, &name, text).await.expect("opens")), ("card", &b"for bea"[..]));
}
