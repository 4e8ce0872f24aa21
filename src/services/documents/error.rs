use crate::types::{Address, Code, Coded, DocumentId};

/// Why something was not done with a document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// This node is under no directory.
    #[error("documents need a governed network: this node is under no directory")]
    NotGoverned,
    /// No such document here.
    #[error("there is no document {0} here")]
    NotFound(DocumentId),
    /// It was erased here and does not come back.
    #[error("document {0} was erased here")]
    Erased(DocumentId),
    /// It is still being uploaded, or is still arriving.
    #[error("document {0} is not complete yet")]
    Unfinished(DocumentId),
    /// It is complete: nothing is added to it.
    #[error("document {0} is complete; nothing can be added to it")]
    Complete(DocumentId),
    /// A part that does not begin where the last one ended.
    #[error("the upload goes on at byte {expected}, not at {given}")]
    Offset {
        /// Where it goes on.
        expected: u64,
        /// Where the part begins.
        given: u64,
    },
    /// Larger than this node takes.
    #[error("the document is larger than the {0} bytes that this node takes")]
    TooLarge(u64),
    /// Another number of bytes than was declared.
    #[error("the document has another length than the {0} bytes that were declared")]
    Length(u64),
    /// No room for it.
    #[error("there is no room for the document: {0}")]
    Full(&'static str),
    /// Somebody else is adding to it.
    #[error("another request is adding to document {0}")]
    Busy(DocumentId),
    /// A recipient that runs Tessera.
    #[error("recipient {0} runs Tessera, which takes no documents")]
    Tessera(Address),
    /// A range that the document does not have.
    #[error("the document has {0} bytes, and none in that range")]
    Range(u64),
    /// Only whoever put it does that.
    #[error("document {0} was put by another member: only that member shares it")]
    NotOurs(DocumentId),
    /// What lies on the disk is not what was put there.
    #[error("document {0} is damaged on this node's disk; another holder may share it again")]
    Damaged(DocumentId),
    /// An id that is none.
    #[error("the id in the path is none: 64 hexadecimal digits, with or without 0x, or 32 bytes in base64")]
    BadId,
    /// A version of the upload protocol that is not spoken.
    #[error("uploads speak tus 1.0.0 and no other version")]
    TusVersion,
    /// A part of a document that the member did not offer.
    #[error("a part of a document that this member did not offer")]
    NotOffered,
    /// The offer is not what documents are offered with, or its chunks are not those that it names.
    #[error("the document is not what its offer says: {0}")]
    Manifest(&'static str),
    /// Another document of the same id.
    #[error("another document is kept under the id {0}")]
    Conflict(DocumentId),
    /// It is kept, and nobody reads it.
    #[error("document {0} is blocked here: nobody reads it while the hold stands")]
    Blocked(DocumentId),
    /// Too many uploads that nobody finishes.
    #[error("there are {0} unfinished uploads already: finish or delete some")]
    TooManyUploads(usize),
}

impl Coded for DocumentError {
    fn code(&self) -> Code {
        match self {
            Self::NotGoverned => Code(3301),
            Self::NotFound(_) => Code(3302),
            Self::Erased(_) => Code(3303),
            Self::Unfinished(_) => Code(3304),
            Self::Complete(_) => Code(3305),
            Self::Offset { .. } => Code(3306),
            Self::TooLarge(_) => Code(3307),
            Self::Length(_) => Code(3308),
            Self::Full(_) => Code(3309),
            Self::Busy(_) => Code(3310),
            Self::Tessera(_) => Code(3311),
            Self::Range(_) => Code(3312),
            Self::NotOurs(_) => Code(3313),
            Self::Damaged(_) => Code(3314),
            Self::BadId => Code(3315),
            Self::TusVersion => Code(3316),
            Self::NotOffered => Code(3317),
            Self::Manifest(_) => Code(3318),
            Self::Conflict(_) => Code(3319),
            Self::TooManyUploads(_) => Code(3320),
            Self::Blocked(_) => Code(3321),
        }
    }
}
