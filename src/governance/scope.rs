use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::document::{DocumentError, sorted};
use super::{MAX_LIST, Supervision};
use crate::types::{Class, MemberId, ParseError};

/// A contract's address: `0x` and 40 hexadecimal digits in lower case.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Contract([u8; 20]);

impl Contract {
    /// Takes the bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for Contract {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let digits = text.strip_prefix("0x").ok_or(ParseError::Hex)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 20, actual })
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::types::as_text!(Contract);

/// A rule of supervision: who, which contracts, which classes, in which mode. An empty list means all. The first scope that fits decides.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scope {
    /// Members that send. Sorted.
    #[serde(default)]
    pub members: Vec<MemberId>,
    /// Contracts. Sorted.
    #[serde(default)]
    pub contracts: Vec<Contract>,
    /// Classes. Sorted.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// How it is supervised.
    pub supervision: Supervision,
    /// By whom. Sorted.
    #[serde(default)]
    pub supervisors: Vec<MemberId>,
}

impl Scope {
    /// Whether a payload falls into it. A payload without a known contract falls into scopes for all contracts alone.
    pub fn covers(&self, sender: &MemberId, contract: Option<&Contract>, class: Class) -> bool {
        (self.members.is_empty() || self.members.contains(sender))
            && (self.contracts.is_empty() || contract.is_some_and(|contract| self.contracts.contains(contract)))
            && (self.classes.is_empty() || self.classes.contains(&class))
    }

    /// Whether a payload may fall into it, whichever contract it is of.
    pub fn may_cover(&self, sender: &MemberId, class: Class) -> bool {
        (self.members.is_empty() || self.members.contains(sender)) && (self.classes.is_empty() || self.classes.contains(&class))
    }

    /// Sorts its lists.
    pub(super) fn normalise(&mut self) {
        sorted(&mut self.members);
        sorted(&mut self.contracts);
        sorted(&mut self.classes);
        sorted(&mut self.supervisors);
    }

    /// Rules of the scope at a place, counted from 0. `has_escrow`: the policy has a committee that opens payloads.
    pub(super) fn check(&self, at: usize, has_escrow: bool) -> Result<(), DocumentError> {
        if self.members.len().max(self.contracts.len()).max(self.supervisors.len()) > MAX_LIST {
            return Err(DocumentError::value(format!("scopes[{at}]"), "a list is too long: at most 256 entries"));
        }
        let mode = self.supervision;
        if mode.has_capsule() && !has_escrow {
            return Err(DocumentError::NoEscrow { scope: at, mode });
        }
        if mode.names_supervisors() && self.supervisors.is_empty() {
            return Err(DocumentError::NoSupervisor { scope: at, mode });
        }
        Ok(())
    }
}
