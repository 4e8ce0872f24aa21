use proptest::prelude::*;

use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::types::{Address, Class, NetworkId, PayloadId, Privacy};
use crate::wire::{Ack, EpochKey, ack};

const NETWORK: NetworkId = NetworkId::new([7; 32]);

fn name(text: &str) -> MemberId {
    text.parse().expect("a name")
}

/// The same key for the same name.
fn key(member: &MemberId) -> SigningKey {
    let digest = sha256(&[member.as_str().as_bytes()]);
    SigningKey::from_seed(&Secret::init_with(|bytes| *bytes = digest))
}

fn known(member: &MemberId, _: u64) -> Vec<VerifyKey> {
    vec![key(member).verify_key()]
}

fn header() -> Header {
    Header {
        network: NETWORK,
        suite: 1,
        policy: 2,
        day: 1,
        class: Class::Personal,
        time: 86_400_001,
        sender: Address::new([1; 32]),
        member: name("a"),
        id: PayloadId::new([2; 64]),
        privacy: Privacy::default(),
        recipients: None,
        audience: [3; 32],
        escrow: Some(vec![9; 10]),
    }
}

fn acknowledged(by: &str, header: &Header) -> SignedAck {
    let member = name(by);
    let ack = Ack {
        network: NETWORK,
        id: header.id,
        header: sha256(&[&header.encode()]),
        member: member.clone(),
        addresses: vec![Address::new([4; 32])],
        time: 86_400_002,
        durable: true,
    };
    // Signed with two others: each counts alone.
    let others = [1, 2].map(|time| Ack { time, ..ack.clone() });
    let acks = vec![others[0].clone(), ack, others[1].clone()];
    let root = ack::root(&acks);
    ack::join(acks, &root, key(&member).sign(&ack::root_statement(&NETWORK, &root))).remove(1)
}

fn receipt() -> Receipt {
    let header = header();
    let signature = key(&header.member).sign(&header::signed(&NETWORK, &header.encode()));
    let acks = ["b", "c"].map(|by| acknowledged(by, &header)).to_vec();
    Receipt { header, signature, acks }
}

fn epoch_key() -> EpochKey {
    let mut epoch = EpochKey { network: NETWORK, member: name("a"), day: 20_000, public: [5; 32], signature: [0; 64] };
    epoch.signature = key(&epoch.member).sign(&epoch.statement());
    epoch
}

#[test]
fn a_receipt_verifies_offline_and_every_bit_of_it_counts() {
    let bytes = receipt().encode();
    let back = Receipt::decode(&bytes).expect("own encoding");
    assert_eq!(back, receipt());
    assert_eq!(back.verify(known), Ok(()));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(Receipt::decode(&flipped).map_or(true, |receipt| receipt.verify(known).is_err()), "byte {at}");
        assert!(Receipt::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(Receipt::decode(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn what_a_receipt_does_not_prove_is_named() {
    let refused = |alter: &dyn Fn(&mut Receipt)| {
        let mut receipt = receipt();
        alter(&mut receipt);
        receipt.verify(known).expect_err("refused")
    };
    assert_eq!(refused(&|receipt| receipt.signature[0] ^= 1), ReceiptError::Signature(name("a")));
    assert_eq!(refused(&|receipt| receipt.acks[1].signature[0] ^= 1), ReceiptError::Signature(name("c")));
    assert_eq!(refused(&|receipt| receipt.acks[0].ack.durable = false), ReceiptError::Signature(name("b")));
    assert_eq!(refused(&|receipt| receipt.acks[1] = receipt.acks[0].clone()), ReceiptError::Twice(name("b")));
    let other = Header { id: PayloadId::new([8; 64]), ..header() };
    assert_eq!(refused(&|receipt| receipt.acks[0] = acknowledged("b", &other)), ReceiptError::Foreign(name("b")));
    assert_eq!(receipt().verify(|_, _| Vec::new()), Err(ReceiptError::NoKey(name("a"))));
}

#[test]
fn each_signature_is_asked_for_by_its_own_date() {
    // The sender's key was replaced after the header's date, that of c before its acknowledgement's.
    let (made, at) = (header().time, receipt().acks[1].ack.time);
    let keys = |member: &MemberId, time: u64| {
        let newer = SigningKey::from_seed(&Secret::from_slice(&[9; 32]).expect("32 bytes")).verify_key();
        let is_known = match member.as_str() {
            "a" => time <= made,
            "c" => time < at,
            _ => true,
        };
        if is_known { vec![newer, key(member).verify_key()] } else { vec![newer] }
    };
    assert_eq!(receipt().verify(keys), Err(ReceiptError::Signature(name("c"))));
    let mut without = receipt();
    without.acks.pop();
    assert_eq!(without.verify(keys), Ok(()));
}

#[test]
fn acknowledgements_and_epoch_keys_come_back_and_every_bit_counts() {
    let (ack, epoch) = (acknowledged("b", &header()), epoch_key());
    let (ack_bytes, epoch_bytes) = (ack.encode(), epoch.encode());
    assert_eq!(SignedAck::decode(&ack_bytes).as_ref(), Ok(&ack));
    assert_eq!(EpochKey::decode(&epoch_bytes).as_ref(), Ok(&epoch));
    let (b, a) = (key(&name("b")).verify_key(), key(&name("a")).verify_key());
    assert!(ack.verify(&b).is_ok() && epoch.verify(&a).is_ok());
    let takes_ack = |bytes: &[u8]| SignedAck::decode(bytes).is_ok_and(|ack| ack.verify(&b).is_ok());
    let takes_epoch = |bytes: &[u8]| EpochKey::decode(bytes).is_ok_and(|epoch| epoch.verify(&a).is_ok());
    for (bytes, takes) in [(ack_bytes, &takes_ack as &dyn Fn(&[u8]) -> bool), (epoch_bytes, &takes_epoch)] {
        assert!(takes(&bytes));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(!takes(&flipped) && !takes(&bytes[..at]), "byte {at}");
        }
    }
}

#[test]
fn an_epoch_key_serves_on_its_day_and_around_it() {
    let days = [19_998, 19_999, 20_000, 20_001, 20_002].map(|day| epoch_key().serves_on(day));
    assert_eq!(days, [false, true, true, true, false]);
}

/// Longer heads, indefinite lengths and bytes behind the end are other bytes for the same words: refused, so that a statement is one string.
#[test]
fn a_form_has_one_encoding() {
    let bytes = header().encode();
    assert_eq!(bytes[..3], [0x8d, 0x58, 32]);
    let longer_head = [&[0x98, 0x0d], &bytes[1..]].concat();
    let longer_length = [&[0x8d, 0x59, 0, 32], &bytes[3..]].concat();
    let indefinite = [&[0x9f], &bytes[1..], &[0xff]].concat();
    for other in [longer_head, longer_length, indefinite] {
        assert!(Header::decode(&other).is_err());
    }
    let longest = Header { escrow: Some(vec![0; header::MAX_ESCROW]), ..header() };
    assert_eq!(Header::decode(&longest.encode()).as_ref(), Ok(&longest));
    let too_long = Header { escrow: Some(vec![0; header::MAX_ESCROW + 1]), ..header() };
    assert_eq!(Header::decode(&too_long.encode()), Err(DecodeError::Length("escrow")));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let _ = (Receipt::decode(&bytes), SignedAck::decode(&bytes), EpochKey::decode(&bytes));
    }
}
