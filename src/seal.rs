//! A payload and its recipients, over shared keys: Tessera's NaCl envelope (`docs/crypto.md`), pure. [`celosia1`] is the other suite.
//!
//! The states are types: [`Draft`] (plaintext) → [`Closed`] (ciphertext and data key) → [`Addressed`] (a box for each recipient).
//! The way back is [`open`]: *not mine* ([`Trial::NotMine`]) is another answer than *mine but broken* ([`Broken`]).

pub mod celosia1;
mod close;
pub mod document;
pub mod escrow;
pub mod hold;
mod open;
mod ring;

pub use close::{Addressed, Closed, Draft, remake_box};
pub use open::{Trial, Unsealed, open};
pub use ring::{NoSharedKey, Ring};

pub use crate::crypto::Broken;

#[cfg(test)]
mod tests;
