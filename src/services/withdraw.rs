//! Taking back a delivery of a send that failed elsewhere.
//!
//! Threat: whoever knows an id (it is public on the ledger) erases payloads at other members. So a withdrawal needs a random token
//! that only the deliverer got, it lives for seconds in memory, and it exists only for a record that the delivery itself made.

/// A capability to withdraw one delivery: 16 random bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct WithdrawToken(pub [u8; 16]);

impl std::fmt::Debug for WithdrawToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WithdrawToken(..)")
    }
}

/// Deliveries that can still be withdrawn.
#[derive(Default)]
pub(crate) struct Withdrawals {}
