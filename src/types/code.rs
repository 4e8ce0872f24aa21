use std::fmt;

/// A stable error code, `CEL` and four digits, that an operator can search in `docs/errors.md`.
///
/// 1xxx start and configuration, 2xxx requests, 3xxx peers, 4xxx store and keys, 5xxx enclave, 6xxx governance. A code never changes its meaning.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CEL{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An error that a person outside sees: it has a stable code.
pub trait Coded: std::error::Error {
    /// The code of this very case.
    fn code(&self) -> Code;
}
