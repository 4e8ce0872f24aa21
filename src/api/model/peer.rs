use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Text;
use crate::types::{Address, PeerUrl};

/// What a peer wants again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResendRequest)]
pub(crate) struct ResendBody<'a> {
    /// `ALL` or `INDIVIDUAL`.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) r#type: Option<Text<'a>>,
    /// The key that takes part, base64.
    #[schema(value_type = String)]
    pub(crate) public_key: Option<Text<'a>>,
    /// The payload's id, with `INDIVIDUAL`.
    #[schema(value_type = Option<String>)]
    pub(crate) key: Option<Text<'a>>,
}

/// Everything again, in batches.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResendBatchRequest)]
pub(crate) struct ResendBatchBody<'a> {
    /// The key that takes part, base64.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) public_key: Option<Text<'a>>,
}

/// How much was pushed.
#[derive(Serialize, ToSchema)]
#[schema(as = ResendBatchResponse)]
pub(crate) struct ResendBatchAnswer {
    /// Payloads pushed.
    pub(crate) total: u64,
}

/// Payloads of a recovery.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PushBatchRequest)]
pub(crate) struct BatchBody<'a> {
    /// Encoded payloads in base64, always in the legacy codec.
    #[serde(borrow)]
    #[schema(value_type = Vec<String>)]
    pub(crate) encoded_payloads: Option<Vec<Text<'a>>>,
}

/// A delivery to take back (Celosia only).
#[derive(Deserialize, ToSchema)]
#[schema(as = WithdrawRequest)]
pub(crate) struct WithdrawBody<'a> {
    /// The payload's id, base64 of 64 bytes.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) id: Option<Text<'a>>,
    /// What the header `celosia-withdraw` of the delivery's answer held.
    #[schema(value_type = String)]
    pub(crate) token: Option<Text<'a>>,
}

/// Who is where, as this node knows it.
#[derive(Serialize, ToSchema)]
#[schema(as = PartyInfo)]
pub(crate) struct PartyInfoAnswer {
    /// This node's own URL.
    #[schema(value_type = String)]
    pub(crate) url: PeerUrl,
    /// Every known peer, this node included, each once.
    pub(crate) peers: Vec<PeerEntry>,
    /// Every known key, our own included, each once.
    pub(crate) keys: Vec<HolderEntry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Peer)]
pub(crate) struct PeerEntry {
    /// Absolute URL.
    #[schema(value_type = String)]
    pub(crate) url: PeerUrl,
}

#[derive(Serialize, ToSchema)]
#[schema(as = KeyHolder)]
pub(crate) struct HolderEntry {
    /// Base64 of 32 bytes.
    #[schema(value_type = String)]
    pub(crate) key: Address,
    /// Its holder's URL.
    #[schema(value_type = String)]
    pub(crate) url: PeerUrl,
}
