//! What is said of blocked records.

use super::*;
use crate::crypto::threshold::Capsule;
use crate::enclave::HoldShare;

pub(super) fn hold_release() -> HoldRelease {
    HoldRelease {
        envelope: head(),
        label: b"label".to_vec(),
        one_time: BoxKey::new([1; 32]),
        shares: vec![HoldShare { verifying: group_key(), sealed: Bytes::from_static(b"share") }],
    }
}

pub(super) fn group_key() -> GroupKey {
    KeyShare::new(1, Secret::from_slice(&[1; 32]).expect("32 bytes")).expect("a scalar").verifying()
}

pub(super) fn hold_lock() -> HoldLock {
    let secret = || Secret::from_slice(&[1; 32]).expect("32 bytes");
    HoldLock { committee: group_key(), capsule: Capsule::make(&Prepared::new(&group_key()), &secret(), &secret(), b"label") }
}
