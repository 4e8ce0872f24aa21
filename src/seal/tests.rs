use std::collections::BTreeSet;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use dryoc::classic::crypto_box::{crypto_box_easy, crypto_box_open_easy};
use dryoc::classic::crypto_secretbox::{crypto_secretbox_easy, crypto_secretbox_open_easy};
use proptest::prelude::*;

use super::*;
use crate::crypto::nacl::{self, Nonce};
use crate::crypto::secret::Secret;
use crate::types::{Address, Privacy, PrivacyFlag};
use crate::wire::EncodedPayload;

/// Private keys on the heap, no cache.
pub(crate) struct Plain {
    addresses: Vec<Address>,
    private: Vec<Secret<32>>,
}

impl Plain {
    fn new(keys: impl IntoIterator<Item = Secret<32>>) -> Self {
        let private: Vec<_> = keys.into_iter().collect();
        Self { addresses: private.iter().map(nacl::public_key).collect(), private }
    }

    fn random(count: usize) -> Self {
        Self::new((0..count).map(|_| Secret::random()))
    }

    fn first(&self) -> Address {
        self.addresses[0]
    }
}

impl Ring for Plain {
    fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    fn with_shared<T>(&self, own: &Address, peer: &Address, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T, NoSharedKey> {
        let at = self.addresses.iter().position(|address| address == own).ok_or(NoSharedKey::NotOurs(*own))?;
        let shared = nacl::shared_key(&self.private[at], peer).map_err(|_| NoSharedKey::LowOrder(*peer))?;
        Ok(f(shared.expose()))
    }
}

fn send(from: &Plain, to: &[Address], privacy: Privacy) -> Addressed {
    Draft(b"payload").close().address(from, from.first(), to.to_vec(), privacy).expect("usable keys")
}

fn plaintext(payload: &EncodedPayload, trial: &Trial) -> Vec<u8> {
    let Trial::Mine(unsealed) = trial else { panic!("ours") };
    nacl::open(unsealed.data_key.expose(), &payload.nonce, &payload.ciphertext).expect("opens").to_vec()
}

fn recipients(ring: &Plain, payload: &EncodedPayload) -> Vec<Address> {
    let Ok(Trial::Mine(unsealed)) = open(ring, payload) else { panic!("ours") };
    unsealed.recipients
}

/// What travels to one recipient: one box; under state validation every key, the recipient's own in front.
fn stripped(payload: &EncodedPayload, to: usize) -> EncodedPayload {
    let mut part = payload.clone();
    part.boxes = vec![payload.boxes[to]];
    part.recipients = vec![payload.recipients[to]];
    if payload.privacy.flag == PrivacyFlag::StateValidation {
        part.recipients.extend(payload.recipients.iter().filter(|key| **key != payload.recipients[to]));
    }
    part
}

fn state_validation() -> Privacy {
    Privacy { flag: PrivacyFlag::StateValidation, exec_hash: b"root".to_vec(), ..Privacy::default() }
}

fn is_not_mine(ring: &Plain, payload: &EncodedPayload) -> bool {
    matches!(open(ring, payload), Ok(Trial::NotMine))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_recipient_opens_and_no_outsider(
        others in 0_usize..6, to_self: bool, validation: bool, message in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let (sender, outsider) = (Plain::random(1), Plain::random(3));
        let members: Vec<_> = (0..others).map(|_| Plain::random(2)).collect();
        let mut to: Vec<_> = members.iter().map(Plain::first).collect();
        if to_self {
            to.push(sender.first());
        }
        let privacy = if validation { state_validation() } else { Privacy::default() };
        let sealed = Draft(&message).close().address(&sender, sender.first(), to.clone(), privacy).expect("usable keys");
        prop_assert_eq!(sealed.id, crate::crypto::hash::payload_id(&sealed.payload.ciphertext));
        prop_assert_eq!(sealed.payload.boxes.len(), to.len());
        prop_assert!(is_not_mine(&outsider, &sealed.payload));
        for (i, member) in members.iter().enumerate() {
            for payload in [sealed.payload.clone(), stripped(&sealed.payload, i)] {
                let trial = open(member, &payload).expect("intact");
                prop_assert_eq!(plaintext(&payload, &trial), message.clone());
                prop_assert!(is_not_mine(&outsider, &payload));
            }
            let boxed = sealed.payload.boxes[i];
            let nonce = sealed.payload.recipient_nonce;
            for ring in [&sender, member] {
                let again = remake_box(ring, &sender.first(), &to[i], &nonce, &sealed.data_key);
                prop_assert_eq!(again, Ok(Some(boxed)));
            }
            let stranger = remake_box(&outsider, &sender.first(), &to[i], &nonce, &sealed.data_key);
            prop_assert_eq!(stranger, Ok(None));
        }
        if !to.is_empty() {
            let own = open(&sender, &sealed.payload).expect("intact");
            prop_assert_eq!(plaintext(&sealed.payload, &own), message);
        }
    }

    #[test]
    fn libsodium_opens_ours_and_we_open_its(message in proptest::collection::vec(any::<u8>(), 0..200), nonces: [[u8; 24]; 2]) {
        let (sender, member) = (Plain::random(1), Plain::random(1));
        let (from, to) = (sender.first(), member.first());
        let ours = Draft(&message).close().address(&sender, from, vec![to], Privacy::default()).expect("usable keys").payload;
        let mut key = [0; 32];
        crypto_box_open_easy(&mut key, &ours.boxes[0], &ours.recipient_nonce, from.as_bytes(), member.private[0].expose())
            .expect("libsodium opens our box");
        let mut back = vec![0; message.len()];
        crypto_secretbox_open_easy(&mut back, &ours.ciphertext, &ours.nonce, &key).expect("libsodium opens our ciphertext");
        prop_assert_eq!(&back, &message);

        let (nonce, recipient_nonce): (Nonce, Nonce) = (nonces[0], nonces[1]);
        let mut ciphertext = vec![0; message.len() + nacl::MAC];
        crypto_secretbox_easy(&mut ciphertext, &message, &nonce, &key).expect("sizes fit");
        let mut key_box = [0; 48];
        crypto_box_easy(&mut key_box, &key, &recipient_nonce, to.as_bytes(), sender.private[0].expose()).expect("sizes fit");
        let theirs = EncodedPayload { ciphertext: ciphertext.into(), nonce, boxes: vec![key_box], recipient_nonce, ..ours };
        let trial = open(&member, &theirs).expect("intact");
        prop_assert_eq!(plaintext(&theirs, &trial), message);
    }
}

/// The public quorum-examples keys n1 and n2 with fixed keys and nonces; the values were computed with libsodium.
#[test]
fn vector_of_two_known_keys() {
    let key = |text: &str| Secret::from_slice(&BASE64.decode(text.as_bytes()).expect("base64")).expect("32 bytes");
    let n1 = Plain::new([key("Wl+xSyXVuuqzpvznOS7dOobhcn4C5auxkFRi7yLtgtA=")]);
    let n2 = Plain::new([key("nDFwJNHSiT1gNzKBy9WJvMhmYRkW3TzFUmPsNzR6oFk=")]);
    let unhex = |text: &str| HEXLOWER.decode(text.as_bytes()).expect("hex");
    let for_n2 = "cd6d73861cde4b41e7896fde0439b1ff55a954bff5d2fda4c5bd9d5aff75fcc9acf24b1ba88a42a272b4d56369891311";
    let for_n1 = "7d8a0f9c56181821c932a93d42f5acbfec251853a7b3faa0ff21ece430aecfca02a195d3c25acfdbaf4989acfaddae96";
    let counting = |from: u8| -> Nonce { std::array::from_fn(|i| from + u8::try_from(i).expect("small")) };
    let payload = EncodedPayload {
        sender: n1.first(),
        ciphertext: unhex("da9990c2cc936938879881e982d6c84f6adcf5a55596ba8cc38e46e656").into(),
        nonce: counting(100),
        boxes: [for_n2, for_n1].map(|text| unhex(text).try_into().expect("48 bytes")).to_vec(),
        recipient_nonce: counting(200),
        recipients: vec![n2.first(), n1.first()],
        privacy: Privacy::default(),
    };
    for ring in [&n1, &n2] {
        assert_eq!(plaintext(&payload, &open(ring, &payload).expect("intact")), b"hello tessera");
    }
    let data_key = Secret::init_with(|bytes| (0..).zip(bytes).for_each(|(i, byte)| *byte = i));
    let raw_key = remake_box(&n1, &n1.first(), &n1.first(), &payload.nonce, &data_key).expect("usable").expect("ours");
    assert_eq!(
        HEXLOWER.encode(&raw_key),
        "9b54bd4fde1261a4f835acd3519034d26459ae9d2c685772afa9c85494557abcd6e24c3eb3206908964fc6bf474530cf"
    );
}

#[test]
fn oldest_form_has_one_box_and_no_names() {
    let (sender, member, outsider) = (Plain::random(1), Plain::random(3), Plain::random(2));
    let mut payload = send(&sender, &[member.addresses[2]], Privacy::default()).payload;
    payload.recipients.clear();
    assert_eq!(recipients(&member, &payload), [member.addresses[2]]);
    assert!(is_not_mine(&outsider, &payload));
    payload.boxes.clear();
    assert!(is_not_mine(&member, &payload));
}

#[test]
fn recipients_are_only_our_own_keys_unless_states_are_validated() {
    let (sender, member, other) = (Plain::random(1), Plain::random(2), Plain::random(1));
    let to = [other.first(), member.addresses[1], member.addresses[0]];
    let standard = send(&sender, &to, Privacy::default()).payload;
    assert_eq!(recipients(&member, &standard), [member.addresses[1], member.addresses[0]]);
    let validated = stripped(&send(&sender, &to, state_validation()).payload, 1);
    assert_eq!(validated.boxes.len(), 1);
    let named: BTreeSet<_> = recipients(&member, &validated).into_iter().collect();
    assert_eq!(named, to.into_iter().collect());
}

#[test]
fn named_key_without_a_box_is_passed_over() {
    let (sender, member, other) = (Plain::random(1), Plain::random(1), Plain::random(1));
    let to = [other.first(), member.first()];
    let for_other = stripped(&send(&sender, &to, state_validation()).payload, 0);
    assert!(for_other.recipients.contains(&member.first()));
    assert!(is_not_mine(&member, &for_other));
}

#[test]
fn sender_rebuilds_from_what_recipients_return() {
    let (sender, a, b) = (Plain::random(1), Plain::random(1), Plain::random(1));
    let to = [a.first(), b.first(), sender.first()];
    let standard = send(&sender, &to, Privacy::default()).payload;
    assert_eq!(recipients(&sender, &standard), to);
    for (i, recipient) in to.into_iter().take(2).enumerate() {
        assert_eq!(recipients(&sender, &stripped(&standard, i)), [recipient]);
    }
    let validated = stripped(&send(&sender, &to, state_validation()).payload, 1);
    assert_eq!(recipients(&sender, &validated).len(), 3);
}

#[test]
fn a_recipient_cannot_make_us_vouch_for_a_third() {
    let (victim, forger, third) = (Plain::random(1), Plain::random(1), Plain::random(1));
    let mut forged = send(&forger, &[victim.first()], Privacy::default()).payload;
    // The same shared key in both directions: the box also reads as one from the victim to the forger.
    forged.sender = victim.first();
    forged.recipients = vec![forger.first(), third.first()];
    assert_eq!(recipients(&victim, &forged), [forger.first()]);
    forged.boxes.push([7; 48]);
    assert!(open(&victim, &forged).is_err());
}

#[test]
fn broken_is_another_answer_than_not_mine() {
    let (sender, member) = (Plain::random(1), Plain::random(1));
    let intact = send(&sender, &[member.first()], Privacy::default()).payload;
    let altered = |alter: &dyn Fn(&mut EncodedPayload)| {
        let mut payload = intact.clone();
        alter(&mut payload);
        open(&member, &payload).is_err()
    };
    assert!(altered(&|p| p.boxes[0][20] ^= 1));
    assert!(altered(&|p| p.nonce[0] ^= 1));
    assert!(altered(&|p| p.recipient_nonce[0] ^= 1));
    assert!(altered(&|p| p.ciphertext = p.ciphertext.slice(1..)));
    assert!(altered(&|p| p.ciphertext = Bytes::new()));
    assert!(altered(&|p| p.sender = Plain::random(1).first()));
    assert!(altered(&|p| p.sender = Address::new([0; 32])));
}

#[test]
fn one_of_our_boxes_may_fail_but_two_data_keys_may_not_differ() {
    let (sender, member) = (Plain::random(1), Plain::random(2));
    let payload = send(&sender, &member.addresses, Privacy::default()).payload;
    let mut one = payload.clone();
    one.boxes[0][0] ^= 1;
    assert_eq!(recipients(&member, &one), [member.addresses[1]]);
    let other_key = Secret::random();
    let second = remake_box(&sender, &sender.first(), &member.first(), &payload.recipient_nonce, &other_key);
    let mut two = payload;
    two.boxes[0] = second.expect("usable").expect("ours");
    assert!(open(&member, &two).is_err());
}

#[test]
fn unusable_and_foreign_keys_are_named() {
    let sender = Plain::random(1);
    let zero = Address::new([0; 32]);
    let low = Draft(b"x").close().address(&sender, sender.first(), vec![zero], Privacy::default());
    assert_eq!(low.expect_err("low order"), NoSharedKey::LowOrder(zero));
    let foreign = Plain::random(1).first();
    let not_ours = Draft(b"x").close().address(&sender, foreign, vec![], Privacy::default());
    assert_eq!(not_ours.expect_err("not ours"), NoSharedKey::NotOurs(foreign));
}

#[test]
fn kept_ciphertext_must_belong_to_its_key() {
    let closed = Draft(b"raw").close();
    let (id, ciphertext, nonce) = (closed.id, closed.ciphertext.clone(), closed.nonce);
    assert!(Closed::kept(id, ciphertext.clone(), nonce, closed.data_key).is_ok());
    assert!(Closed::kept(id, ciphertext, nonce, Secret::random()).is_err());
}

#[test]
fn prints_no_key() {
    let sender = Plain::random(1);
    let sealed = send(&sender, &[sender.first()], Privacy::default());
    let key = format!("{:?}", sealed.data_key.expose());
    let inner = key.trim_matches(['[', ']']).to_owned();
    let printed = format!("{sealed:?} {:?}", open(&sender, &sealed.payload));
    assert!(printed.contains("<secret>") && !printed.contains(&inner));
}
