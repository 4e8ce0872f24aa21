use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::document::{DocumentError, Head};
use super::{DocumentHash, MAX_MEMBERS, Member};
use crate::types::{MemberId, NetworkId};

/// Who is in the network. Members are sorted by id; an entry once listed stays, only its content changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Directory {
    /// What every document begins with.
    pub head: Head,
    /// The members.
    pub members: Vec<Member>,
}

/// A directory as it is written.
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
    #[serde(default)]
    members: Vec<Member>,
}

impl From<Written> for Directory {
    fn from(written: Written) -> Self {
        let Written { network, version, previous, policy, issued, members, .. } = written;
        Self { head: Head { network, version, previous, policy, issued }, members }
    }
}

impl Directory {
    /// The first line of its text.
    pub const FORMAT: &str = "celosia-directory-1";

    /// The member of an id.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.binary_search_by(|member| member.id.cmp(id)).ok().map(|at| &self.members[at])
    }

    /// Sorts what has an order.
    pub(super) fn normalise(&mut self) {
        self.members.sort_by(|a, b| a.id.cmp(&b.id));
        self.members.iter_mut().for_each(Member::normalise);
    }

    /// Rules of one directory by itself.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        self.head.check()?;
        if self.head.version == 1 {
            return Err(DocumentError::value("version", "version 1 is a policy"));
        }
        if self.members.len() > MAX_MEMBERS {
            return Err(DocumentError::value("members", "too many: at most 5000"));
        }
        self.members.iter().try_for_each(Member::check)?;
        self.check_unique()
    }

    /// Threat: a member that claims another's key or address and receives in its place.
    fn check_unique(&self) -> Result<(), DocumentError> {
        unique(&self.members, "id", |member| Some(&member.id))?;
        unique(&self.members, "address", |member| &member.addresses)?;
        unique(&self.members, "signing key", |member| &member.signing_key)?;
        unique(&self.members, "TLS pin", |member| &member.tls_pin)?;
        unique(&self.members, "endpoint", Member::endpoints)
    }
}

/// Refuses a word that two entries have. One entry may have it twice: an endpoint for two uses.
fn unique<'a, K, I>(members: &'a [Member], what: &'static str, words: impl Fn(&'a Member) -> I) -> Result<(), DocumentError>
where
    K: Eq + Hash + 'a,
    I: IntoIterator<Item = &'a K>,
{
    let mut seen: HashMap<&K, usize> = HashMap::with_capacity(members.len());
    for (at, member) in members.iter().enumerate() {
        for word in words(member) {
            let other = *seen.entry(word).or_insert(at);
            if other != at {
                return Err(DocumentError::Duplicate {
                    what,
                    first: members[other].id.to_string(),
                    second: member.id.to_string(),
                });
            }
        }
    }
    Ok(())
}
