use super::escrow::{committee, opened_by_mandate};
use super::native::{native_draft, target};
use super::*;
use crate::seal::celosia1::Refused;

pub(in crate::enclave) async fn copies_hold_sigma_and_no_key(start: Start<'_>) {
    let (a, b, supervisor) = (fresh(start), fresh(start), fresh(start));
    let (_, key) = committee();
    let mut draft = native_draft(&a, &[&b], b"payload").await;
    draft.escrow = Some(key);
    let sealed = a.seal_native(draft).await.expect("seals");
    let copy = |to: NativeTarget| a.copy_native(sealed.id, &sealed.head, sealed.nonce, sealed.ciphertext.clone(), to);
    let copy = copy(target(&supervisor).await).await.expect("a copy");
    let of_a = a.verify_key().expect("a key");
    let NativeIngest::Mine { id, head, meta } = supervisor.ingest_copy(&copy, of_a, &[key]).await.expect("sound") else {
        panic!("made for today's key")
    };
    assert_eq!((id, meta.recipients.is_empty()), (sealed.id, true));
    // A committee opens it with what the supervisor kept; the supervisor itself does not.
    opened_by_mandate(&supervisor, id, &head, sealed.nonce).await;
    assert!(supervisor.open(id, &head, sealed.nonce, sealed.ciphertext.clone()).await.is_err());
    // A copy is no delivery, a delivery no copy, and a copy of nobody's capsule none.
    assert!(supervisor.ingest_native(&copy, of_a, &[key]).await.is_err());
    let delivered = b.ingest_copy(&sealed.deliveries[0], of_a, &[key]).await;
    assert!(matches!(delivered, Err(EnclaveError::Refused(Refused::Ciphertext))), "{delivered:?}");
    let of_b = b.verify_key().expect("a key");
    assert!(supervisor.ingest_copy(&copy, of_b, &[key]).await.is_err(), "signed by another");
    assert!(supervisor.ingest_copy(&copy, of_a, &[]).await.is_err(), "no such committee");
    supervisor.erase(vec![head.leaf()]).await.expect("punctures");
    assert!(matches!(supervisor.escrow(id, &head).await, Err(EnclaveError::Erased)));
    let plain = a.seal_native(native_draft(&a, &[&b], b"without").await).await.expect("seals");
    let to = target(&supervisor).await;
    let none = a.copy_native(plain.id, &plain.head, plain.nonce, plain.ciphertext.clone(), to).await;
    assert!(matches!(none, Err(EnclaveError::NoEscrow)));
}
