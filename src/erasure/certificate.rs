//! The certificate of an erasure: orders, answers, who has not answered, and the proofs that holders' journals say the same; one file that is
//! verified offline, with nothing but the network's id (`docs/erasure.md` section 6).
//!
//! Threats: a controller that drops a holder's refusal (the orders name every item of every holder, and the whole is signed by the
//! controller, who answers for it); a holder that signs what it did not do (its journal must have the receipt, under a checkpoint that
//! others cosign); a directory that was made up (the chain of documents begins with the network's id).

mod addressed;
mod check;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

pub use addressed::{Addressed, Shown};
pub use check::{Checked, CheckedHolder};

use super::{CaseId, Ground, HolderKind, Level};
use crate::crypto::sign::{Signature, statement};
use crate::types::{Code, Coded, MemberId, NetworkId, PayloadId};

/// What the signature of a certificate is for.
const PURPOSE: &str = "celosia certificate 1";
const FORMAT: &str = "celosia-certificate-1";
/// Longest certificate that is read, in bytes.
const MAX: usize = 1 << 28;

/// What no erasure here can reach, in the words of the certificate.
pub const OUTSIDE: [&str; 4] = [
    "The private state of contracts at each participant's node: what a transaction wrote there stays until the node's own state is pruned.",
    "The node's cache of payloads, which lasts for five minutes: levels from E2 on wait for it.",
    "A copy at a member that runs Tessera: it takes no orders and signs no receipts.",
    "Whatever a recipient copied in the clear, outside its transaction manager, before the erasure.",
];

/// What is certified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Certificate {
    format: String,
    /// Which network.
    pub network: NetworkId,
    /// Who answers for the data and signs.
    pub controller: MemberId,
    /// Which case.
    pub case: CaseId,
    /// Why it was erased.
    pub ground: Ground,
    /// Kind of the scope, without its words.
    pub scope: String,
    /// How many items.
    pub items: u64,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub requested: u64,
    /// By when art. 12(3) wanted it, milliseconds since the Unix epoch.
    pub due: u64,
    /// When this was written, milliseconds since the Unix epoch.
    pub issued: u64,
    /// Whether everybody has answered for good who can.
    pub complete: bool,
    /// Every member that had copies.
    pub holders: Vec<Entry>,
    /// Of payloads that the controller sent in the suite celosia-1: all whom each was addressed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addressed: Vec<Addressed>,
    /// What is outside the reach of it.
    pub outside: Vec<String>,
    /// Directory and policies, from the network's first on: each a signed note.
    pub documents: Vec<String>,
}

/// A holder in a certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// Who.
    pub member: MemberId,
    /// What it runs.
    pub kind: HolderKind,
    /// Items that it has, in all of its orders.
    pub items: u64,
    /// When it last answered, milliseconds since the Unix epoch; 0: never.
    pub heard: u64,
    /// Its orders.
    pub orders: Vec<Evidence>,
}

/// An order and what came of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evidence {
    /// The signed order, base64.
    pub order: String,
    /// The signed receipt, base64; empty: no answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receipt: String,
    /// What the holder's journal says of the receipt.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub record: String,
    /// The salt of that record, base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub salt: String,
    /// That the record is in the holder's log: a C2SP tlog-proof.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub proof: String,
}

/// Why a certificate proves nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// Not in the form of one.
    #[error("not a certificate: {0}")]
    Form(String),
    /// It is of another network.
    #[error("the certificate is of network {0}, not of the one that was named")]
    Network(NetworkId),
    /// Its documents are not a chain from the network's beginning.
    #[error("its directory does not hold: {0}")]
    Charter(String),
    /// A member that its directory does not name, or without a signing key.
    #[error("its directory has no signing key of {0}")]
    NoKey(MemberId),
    /// The controller did not sign it.
    #[error("{0} did not sign this certificate")]
    Unsigned(MemberId),
    /// An order that is not one of this case, or not signed.
    #[error("order {page} to {member} does not hold: {why}")]
    Order {
        /// To whom.
        member: MemberId,
        /// Which.
        page: usize,
        /// Why.
        why: &'static str,
    },
    /// A receipt that is not of its order, or not signed.
    #[error("receipt {page} of {member} does not hold: {why}")]
    Receipt {
        /// Of whom.
        member: MemberId,
        /// Of which order.
        page: usize,
        /// Why.
        why: &'static str,
    },
    /// A holder whose journal does not have its receipt.
    #[error("the journal of {member} does not have its receipt {page}: {why}; it signed what its log does not say")]
    Journal {
        /// Whose.
        member: MemberId,
        /// Of which order.
        page: usize,
        /// Why.
        why: String,
    },
    /// A list of recipients that does not lead to the signed header's root.
    #[error("the recipients of its payload {at} are not proved: {why}")]
    Addressed {
        /// Which.
        at: usize,
        /// Why.
        why: &'static str,
    },
    /// A member that a payload was addressed to, and that no order names.
    #[error("payload {item} was addressed to {member}, which is no holder of it here: the controller left it out")]
    LeftOut {
        /// Which payload.
        item: PayloadId,
        /// Who.
        member: MemberId,
    },
    /// It says more of itself than its receipts do.
    #[error("it says that it is complete, and {0} has not answered for good")]
    Incomplete(MemberId),
}

impl Coded for CertificateError {
    fn code(&self) -> Code {
        match self {
            Self::Form(_) => Code(3370),
            Self::Network(_) => Code(3371),
            Self::Charter(_) => Code(3372),
            Self::NoKey(_) => Code(3373),
            Self::Unsigned(_) => Code(3374),
            Self::Order { .. } => Code(3375),
            Self::Receipt { .. } => Code(3376),
            Self::Journal { .. } => Code(3377),
            Self::Incomplete(_) => Code(3378),
            Self::Addressed { .. } => Code(3394),
            Self::LeftOut { .. } => Code(3395),
        }
    }
}

/// What a certificate is made of beside its evidence.
#[derive(Clone, Debug)]
pub struct About {
    /// Which network.
    pub network: NetworkId,
    /// Who signs.
    pub controller: MemberId,
    /// When it is written, milliseconds since the Unix epoch.
    pub issued: u64,
    /// Directory and policies.
    pub documents: Vec<String>,
    /// All whom the payloads were addressed to.
    pub addressed: Vec<Addressed>,
}

impl Certificate {
    /// The certificate of a case as it stands.
    pub fn of(case: &super::Case, about: About, holders: Vec<Entry>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            network: about.network,
            controller: about.controller,
            case: case.id,
            ground: case.ground,
            scope: case.scope.clone(),
            items: case.items,
            requested: case.requested,
            due: case.due,
            issued: about.issued,
            complete: case.state == super::State::Certified,
            holders,
            addressed: about.addressed,
            outside: OUTSIDE.iter().map(ToString::to_string).collect(),
            documents: about.documents,
        }
    }

    /// Its body: one line of JSON.
    pub fn body(&self) -> String {
        // A struct of strings and numbers always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What is signed of a body.
    pub fn statement(network: &NetworkId, body: &str) -> Vec<u8> {
        statement(PURPOSE, network, body.as_bytes())
    }

    /// The file: the body, and the signature in base64, each on a line of its own.
    pub fn file(body: &str, signature: &Signature) -> String {
        format!("{body}\n{}\n", BASE64.encode(signature))
    }

    /// Reads a file. Its signature, and the bytes that it is on, are for [`Certificate::check`].
    pub fn read(file: &str) -> Result<(Self, &str, Signature), CertificateError> {
        let form = |why: &str| CertificateError::Form(why.to_owned());
        if file.len() > MAX {
            return Err(form("it is too long"));
        }
        let (body, signature) = file.split_once('\n').ok_or_else(|| form("it has no line with a signature"))?;
        let signature = signature.strip_suffix('\n').unwrap_or(signature);
        let signature = crate::types::base64(signature.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let signature = signature.ok_or_else(|| form("its second line is not a signature"))?;
        let certificate: Self = serde_json::from_str(body).map_err(|error| CertificateError::Form(error.to_string()))?;
        if certificate.format != FORMAT {
            return Err(form("its format is another"));
        }
        Ok((certificate, body, signature))
    }
}

/// A level as people read it; what was not erased has none.
pub(super) fn level_words(level: Option<Level>) -> String {
    level.map_or_else(|| "not erased".to_owned(), |level| level.to_string())
}
