use super::*;
use crate::crypto::padme::Padding;
use crate::enclave::documents::Place;
use crate::types::{Class, DocumentId};
use crate::wire::Manifest;

pub(super) const ID: DocumentId = DocumentId::new([3; 32]);

fn plain(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

pub(super) fn manifest() -> Manifest {
    Manifest { document: ID, size: 5, padded: 16, root: [1; 32], name: Some("name".into()), media: None }
}

async fn offer(from: &Subject, to: &Subject, head: &SealedHead) -> NativeSealed {
    let mut draft = native_draft(from, &[to], &manifest().encode()).await;
    (draft.class, draft.padding) = (Class::Personal, Padding::PadmeKib);
    from.seal_manifest(ID, head, draft).await.expect("seals")
}

pub(in crate::enclave) async fn documents_go_with_their_manifest_and_die_with_their_leaf(start: Start<'_>) {
    let (a, b) = (fresh(start), fresh(start));
    let head = a.begin_document(ID).await.expect("a key");
    let (first, last) = (Place { index: 0, last: false }, Place { index: 1, last: true });
    let sealed = a.seal_chunk(ID, &head, first, plain(b"chunk")).await.expect("seals");
    let end = a.seal_chunk(ID, &head, last, plain(b"end")).await.expect("seals");
    assert_eq!(&*a.open_chunk(ID, &head, last, end.clone()).await.expect("its own"), b"end");
    assert!(matches!(a.open_chunk(ID, &head, first, end.clone()).await, Err(EnclaveError::Broken)));
    let other = DocumentId::new([4; 32]);
    assert!(a.open_chunk(other, &head, last, end.clone()).await.is_err(), "a head is of one document");

    // The delivery of the manifest is that of the key.
    let offered = offer(&a, &b, &head).await;
    assert_eq!(offered.head.leaf(), head.leaf());
    let (taken, meta) = take_native(&b, &a, &offered.deliveries[0]).await;
    assert_eq!(meta.recipients, [super::first(&b)]);
    let opened = b.open(offered.id, &taken, offered.nonce, offered.ciphertext.clone()).await.expect("opens");
    assert_eq!(Manifest::decode(&opened.plaintext), Ok(manifest()));
    let theirs = b.adopt_document(offered.id, &taken, ID).await.expect("adopted");
    b.check_chunk(ID, &theirs, first, sealed.clone()).await.expect("good");
    assert!(matches!(b.check_chunk(ID, &theirs, last, sealed.clone()).await, Err(EnclaveError::Broken)));
    assert_eq!(&*b.open_chunk(ID, &theirs, first, sealed.clone()).await.expect("the same key"), b"chunk");

    // Offered again it is the same document, under another leaf; one begun anew is another.
    let again = offer(&a, &b, &head).await;
    let (taken, _) = take_native(&b, &a, &again.deliveries[0]).await;
    let again = b.adopt_document(again.id, &taken, ID).await.expect("adopted");
    assert!(b.same_document(ID, &theirs, &again).await.expect("both open"));
    let another = b.begin_document(ID).await.expect("a key");
    assert!(!b.same_document(ID, &theirs, &another).await.expect("both open"));

    b.erase(vec![theirs.leaf()]).await.expect("punctured");
    assert!(matches!(b.open_chunk(ID, &theirs, first, sealed.clone()).await, Err(EnclaveError::Erased)));
    assert!(matches!(b.seal_chunk(ID, &theirs, first, plain(b"x")).await, Err(EnclaveError::Erased)));
    a.erase(vec![head.leaf()]).await.expect("punctured");
    assert!(matches!(a.meta(offered.id, &offered.head).await, Err(EnclaveError::Erased)), "its manifests die with it");
}
