use jiff::{SignedDuration, Timestamp};

use super::{DocumentError, DocumentHash};
use crate::types::{Code, Coded, MemberId, NetworkId};

/// Why a document is not accepted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is none.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A committee that is another one under the same name.
    #[error(
        "version {version} changes {what} in committee {committee}: a new key is a new epoch, other shares are a new generation"
    )]
    CommitteeChanged {
        /// The policy.
        version: u64,
        /// Purpose and epoch.
        committee: String,
        /// What changed.
        what: &'static str,
    },
    /// A committee is no longer listed.
    #[error("version {version} does not list committee {committee}: what was sealed for its key is opened by it alone")]
    CommitteeRemoved {
        /// The policy.
        version: u64,
        /// Purpose and epoch.
        committee: String,
    },
    /// Another document of this version is known, and both bear enough signatures. Governors signed twice: an incident, not an accident.
    #[error("a fork at version {version}: {ours} is known here, {theirs} is claimed; ask the governors who signed both")]
    Fork {
        /// Where the two part.
        version: u64,
        /// Hash of the document known here.
        ours: DocumentHash,
        /// Hash of the other.
        theirs: DocumentHash,
    },
    /// A policy with another genesis table.
    #[error("version {version} changes the genesis table: it stays as it is for ever")]
    GenesisChanged {
        /// The policy.
        version: u64,
    },
    /// Written before the document that it follows.
    #[error("version {version} is issued at {issued}, before the version that it follows ({previous})")]
    IssuedBeforePrevious {
        /// The document.
        version: u64,
        /// When it says that it was written.
        issued: Timestamp,
        /// When the newest one known was.
        previous: Timestamp,
    },
    /// Written after now.
    #[error(
        "version {version} is issued {by:#} in the future: this clock or the governors' is wrong; compare both with a time server"
    )]
    IssuedInTheFuture {
        /// The document.
        version: u64,
        /// How far.
        by: SignedDuration,
    },
    /// A policy that changes governors or threshold without the governors in force.
    #[error(
        "version {version} changes who governs, and {valid} of the {of} governors in force sign where {need} are needed: a threshold is lowered by the old quorum alone"
    )]
    LoweredWithoutOldQuorum {
        /// The policy.
        version: u64,
        /// Signatures needed of the governors in force.
        need: u64,
        /// Valid ones.
        valid: u64,
        /// Governors in force.
        of: u64,
    },
    /// A member is no longer listed.
    #[error("version {version} does not list the member {member}: an entry is never removed, set its state to expelled")]
    MemberRemoved {
        /// The directory.
        version: u64,
        /// Who is missing.
        member: MemberId,
    },
    /// A policy that its own new governors did not sign.
    #[error(
        "version {version} is signed by {valid} of its own {of} governors, {need} are needed: they must show that they hold their keys"
    )]
    MissingNewGovernors {
        /// The policy.
        version: u64,
        /// Signatures needed of its own governors.
        need: u64,
        /// Valid ones.
        valid: u64,
        /// Its governors.
        of: u64,
    },
    /// A policy in between is not known here.
    #[error("it builds on policy version {0}, which is not known here: bring that document first")]
    MissingPolicy(u64),
    /// The first document is not version 1.
    #[error("a network begins with version 1, a policy; this is a {kind} of version {version}")]
    NotGenesis {
        /// Its kind.
        kind: &'static str,
        /// Its version.
        version: u64,
    },
    /// Made under a policy that is not the one in force.
    #[error("it is made under policy version {named}, and version {current} is in force: propose it anew")]
    PolicyNotInForce {
        /// The policy that it names.
        named: u64,
        /// The one in force.
        current: u64,
    },
    /// Not newer than what is known.
    #[error("version {got} is not newer than version {have}, which is known here: a rollback")]
    Rollback {
        /// The newest one known.
        have: u64,
        /// Its version.
        got: u64,
    },
    /// Not enough of the governors in force.
    #[error("{valid} valid signatures of the {of} governors in force, {need} are needed{}", but(.ignored))]
    TooFewSignatures {
        /// Signatures needed.
        need: u64,
        /// Valid ones.
        valid: u64,
        /// Governors in force.
        of: u64,
        /// Signers that count for nothing: no governors, or the signature does not verify.
        ignored: Vec<String>,
    },
    /// A member whose keys or addresses were replaced too often.
    #[error(
        "version {version} takes a key or an address from {member} once more, and {most} directories did: each is kept for ever; let it keep what it has, or go on under a new id"
    )]
    TooManyChanges {
        /// The directory.
        version: u64,
        /// Whose.
        member: MemberId,
        /// How often it may be.
        most: u32,
    },
    /// Of another network.
    #[error("it is of network {theirs}, and this is {ours}")]
    WrongNetwork {
        /// This network.
        ours: NetworkId,
        /// The document's.
        theirs: NetworkId,
    },
}

fn but(ignored: &[String]) -> String {
    if ignored.is_empty() {
        String::new()
    } else {
        format!("; not counted (no governor's, or they do not verify): {}", ignored.join(", "))
    }
}

impl Coded for Refusal {
    fn code(&self) -> Code {
        match self {
            Self::Document(error) => error.code(),
            Self::NotGenesis { .. } => Code(6011),
            Self::WrongNetwork { .. } => Code(6012),
            Self::Rollback { .. } => Code(6013),
            Self::Fork { .. } => Code(6014),
            Self::TooFewSignatures { .. } => Code(6015),
            Self::LoweredWithoutOldQuorum { .. } => Code(6016),
            Self::MissingNewGovernors { .. } => Code(6017),
            Self::PolicyNotInForce { .. } => Code(6018),
            Self::MissingPolicy(_) => Code(6019),
            Self::IssuedBeforePrevious { .. } => Code(6020),
            Self::IssuedInTheFuture { .. } => Code(6021),
            Self::GenesisChanged { .. } => Code(6022),
            Self::MemberRemoved { .. } => Code(6023),
            Self::CommitteeChanged { .. } => Code(6024),
            Self::CommitteeRemoved { .. } => Code(6025),
            Self::TooManyChanges { .. } => Code(6027),
        }
    }
}
