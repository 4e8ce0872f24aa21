//! Threshold decryption.

pub mod dkg;
pub mod reshare;
