use super::{DocumentError, PeerError};
use crate::directory::FolderError;
use crate::enclave::EnclaveError;
use crate::erasure::TagError;
use crate::governance::{PolicyAge, Violation};
use crate::journal::JournalError;
use crate::store::StoreError;
use crate::types::{Address, Code, Coded, GroupId, ItemId, MemberId, PayloadId};

/// Why a verb was not done. Texts that GoQuorum's users and tools look for are kept to the letter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A payload that this node does not have, cannot open, or has erased: one answer for all three.
    #[error("Message with hash {0} was not found")]
    NotFound(PayloadId),
    /// No raw payload of this id.
    #[error("Raw Message with hash {0} was not found")]
    RawNotFound(PayloadId),
    /// A recipient that no known peer announces.
    #[error("Recipient not found for key: {0}")]
    RecipientUnknown(Address),
    /// A sender that is not one of this node's keys.
    #[error("Public key {0} not found when searching for private key")]
    SenderUnknown(Address),
    /// A key asked for by `to` that is no recipient here.
    #[error("{0}")]
    BadRequest(String),
    /// Flag 1 to 3 while the feature is off.
    #[error("Enhanced Privacy is not enabled")]
    EnhancedPrivacyDisabled,
    /// A recipient's peer that is too old for flag 1 to 3.
    #[error("Transactions with enhanced privacy is not currently supported on recipient {0}")]
    EnhancedPrivacyUnsupported(Address),
    /// A recipient's peer that is too old for flag 2.
    #[error("Transactions with mandatory recipients are not currently supported on recipient {0}")]
    MandatoryUnsupported(Address),
    /// A member's peer that is too old for privacy groups.
    #[error("Transactions with privacy group is not currently supported on recipient {0}")]
    GroupUnsupported(Address),
    /// A rule of the privacy flags is broken.
    #[error("{0}")]
    PrivacyViolation(String),
    /// `/mandatory` of a payload with another flag.
    #[error("Operation invalid. Transaction found is not a mandatory recipients privacy type")]
    NotMandatoryType,
    /// Flag 2 without recipients, execution hash without flag 3: a transaction that cannot be built.
    #[error("{0}")]
    Unbuildable(String),
    /// No such group.
    #[error("Privacy group {0} not found")]
    GroupNotFound(String),
    /// Resident groups while the feature is off.
    #[error("Multiple private state feature is not available on this privacy manager")]
    GroupsUnavailable,
    /// A peer that discovery does not admit.
    #[error("{0} is not a known peer")]
    NotAKnownPeer(String),
    /// A payload whose boxes none of our keys opens.
    #[error("no box of payload {0} opens with a key of this node")]
    NotForUs(PayloadId),
    /// A payload that differs from the one kept under its id.
    #[error("Invalid existing transaction {0}")]
    Conflict(PayloadId),
    /// A payload that was erased here: it does not come back.
    #[error("payload {0} was erased here and is not accepted again")]
    Erased(PayloadId),
    /// A key that has no part in the payload asked for.
    #[error("Recipient {key} is not a recipient of transaction {id}")]
    NotARecipient {
        /// Who asked.
        key: Address,
        /// For what.
        id: PayloadId,
    },
    /// None of a peer's announced keys could be proved.
    #[error("no key announced by the peer could be validated")]
    KeysUnproved,
    /// A payload that is not a challenge.
    #[error("the decrypted payload is not a UUID")]
    NotAChallenge,
    /// Enhanced payloads during recovery, or batches outside it.
    #[error("{0}")]
    Recovering(&'static str),
    /// A withdrawal token that is unknown or too old.
    #[error("the withdrawal token is unknown or has expired")]
    WithdrawRefused,
    /// The network has no directory and no policy.
    #[error("this node is not a member of a governed network: there is no [governance] in its configuration")]
    NotGoverned,
    /// One of our own keys that the directory does not name.
    #[error("key {0} is not in the directory: the governors must list it before it sends")]
    NotInDirectory(Address),
    /// A member that the directory does not name.
    #[error("{0} is not a member in the directory")]
    NotAMember(MemberId),
    /// The policy does not let it through.
    #[error("the policy forbids it: {0}")]
    Policy(#[source] Violation),
    /// A header under a policy that is no longer, or not yet, in force.
    #[error("{0}")]
    PolicyAge(#[source] PolicyAge),
    /// A key of a day whose signature is not that member's.
    #[error("the epoch key of {0} is not signed by the key that the directory names")]
    EpochKey(MemberId),
    /// A payload that a member sends in the name of another.
    #[error("{from} delivered a payload of {sender}: a member sends its own alone")]
    NotItsOwn {
        /// Who delivered it.
        from: MemberId,
        /// Whose it says to be.
        sender: MemberId,
    },
    /// A payload that somebody brings as this node's own.
    #[error("a payload in the name of this node's own key is taken in a recovery alone")]
    OurOwn,
    /// Clocks that differ by more than ten minutes.
    #[error("the payload is dated {seconds} s from this node's clock: one of the two clocks is wrong, set it (NTP)")]
    ClockApart {
        /// How far.
        seconds: i64,
    },
    /// An acknowledgement that does not verify.
    #[error("the acknowledgement of {0} does not verify")]
    BadAck(MemberId),
    /// A message of the native protocol that does not decode.
    #[error("{0}")]
    Message(&'static str),
    /// An upload that is not there, or that is too large.
    #[error("the upload is not complete, or larger than this node takes")]
    Upload,
    /// A document that is not taken.
    #[error(transparent)]
    Document(#[from] FolderError),
    /// The journal cannot do it.
    #[error(transparent)]
    Journal(JournalError),
    /// A folder of this node cannot be written.
    #[error("a file of this node cannot be written or read: {0}")]
    Disk(String),
    /// A payload or document that is not here.
    #[error("Message with hash {0} was not found")]
    ItemNotFound(ItemId),
    /// An item whose erasure has begun.
    #[error("{0} is being erased and takes no tags")]
    Leaving(ItemId),
    /// Tags that cannot be.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// No receipt: it was not sent with the suite that has them.
    #[error("there is no receipt of {0}: it was sent to a Tessera, or before this network was governed")]
    NoReceipt(PayloadId),
    /// This node must not serve: its past is older than what others saw of it.
    #[error("this node does not serve: {0}")]
    RolledBack(String),
    /// A document: the second kind of payload.
    #[error(transparent)]
    Kept(#[from] DocumentError),
    /// A body that broke off.
    #[error("the body of the request could not be read to its end")]
    BodyBroken,
    /// A recipient's peer did not take the payload.
    #[error("recipient {recipient}: {source}")]
    Delivery {
        /// For whom it was.
        recipient: Address,
        /// Why.
        source: PeerError,
    },
    /// Another exchange with a peer failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The enclave cannot do it.
    #[error(transparent)]
    Enclave(EnclaveError),
    /// An erasure is not begun, decided or carried out.
    #[error(transparent)]
    Erasure(#[from] super::ErasureError),
    /// A hold is not placed or released, or stands before an erasure.
    #[error(transparent)]
    Hold(#[from] super::HoldError),
    /// An order to stop stands before it, or an order of supervision is not taken.
    #[error(transparent)]
    Supervision(#[from] super::SupervisionError),
    /// What came for an officers' ceremony is not relayed.
    #[error(transparent)]
    Relay(#[from] super::RelayError),
    /// A case that people handle is not changed.
    #[error(transparent)]
    Matter(#[from] crate::matter::MatterError),
    /// A disclosure that is not asked for, approved or released.
    #[error(transparent)]
    Disclosure(#[from] super::DisclosureError),
    /// What comes back after a loss is not taken.
    #[error(transparent)]
    Return(#[from] super::ReturnError),
    /// The store cannot do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EnclaveError> for Error {
    fn from(error: EnclaveError) -> Self {
        match error {
            EnclaveError::NotOurs(address) => Self::SenderUnknown(address),
            other => Self::Enclave(other),
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::ItemNotFound(_) => Code(2001),
            Self::RawNotFound(_) => Code(2002),
            Self::RecipientUnknown(_) => Code(2003),
            Self::SenderUnknown(_) => Code(2004),
            Self::BadRequest(_) => Code(2005),
            Self::EnhancedPrivacyDisabled => Code(2006),
            Self::EnhancedPrivacyUnsupported(_) => Code(2007),
            Self::MandatoryUnsupported(_) => Code(2008),
            Self::GroupUnsupported(_) => Code(2009),
            Self::PrivacyViolation(_) => Code(2010),
            Self::NotMandatoryType => Code(2011),
            Self::Unbuildable(_) => Code(2012),
            Self::GroupNotFound(_) => Code(2013),
            Self::GroupsUnavailable => Code(2014),
            Self::NotAKnownPeer(_) => Code(3101),
            Self::NotForUs(_) => Code(3102),
            Self::Conflict(_) => Code(3103),
            Self::Erased(_) => Code(3104),
            Self::NotARecipient { .. } => Code(3105),
            Self::KeysUnproved => Code(3106),
            Self::NotAChallenge => Code(3107),
            Self::Recovering(_) => Code(3108),
            Self::WithdrawRefused => Code(3109),
            Self::NotGoverned => Code(3201),
            Self::NotInDirectory(_) => Code(3202),
            Self::NotAMember(_) => Code(3203),
            Self::Policy(violation) => violation.code(),
            Self::PolicyAge(age) => age.code(),
            Self::EpochKey(_) => Code(3204),
            Self::NotItsOwn { .. } => Code(3205),
            Self::OurOwn => Code(3212),
            Self::ClockApart { .. } => Code(3206),
            Self::BadAck(_) => Code(3207),
            Self::Message(_) => Code(3208),
            Self::Upload => Code(3209),
            Self::Document(error) => error.code(),
            Self::Disk(_) => Code(4111),
            Self::Journal(error) => error.code(),
            Self::Leaving(_) => Code(3337),
            Self::Tag(error) => error.code(),
            Self::NoReceipt(_) => Code(3210),
            Self::RolledBack(_) => Code(3211),
            Self::Kept(error) => error.code(),
            Self::BodyBroken => Code(2110),
            Self::Delivery { source, .. } | Self::Peer(source) => source.code(),
            Self::Enclave(error) => error.code(),
            Self::Erasure(error) => error.code(),
            Self::Hold(error) => error.code(),
            Self::Supervision(error) => error.code(),
            Self::Relay(error) => error.code(),
            Self::Matter(error) => error.code(),
            Self::Disclosure(error) => error.code(),
            Self::Return(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl Error {
    /// The group's id as text: base64.
    pub fn group_not_found(id: &GroupId) -> Self {
        Self::GroupNotFound(data_encoding::BASE64.encode(&id.0))
    }
}
