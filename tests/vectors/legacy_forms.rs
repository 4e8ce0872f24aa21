use bytes::Bytes;
use celosia::types::{Affected, Codec, GroupId, PayloadId, Privacy, PrivacyFlag, PrivacyRuleError};
use celosia::wire::{DecodeError, EncodedPayload, PartyInfo};

use super::data::{hex, spec};

fn vector(name: &str) -> EncodedPayload {
    EncodedPayload::decode(Codec::Legacy, &hex(&spec()["payloads"][name]).into()).unwrap()
}

fn decode(bytes: &[u8]) -> Result<EncodedPayload, DecodeError> {
    EncodedPayload::decode(Codec::Legacy, &Bytes::copy_from_slice(bytes))
}

/// Bytes up to and with the recipient nonce (Constellation) and the recipients (Tessera before privacy enhancements).
fn old_ends(payload: &EncodedPayload) -> (usize, usize) {
    let constellation = 40 + 8 + payload.ciphertext.len() + 32 + 8 + 56 * payload.boxes.len() + 32;
    (constellation, constellation + 8 + 40 * payload.recipients.len())
}

#[test]
fn each_truncation_is_an_older_form_or_cut_off() {
    for name in ["legacy_standard", "legacy_state_validation", "legacy_mandatory_in_group"] {
        let payload = vector(name);
        let whole = payload.encode(Codec::Legacy);
        let (constellation, before_flags) = old_ends(&payload);
        let without_group = whole.len() - payload.privacy.group.as_ref().map_or(0, |id| 8 + id.0.len());
        let before_exec_hash = whole.len() - 8 - payload.privacy.exec_hash.len();
        for end in 0..whole.len() {
            let older = EncodedPayload { privacy: Privacy::default(), ..payload.clone() };
            let expected = if end == constellation {
                Ok(EncodedPayload { recipients: Vec::new(), ..older })
            } else if end == before_flags {
                Ok(older)
            } else if end == without_group {
                Ok(EncodedPayload { privacy: Privacy { group: None, ..payload.privacy.clone() }, ..payload.clone() })
            } else if name == "legacy_state_validation" && end == before_exec_hash {
                Err(Some(PrivacyRuleError::ExecHash))
            } else if name == "legacy_mandatory_in_group" && end == before_flags + 17 {
                Err(Some(PrivacyRuleError::Mandatory))
            } else {
                Err(None)
            };
            match (decode(&whole[..end]), expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{name} {end}"),
                (Err(DecodeError::Truncated(_)), Err(None)) => {}
                (Err(DecodeError::Privacy(error)), Err(Some(expected))) => assert_eq!(error, expected),
                (read, expected) => panic!("{name} cut at {end}: {read:?} where {expected:?} is due"),
            }
        }
    }
}

#[test]
fn an_announcement_that_is_cut_off_is_refused() {
    let whole = hex(&spec()["party_info"]);
    for end in 0..whole.len() {
        assert!(matches!(PartyInfo::decode(&whole[..end]), Err(DecodeError::Truncated(_))), "{end}");
    }
    assert_eq!(PartyInfo::decode(&[whole.as_slice(), b"more"].concat()), PartyInfo::decode(&whole));
}

#[test]
fn bytes_after_the_group_are_ignored_and_an_empty_group_is_none() {
    let payload = vector("legacy_mandatory_in_group");
    let longer = [&payload.encode(Codec::Legacy)[..], b"anything"].concat();
    assert_eq!(decode(&longer), Ok(payload));
    let standard = vector("legacy_standard");
    assert_eq!(decode(&[&standard.encode(Codec::Legacy)[..], &[0; 8]].concat()), Ok(standard));
}

#[test]
fn a_flag_that_nobody_has_counts_as_standard() {
    let payload = vector("legacy_standard");
    let mut bytes = payload.encode(Codec::Legacy).to_vec();
    let flag = bytes.len() - 9;
    for number in [4, 0x7f, 0x80, 0xff] {
        bytes[flag] = number;
        assert_eq!(decode(&bytes), Ok(payload.clone()));
    }
    bytes[flag] = 1;
    assert_eq!(decode(&bytes).unwrap().privacy.flag, PrivacyFlag::PartyProtection);
}

#[test]
fn a_group_comes_back_with_each_flag() {
    for name in ["legacy_standard", "legacy_state_validation", "legacy_mandatory"] {
        let mut payload = vector(name);
        payload.privacy.group = Some(GroupId(b"a name".to_vec()));
        assert_eq!(decode(&payload.encode(Codec::Legacy)), Ok(payload));
    }
}

/// The first byte of each length that must be exact, and the name that the error gives.
#[test]
fn lengths_that_a_field_cannot_have_are_named() {
    let payload = vector("legacy_state_validation");
    let whole = payload.encode(Codec::Legacy);
    let nonce = 40 + 8 + payload.ciphertext.len();
    let (constellation, before_flags) = old_ends(&payload);
    for (at, field) in [
        (0, "sender"),
        (nonce, "cipherTextNonce"),
        (nonce + 40, "recipientBoxes"),
        (constellation - 32, "recipientNonce"),
        (constellation + 8, "recipientKeys"),
        (before_flags, "privacyFlag"),
        (before_flags + 17, "affected transaction hash"),
        (before_flags + 17 + 72, "security hash"),
    ] {
        let mut bytes = whole.to_vec();
        bytes[at + 7] -= 1;
        assert_eq!(decode(&bytes), Err(DecodeError::Length(field)));
        bytes[at] = 0x80;
        assert_eq!(decode(&bytes), Err(DecodeError::Length(field)));
        bytes[at..at + 8].copy_from_slice(&(-1i64).to_be_bytes());
        assert_eq!(decode(&bytes), Err(DecodeError::Length(field)));
    }
}

#[test]
fn counts_beyond_the_input_are_refused_before_anything_is_allocated() {
    let payload = vector("legacy_standard");
    let (constellation, before_flags) = old_ends(&payload);
    let whole = payload.encode(Codec::Legacy);
    for (at, field) in [
        (constellation - 32 - 64, "recipientBoxes"),
        (constellation, "recipientKeys"),
        (before_flags + 9, "affectedContractTransactions"),
    ] {
        let mut bytes = whole.to_vec();
        bytes[at..at + 8].copy_from_slice(&i64::from(i32::MAX).to_be_bytes());
        assert_eq!(decode(&bytes), Err(DecodeError::Truncated(field)));
    }
}

#[test]
fn an_affected_transaction_that_is_there_twice_is_refused() {
    let mut payload = vector("legacy_standard");
    let affected = |id, hash| Affected { id: PayloadId::new([id; 64]), hash: [hash; 64] };
    payload.privacy.affected = vec![affected(1, 1), affected(2, 2), affected(1, 3)];
    for codec in [Codec::Legacy, Codec::Cbor] {
        let read = EncodedPayload::decode(codec, &payload.encode(codec));
        assert_eq!(read, Err(DecodeError::Duplicate("affected transaction hash")));
    }
}
