use proptest::prelude::*;

use super::*;
use crate::crypto::threshold::{KeyShare, Prepared};
use crate::enclave::NativeMeta;
use crate::seal::escrow::tests::label;
use crate::types::{Class, NetworkId};
use crate::wire::{Header, Opening, Proofs};

fn metas() -> impl Strategy<Value = Meta> {
    let address = || any::<[u8; 32]>().prop_map(Address::new);
    let half = || proptest::collection::vec(any::<u8>(), 64).prop_map(|v| <[u8; 64]>::try_from(v).expect("64"));
    let affected = (half(), half()).prop_map(|(id, hash)| Affected { id: PayloadId::new(id), hash });
    let list = |max| proptest::collection::vec(any::<[u8; 32]>().prop_map(Address::new), 0..max);
    let bytes = || proptest::collection::vec(any::<u8>(), 0..50);
    let privacy = (0..4_i64, proptest::collection::vec(affected, 0..3), bytes(), list(4), proptest::option::of(bytes()));
    (address(), list(6), any::<[u8; 24]>(), privacy, natives()).prop_map(
        |(sender, recipients, recipient_nonce, privacy, native)| {
            let (flag, affected, exec_hash, mandatory, group) = privacy;
            let flag = PrivacyFlag::from_number(flag);
            let privacy = Privacy { flag, affected, exec_hash, mandatory, group: group.map(GroupId) };
            Meta { sender, recipients, recipient_nonce, privacy, native }
        },
    )
}

/// Nothing, or what a record of celosia-1 adds, at its sender or at a recipient.
fn natives() -> impl Strategy<Value = Option<NativeMeta>> {
    let proofs = prop_oneof![
        (any::<[u8; 32]>(), 0_u8..5).prop_map(|(seed, count)| {
            let name = |i: u8| format!("member-{i}").parse().expect("a name");
            Proofs::Sent { seed, recipients: (0..count).map(|i| (Address::new([i; 32]), name(i))).collect() }
        }),
        (0_u8..4, 0_usize..17).prop_map(|(count, levels)| {
            let opening =
                |i: u8| Opening { address: Address::new([i; 32]), salt: [i; 16], index: 3, path: vec![[i; 32]; levels] };
            Proofs::Received((0..count).map(opening).collect())
        }),
    ];
    proptest::option::of(proofs.prop_map(native))
}

fn header() -> Header {
    Header {
        network: NetworkId::new([7; 32]),
        suite: 1,
        policy: 2,
        day: 1,
        class: Class::Special,
        time: 86_400_001,
        sender: Address::new([1; 32]),
        member: "a".parse().expect("a name"),
        id: PayloadId::new([2; 64]),
        privacy: Privacy::default(),
        recipients: None,
        audience: [3; 32],
        escrow: None,
    }
}

fn native(proofs: Proofs) -> NativeMeta {
    let header = header();
    NativeMeta::new(&header, header.encode().into(), [4; 64], proofs)
}

proptest! {
    #[test]
    fn round_trip_and_every_cut_is_broken(meta in metas(), key: [u8; 32]) {
        let key = Secret::<32>::from_slice(&key).expect("32 bytes");
        let bytes = encode(&key, &meta, None);
        let (back, read, held) = decode(&bytes).expect("own encoding");
        prop_assert!(held.is_none());
        prop_assert_eq!(&back, &key);
        prop_assert_eq!(&read, &meta);
        for cut in 0..bytes.len() {
            prop_assert!(decode(&bytes[..cut]).is_err());
        }
        prop_assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        let mut head = vec![VERSION, 0b11_1100];
        head.extend_from_slice(&[0; 88]);
        head.extend_from_slice(&bytes);
        let _ = decode(&head);
        head[0] = NATIVE_VERSION;
        let _ = decode(&head);
        let _ = decode(&bytes);
    }
}

#[test]
fn a_plain_payload_for_two_costs_158_bytes() {
    let meta = Meta {
        sender: Address::new([1; 32]),
        recipients: vec![Address::new([2; 32]), Address::new([1; 32])],
        recipient_nonce: [3; 24],
        privacy: Privacy::default(),
        native: None,
    };
    assert_eq!(encode(&Secret::random(), &meta, None).len(), 158);
}

/// Bytes as versions of the program before celosia-1 wrote them: records of theirs are read for ever.
#[test]
fn a_head_of_version_1_is_read_as_it_was_written() {
    let old =
        [&[1, 0b0010_0001][..], &[9; 32], &[1; 32], &[3; 24], &[0, 0, 0, 2], &[2; 32], &[1; 32], &[0, 0, 0, 3], b"grp"].concat();
    let (key, meta, _) = decode(&old).expect("version 1");
    assert_eq!(key.expose(), &[9; 32]);
    let privacy = Privacy { flag: PrivacyFlag::PartyProtection, group: Some(GroupId(b"grp".to_vec())), ..Privacy::default() };
    let recipients = vec![Address::new([2; 32]), Address::new([1; 32])];
    let expected = Meta { sender: Address::new([1; 32]), recipients, recipient_nonce: [3; 24], privacy, native: None };
    assert_eq!(meta, expected);
    assert_eq!(encode(&key, &meta, None).as_slice(), old);
}

#[test]
fn a_head_of_version_2_is_version_1_and_the_header() {
    let opening = Opening { address: Address::new([2; 32]), salt: [5; 16], index: 6, path: vec![[7; 32]; 3] };
    let meta = Meta {
        sender: Address::new([1; 32]),
        recipients: vec![Address::new([2; 32])],
        recipient_nonce: [0; 24],
        privacy: Privacy::default(),
        native: Some(native(Proofs::Received(vec![opening]))),
    };
    let header = header().encode();
    let expected = [
        &[2, 0][..],
        &[9; 32],
        &[1; 32],
        &[0; 24],
        &[0, 0, 0, 1],
        &[2; 32],
        &u32::try_from(header.len()).expect("small").to_be_bytes(),
        &header,
        &[4; 64],
        &[1, 0, 0, 0, 1],
        &[2; 32],
        &[5; 16],
        &[0, 0, 0, 6, 3],
        &[7; 96],
    ]
    .concat();
    let key = Secret::init_with(|bytes| bytes.fill(9));
    assert_eq!(encode(&key, &meta, None).as_slice(), expected);
    assert_eq!(decode(&expected).expect("version 2").1, meta);
}

fn held() -> Held {
    let share = KeyShare::new(1, Secret::init_with(|bytes| bytes.fill(3))).expect("a share");
    Held::make(&Prepared::new(&share.verifying()), &Secret::random(), label())
}

/// Version 3: Tessera's suite, with a capsule that was made here.
#[test]
fn a_head_of_version_3_holds_sigma_capsule_and_label() {
    let meta = Meta {
        sender: Address::new([1; 32]),
        recipients: vec![Address::new([2; 32])],
        recipient_nonce: [3; 24],
        privacy: Privacy::default(),
        native: None,
    };
    let (key, held) = (Secret::random(), held());
    let plain = encode(&key, &meta, None);
    let bytes = encode(&key, &meta, Some(&held));
    assert_eq!((bytes[0], &bytes[1..plain.len()]), (3, &plain[1..]));
    let label = held.escrowed.label.encode();
    let length = u32::try_from(label.len()).expect("small").to_be_bytes();
    let added = [held.sigma.expose(), &held.escrowed.capsule.to_bytes()[..], &length, &label].concat();
    assert_eq!(&bytes[plain.len()..], added);
    let (_, read, back) = decode(&bytes).expect("version 3");
    let back = back.expect("held");
    assert!(read == meta && back.sigma == held.sigma && back.escrowed == held.escrowed);
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut]).is_err(), "{cut}");
    }
}

/// Version 4: celosia-1, whose header has the capsule.
#[test]
fn a_head_of_version_4_holds_sigma() {
    let (key, made) = (Secret::random(), held());
    let mut header = header();
    header.escrow = Some(Carried { epoch: 5, capsule: made.escrowed.capsule.clone() }.to_bytes());
    let native = NativeMeta::new(&header, header.encode().into(), [4; 64], Proofs::Received(Vec::new()));
    let sender = Address::new([1; 32]);
    let meta =
        Meta { sender, recipients: Vec::new(), recipient_nonce: [0; 24], privacy: Privacy::default(), native: Some(native) };
    let plain = encode(&key, &meta, None);
    let bytes = encode(&key, &meta, Some(&made));
    assert_eq!((bytes[0], &bytes[1..plain.len()], &bytes[plain.len()..]), (4, &plain[1..], &made.sigma.expose()[..]));
    let (_, read, back) = decode(&bytes).expect("version 4");
    let back = back.expect("held");
    assert!(read == meta && back.sigma == made.sigma && back.escrowed.capsule == made.escrowed.capsule);
    assert_eq!(back.escrowed.label, Label::of(&header, 5));
    let mut without = bytes.to_vec();
    without[0] = 5;
    assert!(decode(&without).is_err(), "no such version");
}
