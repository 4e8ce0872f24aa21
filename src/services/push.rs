use super::withdraw::WithdrawToken;
use crate::types::PayloadId;

/// What became of a payload that a peer delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Its id.
    pub id: PayloadId,
    /// How the deliverer can take it back for a short while; absent if the payload was here before, or was passed over.
    pub withdraw: Option<WithdrawToken>,
}
