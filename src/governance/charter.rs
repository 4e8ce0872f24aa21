use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::document::hash;
use super::former::{Former, Sent};
use super::signers::{Signers, with_lines};
use super::{
    CLOCK_SKEW, ChainError, Delta, DeltaError, Directory, Document, DocumentHash, Governor, Head, MAX_CHANGES, Members, Policy,
    Refusal, committee,
};
use crate::crypto::sign::VerifyKey;
use crate::translog::note::{Note, NoteSignature};
use crate::types::{Address, MemberId, NetworkId};

/// A document that bears enough signatures, and those of its governors alone.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    /// What it says.
    pub content: T,
    /// The text and its signatures.
    pub note: Note,
    /// SHA-256 of the text.
    pub hash: DocumentHash,
}

/// What became of a document that is not refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is known, signatures and all.
    Known,
    /// It is known, and some of its signatures were not.
    Merged,
    /// It is in force now.
    New {
        /// Signers that counted for nothing: no governors, or the signature does not verify.
        ignored: Vec<String>,
    },
}

/// What a node is on: every policy, the newest directory. It only ever goes forward.
#[derive(Clone, Debug)]
pub struct Charter {
    newest: Head,
    policies: BTreeMap<u64, Arc<Signed<Policy>>>,
    current: Arc<Signed<Policy>>,
    directory: Option<Arc<Signed<Directory>>>,
    members: Arc<Members>,
    former: Arc<Former>,
    hashes: BTreeMap<u64, DocumentHash>,
}

impl Charter {
    /// Begins a network with its version 1, a policy signed by enough of its governors.
    pub fn begin(note: &Note) -> Result<Self, Refusal> {
        let document = Document::of_note(note)?;
        let (kind, version) = (document.kind(), document.head().version);
        let Document::Policy(policy) = document else { return Err(Refusal::NotGenesis { kind, version }) };
        if version != 1 {
            return Err(Refusal::NotGenesis { kind, version });
        }
        let signers = Signers::of(note, &policy.governors);
        check_quorum(&signers, note, &policy)?;
        let (note, hash) = (with_lines(note, signers.lines()), hash(note.text()));
        let current = Arc::new(Signed { content: policy, note, hash });
        Ok(Self {
            newest: current.content.head,
            policies: BTreeMap::from([(1, Arc::clone(&current))]),
            current,
            directory: None,
            members: Arc::default(),
            former: Arc::default(),
            hashes: BTreeMap::from([(1, hash)]),
        })
    }

    /// Takes a document, or says why not. A refused one changes nothing. `now` is the node's clock.
    pub fn accept(&mut self, note: &Note, now: Timestamp) -> Result<Accepted, Refusal> {
        self.accept_read(Document::of_note(note)?, note, now)
    }

    /// Takes the directory that a change makes of the newest one, as [`Charter::accept`]. What it says is checked, and not read anew.
    pub(super) fn accept_change(&mut self, delta: &Delta, now: Timestamp) -> Result<Accepted, ChainError> {
        let newest = self.directory.as_ref().ok_or(DeltaError::Target)?;
        let (document, note) = delta.applied(newest)?;
        if let Document::Directory(directory) = &document {
            directory.check().map_err(Refusal::from)?;
        }
        Ok(self.accept_read(document, &note, now)?)
    }

    /// Takes what was read of a note.
    fn accept_read(&mut self, document: Document, note: &Note, now: Timestamp) -> Result<Accepted, Refusal> {
        let head = *document.head();
        if head.network == self.network() && head.version <= self.version() {
            return self.again(&document, note);
        }
        self.check_force(&head)?;
        let signers = Signers::of(note, &self.current.content.governors);
        let own = Signers::of(note, own_governors(&document));
        if let Document::Policy(policy) = &document {
            check_change(&signers, &own, note, &self.current.content, policy)?;
        } else {
            check_quorum(&signers, note, &self.current.content)?;
        }
        self.check_place(&head, now)?;
        self.check_content(&document)?;
        let ignored = ignored(&signers, &own, note);
        let kept = with_lines(note, signers.lines().chain(own.lines()));
        self.install(document, kept);
        Ok(Accepted::New { ignored })
    }

    /// Whether a governor of the policy in force signed it, whatever it says.
    pub fn is_signed_by_any(&self, note: &Note) -> bool {
        Signers::of(note, &self.current.content.governors).count() > 0
    }

    /// Whether a document would be accepted if it bore enough signatures: what a governor asks before signing.
    pub fn fits(&self, document: &Document, now: Timestamp) -> Result<(), Refusal> {
        let head = document.head();
        self.check_force(head)?;
        if head.version <= self.version() {
            return Err(Refusal::Rollback { have: self.version(), got: head.version });
        }
        self.check_place(head, now)?;
        self.check_content(document)
    }

    /// The network.
    pub fn network(&self) -> NetworkId {
        self.newest.network
    }

    /// The version that this node is on.
    pub fn version(&self) -> u64 {
        self.newest.version
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.current.content
    }

    /// Version of the policy in force.
    pub fn policy_version(&self) -> u64 {
        self.current.content.head.version
    }

    /// The policy of a version, in force or superseded.
    pub fn policy_of(&self, version: u64) -> Option<&Arc<Signed<Policy>>> {
        self.policies.get(&version)
    }

    /// What a version of the policy says; the newest, where that one was never seen.
    pub fn policy_under(&self, version: u64) -> &Policy {
        self.policy_of(version).map_or(self.policy(), |signed| &signed.content)
    }

    /// All policies, the oldest first.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<Signed<Policy>>> {
        self.policies.values()
    }

    /// The newest directory.
    pub fn directory(&self) -> Option<&Arc<Signed<Directory>>> {
        self.directory.as_ref()
    }

    /// The members of the newest directory; empty before the first.
    pub fn members(&self) -> &Arc<Members> {
        &self.members
    }

    /// Keys that a member's node may have signed something with that is dated `time`, in milliseconds since the Unix epoch: the newest
    /// directory's first, then those of the directories that were seen before it and in force then.
    ///
    /// A former key counts until the directory without it was issued, and for the grace of the policy that this one names: it is signed and
    /// brought to its member after that date. Threat: whoever stole a key that was replaced goes on signing. What is fresh is taken under
    /// the newest key alone, and what is shown later has a date.
    pub fn signing_keys(&self, member: &MemberId, time: u64) -> Vec<VerifyKey> {
        let newest = self.members.by_id(member).and_then(|member| member.signing_key);
        newest.into_iter().chain(self.former.keys(member, time)).collect()
    }

    /// Whose an address was at a time, in milliseconds since the Unix epoch, as far as directories were seen.
    ///
    /// Threat: who takes over an address would be a party to what was sent to it before. The first to lose it after that time had it then.
    pub fn owner_of(&self, address: &Address, time: u64) -> Option<&MemberId> {
        let newest = || self.members.by_address(address).map(|member| &member.id);
        let last = || self.former.last_owner(address).filter(|(_, taken)| time < *taken).map(|(member, _)| member);
        self.former.owner(address, time).or_else(newest).or_else(last)
    }

    /// Whose an address is, or was last in a directory that was seen before.
    pub fn last_owner_of(&self, address: &Address) -> Option<&MemberId> {
        let last = || self.former.last_owner(address).map(|(member, _)| member);
        self.members.by_address(address).map(|member| &member.id).or_else(last)
    }

    /// The directories of [`Charter::documents`].
    pub(super) fn directories(&self, since: u64) -> Vec<(u64, Sent)> {
        self.directory.as_ref().map_or_else(Vec::new, |newest| self.former.directories(since, newest))
    }

    /// Hash of the document of a version, where it was seen.
    pub fn hash_of(&self, version: u64) -> Option<&DocumentHash> {
        self.hashes.get(&version)
    }

    /// The newest document of all.
    pub fn newest(&self) -> (&Head, DocumentHash) {
        (&self.newest, self.hashes.get(&self.version()).copied().unwrap_or(self.current.hash))
    }

    /// What a node on `version` lacks, in the order in which it can take it: policies, and the newest directory.
    pub fn after(&self, version: u64) -> Vec<&Note> {
        let policies = self.policies.values().map(|signed| (signed.content.head.version, &signed.note));
        let directory = self.directory.iter().map(|signed| (signed.content.head.version, &signed.note));
        let mut notes: Vec<_> = policies.chain(directory).filter(|(of, _)| *of > version).collect();
        notes.sort_by_key(|(of, _)| *of);
        notes.into_iter().map(|(_, note)| note).collect()
    }

    /// A version that is not newer: known, a fork, or a rollback.
    fn again(&mut self, document: &Document, note: &Note) -> Result<Accepted, Refusal> {
        let head = document.head();
        let rollback = Refusal::Rollback { have: self.version(), got: head.version };
        let Some(ours) = self.hashes.get(&head.version).copied() else { return Err(rollback) };
        let theirs = hash(note.text());
        let Some(force) = self.policies.get(&head.policy.unwrap_or(1)).cloned() else { return Err(rollback) };
        let signers = Signers::of(note, &force.content.governors);
        if ours != theirs {
            // Threat: anybody cries fork. It is one if a quorum signed it.
            check_quorum(&signers, note, &force.content)?;
            return Err(Refusal::Fork { version: head.version, ours, theirs });
        }
        let own = Signers::of(note, own_governors(document));
        let lines: Vec<&NoteSignature> = signers.lines().chain(own.lines()).collect();
        let merged = if let Some(known) = self.policies.get_mut(&head.version) {
            let merged = merge(known, &lines);
            if head.version == self.current.content.head.version {
                self.current = Arc::clone(known);
            }
            merged
        } else {
            self.directory.as_mut().filter(|known| known.hash == ours).is_some_and(|known| merge(known, &lines))
        };
        Ok(if merged { Accepted::Merged } else { Accepted::Known })
    }

    /// Rules of the place in the chain: what it follows, and when.
    fn check_place(&self, head: &Head, now: Timestamp) -> Result<(), Refusal> {
        let (version, (newest, ours)) = (head.version, self.newest());
        if let Some(theirs) = head.previous.filter(|theirs| version == newest.version + 1 && *theirs != ours) {
            return Err(Refusal::Fork { version: newest.version, ours, theirs });
        }
        if head.issued < newest.issued {
            return Err(Refusal::IssuedBeforePrevious { version, issued: head.issued, previous: newest.issued });
        }
        let by = head.issued.duration_since(now);
        if by > SignedDuration::from_secs(CLOCK_SKEW) {
            return Err(Refusal::IssuedInTheFuture { version, by: SignedDuration::from_secs(by.as_secs()) });
        }
        Ok(())
    }

    /// It is of this network, and made under the policy in force.
    fn check_force(&self, head: &Head) -> Result<(), Refusal> {
        let (named, current) = (head.policy.unwrap_or_default(), self.policy_version());
        if head.network != self.network() {
            Err(Refusal::WrongNetwork { ours: self.network(), theirs: head.network })
        } else if named > self.version() {
            Err(Refusal::MissingPolicy(named))
        } else if named != current {
            Err(Refusal::PolicyNotInForce { named, current })
        } else {
            Ok(())
        }
    }

    /// Rules of what changes: no other genesis, no member missing, no committee another.
    fn check_content(&self, document: &Document) -> Result<(), Refusal> {
        let version = document.head().version;
        match document {
            Document::Policy(policy) if policy.genesis != self.current.content.genesis => {
                Err(Refusal::GenesisChanged { version })
            }
            Document::Policy(policy) => committee::check_change(version, &self.current.content.committees, &policy.committees),
            Document::Directory(directory) => {
                let mut listed = self.directory.iter().flat_map(|known| &known.content.members);
                if let Some(missing) = listed.find(|member| directory.member(&member.id).is_none()) {
                    return Err(Refusal::MemberRemoved { version, member: missing.id.clone() });
                }
                // Threat: one member changes its addresses for ever, and everybody keeps, and every auditor is sent, what it had.
                let newest = self.directory.as_ref();
                match newest.and_then(|known| self.former.too_often(&known.content, directory)) {
                    Some(member) => Err(Refusal::TooManyChanges { version, member: member.clone(), most: MAX_CHANGES }),
                    None => Ok(()),
                }
            }
        }
    }

    fn install(&mut self, document: Document, note: Note) {
        let (head, hash) = (*document.head(), hash(note.text()));
        match document {
            Document::Policy(policy) => {
                self.current = Arc::new(Signed { content: policy, note, hash });
                self.policies.insert(head.version, Arc::clone(&self.current));
            }
            Document::Directory(directory) => {
                let signed = Arc::new(Signed { content: directory, note, hash });
                if let Some(old) = &self.directory {
                    let grace = self.current.content.grace.duration().as_secs().max(CLOCK_SKEW.unsigned_abs());
                    Arc::make_mut(&mut self.former).note(old, &signed, grace.saturating_mul(1000));
                }
                self.members = Arc::new(Members::new(Arc::clone(&signed)));
                self.directory = Some(signed);
            }
        }
        self.newest = head;
        self.hashes.insert(head.version, hash);
    }
}

/// Adds the lines of signers that have none yet. One line each: a governor's second signature says nothing new.
fn merge<T: Clone>(known: &mut Arc<Signed<T>>, lines: &[&NoteSignature]) -> bool {
    let has = |line: &NoteSignature| known.note.signatures().iter().any(|has| has.name == line.name && has.key_id == line.key_id);
    let fresh: Vec<_> = lines.iter().filter(|line| !has(line)).collect();
    let is_more = !fresh.is_empty();
    if is_more {
        let known = Arc::make_mut(known);
        for line in fresh {
            known.note.add((*line).clone());
        }
    }
    is_more
}

/// Governors of a policy; of a directory none.
fn own_governors(document: &Document) -> &[Governor] {
    match document {
        Document::Policy(policy) => &policy.governors,
        Document::Directory(_) => &[],
    }
}

/// k of n of the policy in force.
fn check_quorum(signers: &Signers<'_>, note: &Note, force: &Policy) -> Result<(), Refusal> {
    let (need, valid, of) = (force.threshold, signers.count(), force.governors.len() as u64);
    if valid >= need { Ok(()) } else { Err(Refusal::TooFewSignatures { need, valid, of, ignored: signers.ignored(note) }) }
}

/// A policy: k of n in force, and k' of its own n'.
fn check_change(old: &Signers<'_>, new: &Signers<'_>, note: &Note, force: &Policy, policy: &Policy) -> Result<(), Refusal> {
    let (version, need, valid, of) = (policy.head.version, policy.threshold, new.count(), policy.governors.len() as u64);
    let lacks_new = valid < need;
    let missing_new = Refusal::MissingNewGovernors { version, need, valid, of };
    match check_quorum(old, note, force) {
        Ok(()) if lacks_new => Err(missing_new),
        Ok(()) => Ok(()),
        Err(Refusal::TooFewSignatures { need, valid, of, .. }) if !lacks_new => {
            Err(Refusal::LoweredWithoutOldQuorum { version, need, valid, of })
        }
        Err(too_few) => Err(too_few),
    }
}

fn ignored(old: &Signers<'_>, new: &Signers<'_>, note: &Note) -> Vec<String> {
    let of_new = new.ignored(note);
    old.ignored(note).into_iter().filter(|name| of_new.contains(name)).collect()
}

#[cfg(test)]
mod tests;
