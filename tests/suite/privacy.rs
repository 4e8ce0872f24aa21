//! What sizes tell an observer, and what a recipient's copy tells of the others.

use std::collections::{BTreeMap, BTreeSet};

use celosia::crypto::padme::{Padding, padme};
use celosia::enclave::NativeIngest;
use celosia::seal::celosia1::Content;
use celosia::types::{Privacy, PrivacyFlag};
use celosia::wire::Proofs;

use crate::week::{Days, NETWORK, Node};

/// Each length up to 5,000, then every 61st up to 100,000.
fn lengths() -> impl Iterator<Item = usize> {
    (1..5_000).chain((5_000..=100_000).step_by(61))
}

#[test]
fn an_observer_of_ciphertexts_sees_padme_classes_only() {
    let mut seen = BTreeMap::<usize, BTreeSet<usize>>::new();
    let text = vec![7; 100_000];
    for length in lengths() {
        let content = Content::seal(&NETWORK, &"a".parse().unwrap(), Padding::Padme, &text[..length]);
        seen.entry(content.ciphertext.len()).or_default().insert(padme(length + 8));
    }
    let classes: BTreeSet<usize> = lengths().map(|length| padme(length + 8)).collect();
    assert!(seen.values().all(|classes| classes.len() == 1), "a length is seen in one class alone");
    assert_eq!(seen.len(), classes.len());
    assert!(seen.len() < 250, "{} sizes for {} lengths", seen.len(), lengths().count());
}

/// What crosses is a delivery, not a ciphertext alone: neither address count nor content moves its size within a class.
#[tokio::test]
async fn an_observer_of_deliveries_sees_padme_classes_only() {
    let days = Days::new();
    let (a, b) = (Node::new("a", &days), Node::new("b", &days));
    let mut by_class = BTreeMap::<usize, BTreeSet<usize>>::new();
    for length in (1..1_500).step_by(23).chain([4_089, 4_344, 60_000, 61_000]) {
        let payload: Vec<u8> = (0..=u8::try_from(length % 251).unwrap()).cycle().take(length).collect();
        let sealed = a.send(&[&b], &payload, Padding::Padme, Privacy::default()).await;
        by_class.entry(padme(length + 8)).or_default().insert(sealed.deliveries[0].encode().len());
    }
    assert!(by_class.values().all(|sizes| sizes.len() == 1), "{by_class:?}");
    assert!(by_class.values().filter(|sizes| sizes.len() == 1).count() > 20);
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Everything that a recipient has of a payload once its box is open: the delivery, the header, its proofs.
async fn copy_of(at: &Node, from: &Node, delivery: &celosia::wire::Delivery) -> Vec<u8> {
    let NativeIngest::Mine { meta, .. } = at.take(from, delivery).await else { panic!("of today") };
    let native = meta.native.unwrap();
    let Proofs::Received(openings) = &native.proofs else { panic!("received") };
    let mut all = [&delivery.encode()[..], &native.header, &native.signature].concat();
    for opening in openings {
        opening.put(&mut all);
    }
    for address in meta.recipients {
        all.extend_from_slice(address.as_bytes());
    }
    all
}

#[tokio::test]
async fn a_copy_reveals_no_other_recipient() {
    let days = Days::new();
    let (a, b, c) = (Node::new("sender", &days), Node::new("bank-of-b", &days), Node::new("insurer-c", &days));
    let party = Privacy { flag: PrivacyFlag::PartyProtection, ..Privacy::default() };
    for privacy in [Privacy::default(), party] {
        let sealed = a.send(&[&b, &c], b"payload", Padding::Padme, privacy).await;
        let at_b = copy_of(&b, &a, &sealed.deliveries[0]).await;
        let at_c = copy_of(&c, &a, &sealed.deliveries[1]).await;
        for (copy, own, other) in [(&at_b, &b, &c), (&at_c, &c, &b)] {
            assert!(holds(copy, own.address().as_bytes()), "the search finds what is there");
            assert!(holds(copy, a.member.as_str().as_bytes()));
            assert!(!holds(copy, other.address().as_bytes()) && !holds(copy, other.member.as_str().as_bytes()));
        }
    }
    // The control: under private state validation everyone is named, because everyone compares the state with everyone.
    let validated = Privacy { flag: PrivacyFlag::StateValidation, exec_hash: b"root".to_vec(), ..Privacy::default() };
    let sealed = a.send(&[&b, &c], b"payload", Padding::Padme, validated).await;
    assert!(holds(&copy_of(&b, &a, &sealed.deliveries[0]).await, c.address().as_bytes()));
}

#[tokio::test]
async fn two_copies_share_ciphertext_and_nonce_and_nothing_else() {
    let days = Days::new();
    let (a, b, c) = (Node::new("a", &days), Node::new("b", &days), Node::new("c", &days));
    let sealed = a.send(&[&b, &c], b"payload", Padding::Padme, Privacy::default()).await;
    let [one, two] = &sealed.deliveries[..] else { panic!("two") };
    assert_eq!((&one.ciphertext, one.nonce, &one.member, one.from), (&two.ciphertext, two.nonce, &two.member, two.from));
    assert!(one.to != two.to && one.box_nonce != two.box_nonce);
    assert_eq!(one.sealed.len(), two.sealed.len());
    let windows: BTreeSet<&[u8]> = one.sealed.windows(8).collect();
    assert!(two.sealed.windows(8).all(|window| !windows.contains(window)), "the boxes have eight bytes in common");
    assert!(!holds(&one.encode(), sealed.id.as_bytes()), "the id is in no delivery: it is computed");
}
