use super::{Address, PayloadId};

/// Id of a privacy group: opaque bytes (32 for legacy and pantheon groups, the name's bytes for resident ones).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupId(pub Vec<u8>);

/// How far a transaction's privacy rules go. GoQuorum's `privacyFlag`, matched exactly, never as a bit mask.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum PrivacyFlag {
    /// 0: participants only, no further rule.
    #[default]
    Standard = 0,
    /// 1: only participants of a contract may change it.
    PartyProtection = 1,
    /// 2: party protection, and named recipients that every transaction must include.
    MandatoryRecipients = 2,
    /// 3: every participant has the same private state.
    StateValidation = 3,
}

impl PrivacyFlag {
    /// The flag of a number; a number that no flag has counts as standard, as in Tessera.
    pub const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::PartyProtection,
            2 => Self::MandatoryRecipients,
            3 => Self::StateValidation,
            _ => Self::Standard,
        }
    }

    /// Whether the flag asks for more than delivery to participants.
    pub const fn is_enhanced(self) -> bool {
        !matches!(self, Self::Standard)
    }

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// SHA3-512 over new ciphertext, affected ciphertext and affected data key: proof of access to the affected transaction.
pub type SecurityHash = [u8; 64];

/// A transaction that this one changes, with the proof that its sender may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Affected {
    /// Id of the affected transaction.
    pub id: PayloadId,
    /// See [`SecurityHash`].
    pub hash: SecurityHash,
}

/// The privacy rules that travel with a payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Privacy {
    /// Which rules hold.
    pub flag: PrivacyFlag,
    /// Transactions that this one changes.
    pub affected: Vec<Affected>,
    /// Merkle root of the private state as GoQuorum wrote it: the characters of its base64, never decoded. Non-empty exactly with flag 3.
    pub exec_hash: Vec<u8>,
    /// Recipients that must be present. Non-empty exactly with flag 2.
    pub mandatory: Vec<Address>,
    /// The privacy group, if the transaction has one.
    pub group: Option<GroupId>,
}

/// A combination of flag and companions that no transaction may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivacyRuleError {
    /// An execution hash without flag 3, or flag 3 without one.
    #[error("an execution hash goes with privacy flag 3, and with it alone")]
    ExecHash,
    /// Mandatory recipients without flag 2, or flag 2 without any.
    #[error("mandatory recipients go with privacy flag 2, and with it alone")]
    Mandatory,
}

impl Privacy {
    /// Checks the two invariants of a payload: execution hash ⇔ flag 3, mandatory recipients ⇔ flag 2.
    pub fn check(&self) -> Result<(), PrivacyRuleError> {
        if self.exec_hash.is_empty() == (self.flag == PrivacyFlag::StateValidation) {
            return Err(PrivacyRuleError::ExecHash);
        }
        if self.mandatory.is_empty() == (self.flag == PrivacyFlag::MandatoryRecipients) {
            return Err(PrivacyRuleError::Mandatory);
        }
        Ok(())
    }
}
