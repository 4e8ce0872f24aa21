//! What every enclave must do with the keys of the blind index.

use super::*;
use crate::enclave::IndexKey;

pub(in crate::enclave) async fn index_keys_die_with_their_leaf_and_are_not_mistaken(start: Start<'_>) {
    let a = fresh(start);
    let words = || vec![Zeroizing::new(b"ana".to_vec()), Zeroizing::new(b"bea".to_vec())];
    let bucket = IndexKey::Bucket(3);
    let (key, other) = (a.index_key(bucket).await.expect("a key"), a.index_key(bucket).await.expect("another"));
    let tokens = a.index_tokens(bucket, &key, words()).await.expect("tokens");
    assert_eq!(tokens, a.index_tokens(bucket, &key, words()).await.expect("the same"));
    assert_ne!(tokens[0], tokens[1]);
    assert_ne!(tokens, a.index_tokens(bucket, &other, words()).await.expect("of another key"));
    for wrong in [IndexKey::Bucket(4), IndexKey::Buckets, IndexKey::Words] {
        assert!(is_foreign(&a.index_tokens(wrong, &key, words()).await), "{wrong:?}");
    }
    let chooser = a.index_key(IndexKey::Buckets).await.expect("a key");
    let chosen = a.index_tokens(IndexKey::Buckets, &chooser, words()).await.expect("buckets");
    assert!(chosen.iter().all(|token| token[1..] == [0; 31]), "a byte and no more");
    a.erase(vec![key.leaf()]).await.expect("punctures");
    assert!(matches!(a.index_tokens(bucket, &key, words()).await, Err(EnclaveError::Erased)));
    assert!(a.index_tokens(bucket, &other, words()).await.is_ok());
}
