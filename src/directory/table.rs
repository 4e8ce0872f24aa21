use std::collections::BTreeSet;

use crate::types::{Address, PeerUrl, VersionSet};

/// Which callers and keys the directory admits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Discovery on: any peer may announce itself and others.
    Open,
    /// Discovery off: configured peers only.
    ConfiguredOnly,
}

/// A member that holds a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Where it listens.
    pub url: PeerUrl,
    /// What it speaks.
    pub versions: VersionSet,
    /// It is a Celosia.
    pub celosia: bool,
}

/// Keys, and the peers that announced them.
pub struct Directory {}

impl Directory {
    /// An empty directory that will poll the configured peers.
    pub fn new(_own_url: PeerUrl, _own_keys: &[Address], _configured: Vec<PeerUrl>, _trust: Trust) -> Self {
        unimplemented!()
    }

    /// Who holds a key; `None` if nobody announced it.
    pub fn locate(&self, _key: &Address) -> Option<Member> {
        unimplemented!()
    }

    /// Every known key and where it is, our own included, sorted by key.
    pub fn keys(&self) -> Vec<(Address, PeerUrl)> {
        unimplemented!()
    }

    /// Every peer URL known, own one included.
    pub fn urls(&self) -> BTreeSet<PeerUrl> {
        unimplemented!()
    }
}
