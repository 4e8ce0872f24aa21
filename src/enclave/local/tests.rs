use super::*;
use crate::enclave::contract::{contract, forest, local};

contract!(local);

#[tokio::test]
async fn prints_no_key() {
    let key = Secret::<32>::random();
    let bytes = format!("{:?}", key.expose());
    let (forest, _folder) = forest();
    let enclave = LocalEnclave::new(vec![key], forest).expect("a key");
    let sealed = enclave.seal_raw(Zeroizing::new(b"payload".to_vec()), enclave.addresses()[0]).await;
    let shared = enclave.0.keys.with_shared(&enclave.addresses()[0], &Address::new([9; 32]), |key| format!("{key:?}"));
    let printed = format!("{enclave:?} {sealed:?} {:?}", enclave.addresses());
    assert!(printed.starts_with("LocalEnclave(Keys(1 private)) Ok("), "{printed}");
    for secret in [bytes, shared.expect("ours")] {
        assert!(!printed.contains(secret.trim_matches(['[', ']'])), "{printed}");
    }
}

#[test]
fn an_enclave_has_a_key() {
    assert_eq!(LocalEnclave::new(Vec::new(), forest().0).expect_err("no keys"), NoKeys);
}
