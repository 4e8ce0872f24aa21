use celosia::wire::DecodeError;
use celosia::wire::privacy_group::{EncodedGroup, GroupKind, GroupState};

fn group(kind: GroupKind, state: GroupState) -> EncodedGroup {
    let members = vec![celosia::types::Address::new([3; 32])];
    EncodedGroup { name: "n".into(), description: "d".into(), members, seed: vec![1, 2], kind, state }
}

#[test]
fn every_kind_and_state_comes_back() {
    for kind in [GroupKind::Legacy, GroupKind::Pantheon, GroupKind::Resident] {
        for state in [GroupState::Active, GroupState::Deleted] {
            let group = group(kind, state);
            assert_eq!(EncodedGroup::decode(&group.encode()), Ok(group));
        }
    }
}

#[test]
fn a_group_that_is_cut_off_is_refused() {
    let whole = group(GroupKind::Pantheon, GroupState::Active).encode();
    for end in 0..whole.len() {
        assert!(matches!(EncodedGroup::decode(&whole[..end]), Err(DecodeError::Truncated(_))), "{end}");
    }
}

#[test]
fn an_unknown_kind_or_state_is_refused() {
    let whole = group(GroupKind::Pantheon, GroupState::Active).encode();
    for (word, field) in [(b"PANTHEON".as_slice(), "type"), (b"ACTIVE", "state")] {
        let mut altered = whole.to_vec();
        let at = altered.windows(word.len()).position(|window| window == word).unwrap();
        altered[at] = b'X';
        assert_eq!(EncodedGroup::decode(&altered), Err(DecodeError::Value(field)));
    }
}
