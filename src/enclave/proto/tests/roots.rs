//! What is said of roots.

use super::*;
use crate::shred::{Destroyed, RootError, RootKind};

pub(super) fn rotation() -> Rotation {
    let destroyed = vec![Destroyed { generation: 3, word: "gone".to_owned() }];
    Rotation { from: 3, to: 4, started_at: 1, finished_at: u64::MAX, trees: 2, destroyed }
}

pub(super) fn root(last: Option<Rotation>) -> RootStatus {
    let (place, kind) = ("transit/key at https://vault".to_owned(), RootKind::Vault);
    RootStatus { kind, place, generation: 4, oldest: 4, trees: 2, punctured: 3, state_bytes: 4, since: 5, rotated_at: 6, last }
}

/// What goes wrong with a key service or a token.
pub(super) fn root_failures() -> Vec<Response> {
    let (place, why) = (|| "where".to_owned(), || "why".to_owned());
    let errors = [
        RootError::Unreachable { place: place(), why: why() },
        RootError::Sealed { place: place() },
        RootError::Denied { place: place(), why: why() },
        RootError::KeyMissing { place: place(), why: why() },
        RootError::Unfit { place: place(), why: why() },
        RootError::NoToken { place: place(), why: why() },
        RootError::Failed { place: place(), why: why() },
        RootError::OtherKind { kind: "vault".to_owned(), path: place() },
    ];
    errors.into_iter().map(|error| Response::Failed(ShredError::Root(error).into())).collect()
}
