use crate::types::Address;

/// Why there is no shared key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoSharedKey {
    /// The private key is not held here.
    #[error("no private key for {0}")]
    NotOurs(Address),
    /// The other key is of low order: everybody could compute what is shared with it.
    #[error("{0} is of low order")]
    LowOrder(Address),
}

/// Who holds private keys. It lends the keys that they share with others, never a private key.
pub trait Ring {
    /// The public keys whose private ones are held, the default first.
    fn addresses(&self) -> &[Address];

    /// Lends `crypto_box_beforenm(peer, private key of own)` to `f`.
    fn with_shared<T>(&self, own: &Address, peer: &Address, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T, NoSharedKey>;

    /// Whether the private key of `address` is held.
    fn holds(&self, address: &Address) -> bool {
        self.addresses().contains(address)
    }
}
