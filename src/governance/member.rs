use serde::{Deserialize, Serialize};

use super::document::{DocumentError, is_printable, sorted};
use super::{MAX_LIST, Region, Role, Software, State, TlsPin};
use crate::crypto::sign::VerifyKey;
use crate::types::{Address, MemberId, PeerUrl};

/// A member of the network: a legal entity and what its node is known by. One entry of the directory.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Member {
    /// Short name, unique, never reused.
    pub id: MemberId,
    /// Name in the commercial register.
    pub legal_name: String,
    /// Identifier there, such as a VAT number, LEI or EUID.
    pub legal_id: String,
    /// Where its data is kept.
    pub region: Region,
    /// Whether it takes part.
    pub state: State,
    /// What it runs.
    pub software: Software,
    /// What it is trusted with. Sorted, at least one.
    pub roles: Vec<Role>,
    /// Its keys as sender and recipient (X25519). Sorted; at least one in the role `member`.
    pub addresses: Vec<Address>,
    /// What its node signs with. A Tessera has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<VerifyKey>,
    /// What its TLS key is known by. A Tessera may have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_pin: Option<TlsPin>,
    /// Where it speaks the native protocol. A Tessera has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<PeerUrl>,
    /// Where it serves other HTTPS: receipts, checkpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<PeerUrl>,
    /// Where it speaks Tessera's peer protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compatible: Option<PeerUrl>,
}

impl Member {
    /// Whether it takes part.
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Whether it has the role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Its endpoints, as far as it has them.
    pub fn endpoints(&self) -> impl Iterator<Item = &PeerUrl> {
        [&self.native, &self.https, &self.compatible].into_iter().flatten()
    }

    /// Sorts its lists.
    pub(super) fn normalise(&mut self) {
        sorted(&mut self.roles);
        sorted(&mut self.addresses);
    }

    /// Rules of one entry.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        let wrong = |field: &str, reason: &str| Err(DocumentError::value(format!("members.{}.{field}", self.id), reason));
        for (field, text) in [("legal-name", &self.legal_name), ("legal-id", &self.legal_id)] {
            if !is_printable(text) {
                return wrong(field, NAME);
            }
        }
        if self.roles.is_empty() {
            return wrong("roles", "at least one role is needed: member, supervisor or witness");
        }
        if self.addresses.len() > MAX_LIST {
            return wrong("addresses", "too many: at most 256");
        }
        if self.has_role(Role::Member) && self.addresses.is_empty() {
            return wrong("addresses", "a member in the role \"member\" needs at least one address");
        }
        match self.software {
            Software::Celosia if self.signing_key.is_none() => wrong("signing-key", "a Celosia needs one"),
            Software::Celosia if self.tls_pin.is_none() => wrong("tls-pin", "a Celosia needs one"),
            Software::Celosia if !self.native.as_ref().is_some_and(PeerUrl::is_tls) => {
                wrong("native", "a Celosia needs one, an https:// URL")
            }
            Software::Tessera if self.signing_key.is_some() => wrong("signing-key", "a Tessera has none"),
            Software::Tessera if self.native.is_some() => wrong("native", "a Tessera has none"),
            Software::Tessera if self.compatible.is_none() => wrong("compatible", "a Tessera needs its peer URL"),
            _ if self.https.as_ref().is_some_and(|url| !url.is_tls()) => wrong("https", "not an https:// URL"),
            _ => Ok(()),
        }
    }
}

/// What a name looks like.
pub(super) const NAME: &str = "1 to 200 bytes of printable text without spaces at its ends";
