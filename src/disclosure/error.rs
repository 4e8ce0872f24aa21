use crate::types::{Code, Coded, MemberId, PayloadId};
use crate::wire::DecodeError;

/// Why a document of a disclosure is not taken, or nothing is given for it. Each check has its own answer; none holds anything of a payload.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Not in the form of the thing.
    #[error("not a {0}: {1}")]
    Form(&'static str, String),
    /// Of another network.
    #[error("the {0} is of another network")]
    Network(&'static str),
    /// The auditor did not sign the request.
    #[error("the request is not signed with the key that it names")]
    RequestSignature,
    /// Outside the window of the request, or a window that none may have.
    #[error("the request: {0}")]
    Window(&'static str),
    /// The member did not sign what it resolved.
    #[error("{0} did not sign this docket")]
    DocketSignature(MemberId),
    /// The list is not the one of the docket.
    #[error("the list is not the one of the docket: {0}")]
    List(&'static str),
    /// A label that is not of its item, or outside the scope that was asked for.
    #[error("the label of {0} does not fit: {1}")]
    Label(PayloadId, &'static str),
    /// A capsule that is not sound for its label.
    #[error("the capsule of {0} is not the one of its label")]
    Capsule(PayloadId),
    /// No committee of the epoch.
    #[error("the policy has no escrow committee of epoch {0}")]
    NoCommittee(u64),
    /// A signer who is no officer.
    #[error("the signer is no officer of the escrow committee")]
    NotOfficer,
    /// The requester's own entity.
    #[error("{0} asked for this and cannot approve it")]
    OwnEntity(String),
    /// Two approvals of one entity.
    #[error("{0} approved already: k approvals are of k entities")]
    SameEntity(String),
    /// Too few approvals.
    #[error("{have} of {need} approvals for epoch {epoch}")]
    TooFew {
        /// Approvals of distinct entities.
        have: usize,
        /// The threshold.
        need: usize,
        /// Of which key.
        epoch: u64,
    },
    /// Nothing that a committee could approve.
    #[error("no committee approved it: the docket names no key")]
    NoApproval,
    /// A second verdict of one officer.
    #[error("officer {0} has given a verdict already: one for each")]
    SecondVerdict(String),
    /// A verdict that its officer did not sign.
    #[error("the verdict is not signed by the officer whom it names")]
    VerdictSignature,
    /// Something made for another grant or another list: a replay.
    #[error("the {0} is of another grant or another list")]
    OtherCase(&'static str),
    /// The grant is over.
    #[error("the grant has expired")]
    Expired,
    /// The grant was revoked.
    #[error("the grant was revoked")]
    Revoked,
    /// The view is not on record.
    #[error("the view is not on record: {0}")]
    NoView(String),
    /// What was asked for is erased.
    #[error("{0} is erased: {1}")]
    Erased(PayloadId, String),
    /// What was asked for is blocked.
    #[error("{0} is held: {1}")]
    Held(PayloadId, String),
    /// Shares that their officer did not sign.
    #[error("the shares of officer {0} do not bear the officer's signature, or were altered")]
    SharesSignature(u16),
    /// Shares that do not open with the grant's key.
    #[error("the shares of officer {0} do not open with the key of the grant")]
    SharesSealed(u16),
    /// An officer's share is wrong: its proof does not hold.
    #[error("the share of officer {index} ({name}) for {id} is wrong: its proof does not hold")]
    BadShare {
        /// Index of the officer.
        index: u16,
        /// Name of the officer.
        name: String,
        /// Of which payload.
        id: PayloadId,
    },
    /// Too few shares that hold.
    #[error("{have} of {need} shares that hold for {id}")]
    TooFewShares {
        /// Shares whose proofs hold.
        have: usize,
        /// The threshold.
        need: usize,
        /// Of which payload.
        id: PayloadId,
    },
    /// Sigma does not open with the grant's key.
    #[error("what the holder sealed for {0} does not open: it was altered, or is of another grant")]
    Sigma(PayloadId),
    /// Header and acknowledgements do not open with the grant's key.
    #[error("header and acknowledgements of {0} do not open: they were altered, or are of another grant")]
    Provenance(PayloadId),
    /// A ciphertext that is not the payload's.
    #[error("the ciphertext is not the one of {0}")]
    Ciphertext(PayloadId),
    /// What the officers opened is not what the recipients were given.
    #[error("the capsule of {0} is not of the data key that it opens to")]
    Mismatch(PayloadId),
    /// The ciphertext does not open under the data key.
    #[error("{0} does not open under the data key that its capsule holds: {1}")]
    Plaintext(PayloadId, String),
    /// A header that its member did not sign, or of another payload.
    #[error("the header of {0} does not hold: {1}")]
    Header(PayloadId, &'static str),
    /// An acknowledgement that does not hold.
    #[error("an acknowledgement of {0} by {1} does not hold")]
    Ack(PayloadId, MemberId),
    /// The holder did not release an item.
    #[error("{0} was not released: {1}")]
    NotReleased(PayloadId, String),
    /// All views are used.
    #[error("the grant's views are used up: ask anew")]
    Views,
    /// A step that the grant's state does not allow.
    #[error("the grant is {0}: {1}")]
    State(&'static str, &'static str),
    /// The documents of the network do not hold.
    #[error("the network's documents do not hold: {0}")]
    Charter(String),
    /// A member's own payloads, asked for by another.
    #[error(
        "only {0} itself asks for what it is party to: sign the request with the key that the directory names, for its legal name"
    )]
    NotItself(MemberId),
    /// A release, notice or revocation that is not signed by whom it names.
    #[error("the {0} is not signed by whom it names")]
    Signature(&'static str),
}

impl Coded for Refused {
    fn code(&self) -> Code {
        match self {
            Self::Form(..) => Code(7100),
            Self::Network(_) => Code(7101),
            Self::RequestSignature => Code(7102),
            Self::Window(_) => Code(7103),
            Self::DocketSignature(_) => Code(7104),
            Self::List(_) => Code(7105),
            Self::Label(..) => Code(7106),
            Self::Capsule(_) => Code(7107),
            Self::NoCommittee(_) => Code(7108),
            Self::NotOfficer => Code(7109),
            Self::OwnEntity(_) => Code(7110),
            Self::SameEntity(_) => Code(7111),
            Self::TooFew { .. } | Self::NoApproval => Code(7112),
            Self::VerdictSignature => Code(7113),
            Self::OtherCase(_) => Code(7114),
            Self::Expired => Code(7115),
            Self::Revoked => Code(7116),
            Self::NoView(_) => Code(7117),
            Self::Erased(..) => Code(7118),
            Self::Held(..) => Code(7119),
            Self::SharesSignature(_) => Code(7120),
            Self::SharesSealed(_) => Code(7121),
            Self::BadShare { .. } => Code(7122),
            Self::TooFewShares { .. } => Code(7123),
            Self::Sigma(_) => Code(7124),
            Self::Ciphertext(_) => Code(7125),
            Self::Mismatch(_) => Code(7126),
            Self::Plaintext(..) => Code(7127),
            Self::Header(..) => Code(7128),
            Self::Ack(..) => Code(7129),
            Self::NotReleased(..) => Code(7130),
            Self::Views => Code(7131),
            Self::State(..) => Code(7132),
            Self::Charter(_) => Code(7133),
            Self::Signature(_) => Code(7134),
            Self::SecondVerdict(_) => Code(7135),
            Self::Provenance(_) => Code(7136),
            Self::NotItself(_) => Code(7340),
        }
    }
}

/// A form that does not decode.
pub(super) fn form(what: &'static str) -> impl Fn(DecodeError) -> Refused {
    move |error| Refused::Form(what, error.to_string())
}
