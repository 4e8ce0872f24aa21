use crate::types::{Code, Coded};

/// Why a key service or a token does not do what a root needs. `place` says which; tokens, PINs and keys are in none of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "`place` is which root, `why` what was said")]
pub enum RootError {
    /// The service does not answer, or its certificate is not trusted.
    #[error("root {place} is not reached: {why}")]
    Unreachable { place: String, why: String },
    /// Vault or OpenBao is sealed.
    #[error("root {place} is sealed: unseal it")]
    Sealed { place: String },
    /// The token, PIN or its policy does not allow what is needed.
    #[error("root {place} refuses us: {why}")]
    Denied { place: String, why: String },
    /// The key is not there.
    #[error("root {place} has no such key: {why}")]
    KeyMissing { place: String, why: String },
    /// The key is there and is of no use to us.
    #[error("root {place} cannot be used: {why}")]
    Unfit { place: String, why: String },
    /// The PKCS #11 module or the token is not there.
    #[error("root {place} is not there: {why}")]
    NoToken { place: String, why: String },
    /// Any other answer.
    #[error("root {place} failed: {why}")]
    Failed { place: String, why: String },
    /// The generations lie somewhere else than configured.
    #[error("the root lies in {kind} (file {path}) and another kind is configured: configure that kind, or go back to it first")]
    OtherKind { kind: String, path: String },
}

impl Coded for RootError {
    fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code(4107),
            Self::Sealed { .. } => Code(4108),
            Self::Denied { .. } => Code(4109),
            Self::KeyMissing { .. } => Code(4110),
            Self::Unfit { .. } => Code(4117),
            Self::NoToken { .. } => Code(4112),
            Self::Failed { .. } => Code(4113),
            Self::OtherKind { .. } => Code(4114),
        }
    }
}
