//! A payload and its recipients, over shared keys: Tessera's NaCl envelope (`docs/crypto.md`), pure.
//!
//! The states are types: [`Draft`] (plaintext) → [`Closed`] (ciphertext and data key) → [`Addressed`] (a box for each recipient).
//! The way back is [`open`]: *not mine* ([`Trial::NotMine`]) is another answer than *mine but broken* ([`Broken`]).

mod close;
mod open;
mod ring;

pub use close::{Addressed, Closed, Draft, remake_box};
pub use open::{Trial, Unsealed, open};
pub use ring::{NoSharedKey, Ring};

pub use crate::crypto::Broken;

#[cfg(test)]
mod tests;
