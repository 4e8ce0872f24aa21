use crate::erasure::TagError;
use crate::types::{Code, Coded, ParseError};

/// What is wrong with a request. Names the field, never its content; only ids and public keys that were asked for are repeated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A field, header or parameter with a value that it cannot have.
    #[error("{field}: {problem}")]
    Field {
        /// Its name, with the index in a list.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A declaration of purpose, basis, retention, subject or contract that cannot be.
    #[error("celosia-{0}")]
    Tag(#[from] TagError),
    /// No payload, or one of zero bytes.
    #[error("payload: missing or empty; a transaction needs at least one byte")]
    PayloadMissing,
    /// A body that is not JSON, or a member of the wrong type.
    #[error("{0}")]
    Json(String),
    /// An id in the path that is not base64.
    #[error("the hash in the path is not valid base64 (RFC 4648 section 4, with padding)")]
    PathId,
    /// An id that no payload can have, of another length than 64 bytes: absent, as any unknown one.
    #[error("Message with hash {0} was not found")]
    NotFound(String),
    /// The same for a raw payload.
    #[error("Raw Message with hash {0} was not found")]
    RawNotFound(String),
    /// The same for an affected transaction.
    #[error("Unable to find affectedContractTransaction {0}")]
    AffectedNotFound(String),
    /// A recipient's key of another length than 32 bytes: unknown, as any other.
    #[error("Recipient not found for key: {0}")]
    RecipientUnknown(String),
    /// The same for a sender.
    #[error("Public key {0} not found when searching for private key")]
    SenderUnknown(String),
}

impl RequestError {
    /// A field of a base64 word that did not parse.
    pub fn word(field: impl Into<String>, problem: ParseError) -> Self {
        Self::Field { field: field.into(), problem: problem.to_string() }
    }

    /// A field with a problem of its own.
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}

impl Coded for RequestError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code(2001),
            Self::RawNotFound(_) => Code(2002),
            Self::RecipientUnknown(_) => Code(2003),
            Self::SenderUnknown(_) => Code(2004),
            Self::AffectedNotFound(_) => Code(2010),
            Self::Json(_) => Code(2101),
            Self::Field { .. } => Code(2102),
            Self::Tag(error) => error.code(),
            Self::PayloadMissing => Code(2103),
            Self::PathId => Code(2104),
        }
    }
}
