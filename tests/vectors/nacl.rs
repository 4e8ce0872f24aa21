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

/// Points of small order, as libsodium lists them: their shared secret is known to all, so they are no recipients.
#[test]
fn keys_of_low_order_are_refused_by_both() {
    let one = |byte: u8| std::array::from_fn(|at| if at == 0 { byte } else { 0 });
    let minus_one = std::array::from_fn(|at| [0xec, 0xff, 0x7f][usize::from(at > 0) + usize::from(at == 31)]);
    let order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
    let order_8: [u8; 32] = data_encoding::HEXLOWER.decode(order_8.as_bytes()).unwrap().try_into().unwrap();
    for public in [one(0), one(1), minus_one, order_8] {
        assert_eq!(nacl::shared_key(&expand(&[9; 32]), &Address::new(public)), Err(nacl::LowOrder));
        assert!(crypto_box_beforenm(&public, &[9; 32]).is_err());
    }
}

#[test]
fn an_altered_box_opens_in_neither() {
    let (key, nonce) = ([1; 32], [2; 24]);
    for at in 0..23 {
        let mut sealed = nacl::seal(&key, &nonce, b"payload");
        sealed[at] ^= 0x10;
        assert!(nacl::open(&key, &nonce, &sealed).is_err());
        assert!(nacl::verify(&key, &nonce, &sealed).is_err());
        assert!(crypto_secretbox_open_easy(&mut [0; 7], &sealed, &nonce, &key).is_err());
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
