//! Primitives, named as their specifications name them. No randomness of its own besides [`random`], no I/O, no clock.

pub mod aead;
pub mod hash;
pub mod hpke;
pub mod kdf;
pub mod nacl;
pub mod padme;
pub mod puncture;
pub mod secret;
pub mod sign;
pub mod threshold;

/// Fills an array from the operating system.
///
/// # Panics
/// When the kernel has no randomness to give: no key may be made from anything less.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// An authenticated decryption that did not verify. Says nothing more: why is nobody's business.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("does not open with this key")]
pub struct Broken;
