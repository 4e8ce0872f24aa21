use celosia::crypto::nacl;
use celosia::crypto::secret::Secret;
use celosia::types::Address;
use dryoc::classic::crypto_box::{crypto_box_beforenm, crypto_box_easy, crypto_box_keypair, crypto_box_open_easy};
use dryoc::classic::crypto_secretbox::{crypto_secretbox_easy, crypto_secretbox_open_easy};
use proptest::prelude::*;

fn expand(key: &[u8; 32]) -> Secret<32> {
    Secret::from_slice(key).unwrap()
}

proptest! {
    /// Every length around the blocks of Salsa20 and Poly1305, both ways.
    #[test]
    fn boxes_of_either_open_in_the_other(key: [u8; 32], nonce: [u8; 24], plaintext in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut theirs = vec![0; plaintext.len() + 16];
        crypto_secretbox_easy(&mut theirs, &plaintext, &nonce, &key).unwrap();
        prop_assert_eq!(&nacl::seal(&key, &nonce, &plaintext), &theirs);
        assert_eq!(nacl::open(&key, &nonce, &theirs).unwrap().as_slice(), plaintext.as_slice());
        let mut opened = vec![0; plaintext.len()];
        crypto_secretbox_open_easy(&mut opened, &nacl::seal(&key, &nonce, &plaintext), &nonce, &key).unwrap();
        prop_assert_eq!(opened, plaintext);
    }

    #[test]
    fn shared_keys_are_those_of_the_other(private: [u8; 32], data_key: [u8; 32], nonce: [u8; 24]) {
        let (their_public, their_private) = crypto_box_keypair();
        let own = expand(&private);
        let own_public = *nacl::public_key(&own).as_bytes();
        let shared = nacl::shared_key(&own, &Address::new(their_public)).unwrap();
        prop_assert_eq!(shared.expose(), &crypto_box_beforenm(&their_public, &private).unwrap());
        prop_assert_eq!(shared.expose(), &crypto_box_beforenm(&own_public, &their_private).unwrap());
        let sealed = nacl::seal_key(&shared, &nonce, &expand(&data_key));
        let mut opened = [0; 32];
        crypto_box_open_easy(&mut opened, &sealed, &nonce, &own_public, &their_private).unwrap();
        prop_assert_eq!(opened, data_key);
        let mut theirs = [0; 48];
        crypto_box_easy(&mut theirs, &data_key, &nonce, &own_public, &their_private).unwrap();
        assert_eq!(nacl::open_key(&shared, &nonce, &theirs).unwrap().expose(), &data_key);
    }
}

#[test]
fn a_large_payload_is_the_same_in_both() {
    let (key, nonce) = ([5; 32], [6; 24]);
    let plaintext: Vec<u8> = (0..1_000_003u32).map(|i| i.to_le_bytes()[1]).collect();
    let mut theirs = vec![0; plaintext.len() + 16];
    crypto_secretbox_easy(&mut theirs, &plaintext, &nonce, &key).unwrap();
    assert!(nacl::seal(&key, &nonce, &plaintext) == theirs);
}
