use std::collections::BTreeMap;

use bytes::Bytes;
use celosia::types::{Address, Affected, Codec, GroupId, PayloadId, Privacy, PrivacyFlag};
use celosia::wire::privacy_group::{EncodedGroup, GroupKind, GroupState, legacy_id, lookup_id, pantheon_id};
use celosia::wire::{EncodedPayload, PartyInfo};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    vec(any::<u8>(), N).prop_map(|bytes| bytes.try_into().unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    bytes().prop_map(Address::new)
}

fn affected() -> impl Strategy<Value = Vec<Affected>> {
    let list = |map: BTreeMap<_, _>| map.into_iter().map(|(id, hash)| Affected { id: PayloadId::new(id), hash }).collect();
    btree_map(bytes(), bytes(), 0..4).prop_map(list)
}

fn privacy() -> impl Strategy<Value = Privacy> {
    let group = proptest::option::of(vec(any::<u8>(), 1..40).prop_map(GroupId));
    (0i64..4, affected(), vec(any::<u8>(), 1..50), vec(address(), 1..4), group).prop_map(
        |(flag, affected, exec_hash, mandatory, group)| {
            let flag = PrivacyFlag::from_number(flag);
            let exec_hash = if flag == PrivacyFlag::StateValidation { exec_hash } else { Vec::new() };
            let mandatory = if flag == PrivacyFlag::MandatoryRecipients { mandatory } else { Vec::new() };
            Privacy { flag, affected, exec_hash, mandatory, group }
        },
    )
}

fn payload() -> impl Strategy<Value = EncodedPayload> {
    let ciphertext = prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 65_530..65_540)];
    let keys = (address(), bytes(), bytes(), vec(bytes(), 0..5), vec(address(), 0..30));
    (ciphertext, keys, privacy()).prop_map(|(ciphertext, (sender, nonce, recipient_nonce, boxes, recipients), privacy)| {
        EncodedPayload { sender, ciphertext: ciphertext.into(), nonce, boxes, recipient_nonce, recipients, privacy }
    })
}

fn group() -> impl Strategy<Value = EncodedGroup> {
    let kind = prop_oneof![Just(GroupKind::Legacy), Just(GroupKind::Pantheon), Just(GroupKind::Resident)];
    let state = prop_oneof![Just(GroupState::Active), Just(GroupState::Deleted)];
    (".*", ".*", vec(address(), 0..5), vec(any::<u8>(), 0..30), kind, state).prop_map(
        |(name, description, members, seed, kind, state)| EncodedGroup { name, description, members, seed, kind, state },
    )
}

/// What happens to bytes on their way, seen or not.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
}

/// Whatever decodes is written and read again as the same thing.
fn stable(codec: Codec, bytes: &Bytes) {
    if let Ok(read) = EncodedPayload::decode(codec, bytes) {
        assert_eq!(read.privacy.check(), Ok(()));
        for codec in [Codec::Legacy, Codec::Cbor] {
            assert_eq!(EncodedPayload::decode(codec, &read.encode(codec)).as_ref(), Ok(&read));
        }
    }
}

proptest! {
    #[test]
    fn payloads_come_back_in_both_codecs(payload in payload()) {
        for codec in [Codec::Legacy, Codec::Cbor] {
            assert_eq!(EncodedPayload::decode(codec, &payload.encode(codec)).as_ref(), Ok(&payload));
        }
    }

    #[test]
    fn damaged_payloads_are_read_as_one_thing_or_refused(payload in payload(), damage in damage(), end: prop::sample::Index) {
        for codec in [Codec::Legacy, Codec::Cbor] {
            let mut bytes = payload.encode(codec).to_vec();
            for (at, value) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            stable(codec, &bytes.clone().into());
            bytes.truncate(end.index(bytes.len()));
            stable(codec, &bytes.into());
        }
    }

    #[test]
    fn announcements_come_back(url in ".*", recipients in vec((address(), ".*"), 0..5), parties in vec(".*", 0..5)) {
        let info = PartyInfo { url, recipients, parties };
        prop_assert_eq!(PartyInfo::decode(&info.encode()), Ok(info));
    }

    #[test]
    fn groups_come_back_and_their_ids_do_not_depend_on_order(group in group(), turn: prop::sample::Index) {
        let mut members = group.members.clone();
        if !members.is_empty() {
            members.rotate_left(turn.index(group.members.len()));
            members.push(members[0]);
        }
        prop_assert_eq!(legacy_id(&members), legacy_id(&group.members));
        prop_assert_eq!(lookup_id(&members), lookup_id(&group.members));
        let id = pantheon_id(&members, &group.seed);
        prop_assert_ne!(&id, &pantheon_id(&members, &[group.seed.as_slice(), b"x"].concat()));
        prop_assert_eq!(id, pantheon_id(&group.members, &group.seed));
        prop_assert_eq!(EncodedGroup::decode(&group.encode()), Ok(group));
    }

    #[test]
    fn random_bytes_panic_nobody(bytes in vec(any::<u8>(), 0..200)) {
        let _ = (PartyInfo::decode(&bytes), EncodedGroup::decode(&bytes));
        let bytes = Bytes::from(bytes);
        stable(Codec::Legacy, &bytes);
        stable(Codec::Cbor, &bytes);
    }
}
