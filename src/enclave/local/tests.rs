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

#[tokio::test]
async fn a_rewrapped_head_makes_boxes_under_the_new_key_without_the_old_one() {
    let ((apart, _its), (forest, _folder)) = (forest(), forest());
    let (old, new, other) = (Secret::<32>::random(), Secret::<32>::random(), Secret::<32>::random());
    let public = |key: &Secret<32>| nacl::public_key(key);
    let (from, to, theirs) = (public(&old), public(&new), public(&other));
    let before = LocalEnclave::new(vec![old], Arc::clone(&forest)).expect("a key");
    let draft = Draft {
        plaintext: Zeroizing::new(b"payload".to_vec()),
        sender: from,
        recipients: vec![theirs],
        privacy: Privacy::default(),
        affected: Vec::new(),
        escrow: None,
    };
    let sealed = before.seal(draft).await.expect("seals");
    drop(before);
    let after = LocalEnclave::new(vec![new], forest).expect("a key");
    assert_eq!(after.boxes(sealed.id, &sealed.head, &[theirs]).await.expect("a head"), [None], "no box without the old key");
    let mut meta = after.meta(sealed.id, &sealed.head).await.expect("heads lie under leaves");
    meta.sender = to;
    let head = after.rewrite(sealed.id, &sealed.head, meta).await.expect("rewrites");
    let made = after.boxes(sealed.id, &head, &[theirs]).await.expect("a head");
    let payload =
        EncodedPayload { sender: to, boxes: made.into_iter().flatten().collect(), recipients: vec![theirs], ..sealed.payload };
    let opened = LocalEnclave::new(vec![other], apart).expect("a key").open_payload(&payload).await.expect("sound");
    assert_eq!(opened.expect("its box").as_slice(), b"payload");
}
