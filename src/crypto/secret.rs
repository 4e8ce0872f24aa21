//! Secrets that cannot be printed, cloned by accident or compared in variable time, and that are wiped when dropped.
//!
//! Threat: a core dump, a log line, freed heap read through another bug. Long-lived secrets also stay off the swap: see [`crate::enclave`].

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes on the heap: moving the value does not copy them.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Zeros, to be filled in place by `fill`.
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// Fresh random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn random() -> Self {
        Self::init_with(|bytes| getrandom::fill(bytes).expect("the operating system gives randomness"))
    }

    /// Takes the bytes and wipes where they came from.
    pub fn take(source: &mut [u8; N]) -> Self {
        let secret = Self::init_with(|bytes| bytes.copy_from_slice(source));
        source.zeroize();
        secret
    }

    /// A secret of exactly `N` bytes from a slice; `None` if it has another length. The caller wipes the slice.
    pub fn from_slice(source: &[u8]) -> Option<Self> {
        (source.len() == N).then(|| Self::init_with(|bytes| bytes.copy_from_slice(source)))
    }

    /// The bytes. Grep for this name: it is the audit list.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// A second copy, asked for by name.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::init_with(|bytes| bytes.copy_from_slice(&*self.0))
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
