use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::document::{DocumentError, Head, is_printable};
use super::member::NAME;
use super::{ClassRule, Committee, Contract, DocumentHash, MAX_COMMITTEES, MAX_GOVERNORS, MAX_SCOPES, Purpose, Scope, Span};
use super::{committee, print};
use crate::crypto::hash::sha256;
use crate::crypto::sign::VerifyKey;
use crate::translog::note::{NoteError, NoteKey};
use crate::types::{Class, MemberId, NetworkId};

/// What the id of a network is the digest of, before its genesis table.
const NETWORK: &[u8] = b"celosia network 1\n";

/// Who signs documents: a name and a key, as a note's verifier key `name+hash+base64`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Governor(NoteKey);

impl Governor {
    /// Longest name, in bytes.
    pub const MAX_NAME: usize = 64;

    /// A governor of a name and a key. The name is ASCII without space, plus, quote and backslash.
    pub fn new(name: &str, key: VerifyKey) -> Result<Self, NoteError> {
        let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'+' | b'"' | b'\\');
        if name.is_empty() || name.len() > Self::MAX_NAME || !name.bytes().all(is_good) {
            return Err(NoteError::VerifierKey);
        }
        Ok(Self(NoteKey { name: name.to_owned(), key }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key.
    pub fn key(&self) -> &VerifyKey {
        &self.0.key
    }
}

impl FromStr for Governor {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let key: NoteKey = text.parse()?;
        Self::new(&key.name, key.key)
    }
}

impl fmt::Display for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

crate::types::as_text!(Governor);

/// What a network began with. Its digest is the network's id, so it stands unchanged in every policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Genesis {
    /// The network's name, for people.
    pub name: String,
    /// Random: two networks of one name and the same governors are two.
    pub nonce: DocumentHash,
    /// Signatures needed at the beginning.
    pub threshold: u64,
    /// Governors at the beginning. Sorted by name.
    pub governors: Vec<Governor>,
}

impl Genesis {
    /// The id of the network that begins with this.
    pub fn network_id(&self) -> NetworkId {
        NetworkId::new(sha256(&[NETWORK, print::genesis(self).as_bytes()]))
    }
}

/// The rules of the four classes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// Of `public`.
    pub public: ClassRule,
    /// Of `business`.
    pub business: ClassRule,
    /// Of `personal`.
    pub personal: ClassRule,
    /// Of `special`.
    pub special: ClassRule,
}

/// The rules of the network, those of changing them included.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// What every document begins with.
    pub head: Head,
    /// Signatures that a document needs: more than half of the governors.
    pub threshold: u64,
    /// Who signs from now on. Sorted by name.
    pub governors: Vec<Governor>,
    /// How long headers under the policy before are taken.
    pub grace: Span,
    /// What the network began with.
    pub genesis: Genesis,
    /// The rules of each class.
    pub classes: Classes,
    /// Supervision. In order.
    pub scopes: Vec<Scope>,
    /// Who opens what on a mandate. Sorted by purpose and epoch.
    pub committees: Vec<Committee>,
}

/// A policy as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
    #[serde(rename = "format")]
    _format: IgnoredAny,
    network: NetworkId,
    version: u64,
    previous: Option<DocumentHash>,
    policy: Option<u64>,
    issued: Timestamp,
    threshold: u64,
    governors: Vec<Governor>,
    grace: Span,
    genesis: Genesis,
    classes: Classes,
    #[serde(default)]
    scopes: Vec<Scope>,
    #[serde(default)]
    committees: Vec<Committee>,
}

impl From<Written> for Policy {
    fn from(written: Written) -> Self {
        let Written { network, version, previous, policy, issued, .. } = written;
        let Written { threshold, governors, grace, genesis, classes, scopes, committees, .. } = written;
        let head = Head { network, version, previous, policy, issued };
        Self { head, threshold, governors, grace, genesis, classes, scopes, committees }
    }
}

impl Policy {
    /// The first line of its text.
    pub const FORMAT: &str = "celosia-policy-1";

    /// The rule of a class.
    pub const fn rule(&self, class: Class) -> &ClassRule {
        match class {
            Class::Public => &self.classes.public,
            Class::Business => &self.classes.business,
            Class::Personal => &self.classes.personal,
            Class::Special => &self.classes.special,
        }
    }

    /// The first scope that a payload falls into.
    pub fn supervision(&self, sender: &MemberId, contract: Option<&Contract>, class: Class) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.covers(sender, contract, class))
    }

    /// The committee whose key new capsules are made for: the highest epoch.
    pub fn escrow(&self) -> Option<&Committee> {
        self.committees.iter().filter(|committee| committee.purpose == Purpose::Escrow).max_by_key(|committee| committee.epoch)
    }

    /// The committee of a purpose and an epoch.
    pub fn committee(&self, purpose: Purpose, epoch: u64) -> Option<&Committee> {
        self.committees.iter().find(|committee| committee.purpose == purpose && committee.epoch == epoch)
    }

    /// Sorts what has an order.
    pub(super) fn normalise(&mut self) {
        for governors in [&mut self.governors, &mut self.genesis.governors] {
            governors.sort_by(|a, b| a.name().cmp(b.name()));
        }
        let Classes { public, business, personal, special } = &mut self.classes;
        [public, business, personal, special].into_iter().for_each(ClassRule::normalise);
        self.scopes.iter_mut().for_each(Scope::normalise);
        self.committees.sort_by_key(|committee| (committee.purpose, committee.epoch));
        self.committees.iter_mut().for_each(|committee| committee.officers.sort_by_key(|officer| officer.index));
    }

    /// Rules of one policy by itself.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        self.head.check()?;
        if !is_printable(&self.genesis.name) {
            return Err(DocumentError::value("genesis.name", NAME));
        }
        check_quorum("governors", self.threshold, &self.governors)?;
        check_quorum("genesis.governors", self.genesis.threshold, &self.genesis.governors)?;
        Class::ALL.into_iter().try_for_each(|class| self.rule(class).check(class))?;
        if self.scopes.len() > MAX_SCOPES {
            return Err(DocumentError::value("scopes", "too many: at most 256"));
        }
        if self.committees.len() > MAX_COMMITTEES {
            return Err(DocumentError::value("committees", "too many: at most 64"));
        }
        committee::check(&self.committees)?;
        let has_escrow = self.escrow().is_some();
        self.scopes.iter().enumerate().try_for_each(|(at, scope)| scope.check(at, has_escrow))?;
        if self.genesis.network_id() != self.head.network {
            return Err(DocumentError::Genesis);
        }
        let is_first = self.threshold == self.genesis.threshold && self.governors == self.genesis.governors;
        if self.head.version == 1 && !is_first {
            return Err(DocumentError::value("governors", "version 1 has the governors and the threshold of its genesis table"));
        }
        Ok(())
    }
}

/// More than half, so that two quorums share a governor; no name or key twice, so that nobody signs for two.
fn check_quorum(field: &str, threshold: u64, governors: &[Governor]) -> Result<(), DocumentError> {
    let of = governors.len() as u64;
    if governors.is_empty() || governors.len() > MAX_GOVERNORS {
        return Err(DocumentError::value(field, "1 to 64 governors"));
    }
    if threshold <= of / 2 || threshold > of {
        return Err(DocumentError::Threshold { threshold, of });
    }
    let (mut names, mut keys) = (HashSet::new(), HashSet::new());
    for governor in governors {
        if !names.insert(governor.name()) {
            return Err(duplicate("governor name", governor, governors, |a, b| a.name() == b.name()));
        }
        if !keys.insert(governor.key()) {
            return Err(duplicate("governor key", governor, governors, |a, b| a.key() == b.key()));
        }
    }
    Ok(())
}

fn duplicate(
    what: &'static str,
    second: &Governor,
    all: &[Governor],
    is_same: impl Fn(&Governor, &Governor) -> bool,
) -> DocumentError {
    let first = all.iter().find(|other| is_same(other, second)).unwrap_or(second);
    DocumentError::Duplicate { what, first: first.name().to_owned(), second: second.name().to_owned() }
}
