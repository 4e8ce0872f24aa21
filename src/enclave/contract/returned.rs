use super::escrow::{committee, opened_by_mandate};
use super::native::{native_draft, take_native_with};
use super::*;
use crate::crypto::hpke::{self, BoxKey};
use crate::enclave::returned::{INFO, Returned};

pub(in crate::enclave) async fn lost_payloads_come_back_under_a_one_time_key_alone(start: Start<'_>) {
    let (a, b, again) = (fresh(start), fresh(start), fresh(start));
    let (_, key) = committee();
    let mut draft = native_draft(&a, &[&b], b"payload").await;
    draft.escrow = Some(key);
    let sealed = a.seal_native(draft).await.expect("seals");
    let (head, meta) = take_native_with(&b, &a, &sealed.deliveries[0], &[key]).await;
    // What officers and holder give to whoever lost it.
    let (data_key, escrowed) = opened_by_mandate(&a, sealed.id, &sealed.head, sealed.nonce).await;
    let label = escrowed.label.encode();
    let mandate = Secret::random();
    let plain =
        a.release_escrow(sealed.id, &sealed.head, sealed.nonce, BoxKey::of(&mandate), Vec::new()).await.expect("released");
    let plain = hpke::open(&mandate, &[], &label, &plain).expect("for the mandate");
    let one_time = again.return_key().await.expect("a key");
    let to = |data_key: &[u8]| hpke::seal(&one_time, INFO, &label, &[data_key, &plain].concat()).expect("seals").into();
    let returned = Returned {
        id: sealed.id,
        one_time,
        sealed: to(data_key.expose()),
        ciphertext: sealed.ciphertext.clone(),
        key: key.key,
        escrowed: escrowed.clone(),
        meta: meta.clone(),
    };
    let kept = again.take_back(returned.clone()).await.expect("it holds");
    assert_eq!(kept.nonce, sealed.nonce);
    let opened = again.open(sealed.id, &kept.head, kept.nonce, sealed.ciphertext.clone()).await.expect("its own");
    assert_eq!((opened.plaintext.as_slice(), opened.meta), (b"payload".as_slice(), meta));
    // For the committee it is as good as the one that was lost.
    assert_eq!(again.escrow(sealed.id, &kept.head).await.expect("a head"), b.escrow(sealed.id, &head).await.expect("a head"));
    opened_by_mandate(&again, sealed.id, &kept.head, kept.nonce).await;
    let other = native_draft(&a, &[&b], b"another").await;
    let other = a.seal_native(other).await.expect("seals");
    for bad in [
        Returned { sealed: to(&[7; 32]), ..returned.clone() },
        Returned { ciphertext: other.ciphertext, ..returned.clone() },
        Returned { id: other.id, ..returned.clone() },
    ] {
        assert!(matches!(again.take_back(bad).await, Err(EnclaveError::Broken)));
    }
    let elsewhere = b.take_back(returned).await;
    assert!(matches!(elsewhere, Err(EnclaveError::ReturnKeyGone)), "{elsewhere:?}");
}
