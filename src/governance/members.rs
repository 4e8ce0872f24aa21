use std::collections::HashMap;
use std::sync::Arc;

use super::{Directory, DocumentHash, Member, Signed, TlsPin};
use crate::crypto::sign::VerifyKey;
use crate::types::{Address, MemberId};

/// The members of a directory, prepared once for look-ups. Suspended and expelled ones are among them: see [`Member::state`].
#[derive(Debug, Default)]
pub struct Members {
    directory: Option<Arc<Signed<Directory>>>,
    by_address: HashMap<Address, usize>,
    by_pin: HashMap<TlsPin, usize>,
    by_key: HashMap<VerifyKey, usize>,
}

impl Members {
    /// Prepares a directory.
    pub fn new(directory: Arc<Signed<Directory>>) -> Self {
        let mut prepared = Self::default();
        for (at, member) in directory.content.members.iter().enumerate() {
            prepared.by_address.extend(member.addresses.iter().map(|address| (*address, at)));
            prepared.by_pin.extend(member.tls_pin.map(|pin| (pin, at)));
            prepared.by_key.extend(member.signing_key.map(|key| (key, at)));
        }
        prepared.directory = Some(directory);
        prepared
    }

    /// All of them, sorted by id.
    pub fn all(&self) -> &[Member] {
        self.directory.as_ref().map_or(&[], |signed| &signed.content.members)
    }

    /// Version of the directory; 0 before the first.
    pub fn version(&self) -> u64 {
        self.directory.as_ref().map_or(0, |signed| signed.content.head.version)
    }

    /// Hash of the directory.
    pub fn hash(&self) -> Option<DocumentHash> {
        self.directory.as_ref().map(|signed| signed.hash)
    }

    /// The member of an id.
    pub fn by_id(&self, id: &MemberId) -> Option<&Member> {
        self.directory.as_ref()?.content.member(id)
    }

    /// The member that sends and receives with an address.
    pub fn by_address(&self, address: &Address) -> Option<&Member> {
        self.at(self.by_address.get(address))
    }

    /// The member whose TLS key has a pin.
    pub fn by_pin(&self, pin: &TlsPin) -> Option<&Member> {
        self.at(self.by_pin.get(pin))
    }

    /// The member whose node signs with a key.
    pub fn by_signing_key(&self, key: &VerifyKey) -> Option<&Member> {
        self.at(self.by_key.get(key))
    }

    fn at(&self, at: Option<&usize>) -> Option<&Member> {
        at.and_then(|at| self.all().get(*at))
    }
}
