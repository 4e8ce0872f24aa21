//! Roots of the key trees in real places: files, a PKCS #11 token (SoftHSM2), Vault or OpenBao where one is given.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod life;
mod pkcs11;
mod vault;

#[path = "../support/ports.rs"]
mod ports;
