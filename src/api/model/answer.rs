use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Base64, Text};
use crate::api::request::MediaType;
use crate::services::{Received, Sent};
use crate::types::{Address, PayloadId};

/// What became of a send.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SendResponse)]
pub(crate) struct SendAnswer<'a> {
    /// The payload's id, base64 of 64 bytes.
    #[schema(value_type = String)]
    key: &'a PayloadId,
    /// This node's own keys among sender and recipients; from API 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    managed_parties: Option<&'a [Address]>,
    /// The sender's key; from API 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sender_key: Option<&'a Address>,
}

impl<'a> SendAnswer<'a> {
    /// The answer in a family.
    pub(crate) fn new(media: MediaType, sent: &'a Sent) -> Self {
        let tells = media.tells_parties();
        Self { key: &sent.id, managed_parties: tells.then_some(&sent.managed), sender_key: tells.then_some(&sent.sender) }
    }
}

/// A payload and its rules.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReceiveResponse)]
pub(crate) struct ReceiveAnswer<'a> {
    /// Base64.
    #[schema(value_type = String)]
    payload: Base64<'a>,
    /// 0 to 3.
    privacy_flag: u8,
    /// Ids of affected transactions.
    #[schema(value_type = Vec<String>)]
    affected_contract_transactions: Vec<&'a PayloadId>,
    /// Execution hash as sent; empty if there is none.
    #[schema(value_type = String)]
    exec_hash: std::borrow::Cow<'a, str>,
    /// The privacy group in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    privacy_group_id: Option<Base64<'a>>,
    /// This node's own keys among sender and recipients; from API 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    managed_parties: Option<&'a [Address]>,
    /// The sender's key; from API 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    sender_key: Option<&'a Address>,
}

impl<'a> ReceiveAnswer<'a> {
    /// The answer in a family.
    pub(crate) fn new(media: MediaType, received: &'a Received) -> Self {
        let (tells, privacy) = (media.tells_parties(), &received.privacy);
        Self {
            payload: Base64(&received.payload),
            privacy_flag: privacy.flag.number(),
            affected_contract_transactions: privacy.affected.iter().map(|affected| &affected.id).collect(),
            exec_hash: String::from_utf8_lossy(&privacy.exec_hash),
            privacy_group_id: privacy.group.as_ref().map(|group| Base64(&group.0)),
            managed_parties: tells.then_some(&received.managed),
            sender_key: tells.then_some(&received.sender),
        }
    }
}

/// A payload's id, as an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = StoreRawResponse)]
pub(crate) struct KeyAnswer<'a> {
    /// Base64 of 64 bytes.
    #[schema(value_type = String)]
    pub(crate) key: &'a PayloadId,
}

/// A payload's id, as a request.
#[derive(Deserialize, ToSchema)]
#[schema(as = DeleteRequest)]
pub(crate) struct KeyBody<'a> {
    /// Base64 of 64 bytes.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) key: Option<Text<'a>>,
}

/// A look-up by body, of clients from before `/transaction`.
#[derive(Deserialize, ToSchema)]
#[schema(as = ReceiveRequest)]
pub(crate) struct ReceiveBody<'a> {
    /// The payload's id, base64 of 64 bytes.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) key: Option<Text<'a>>,
    /// For which of our keys.
    #[schema(value_type = Option<String>)]
    pub(crate) to: Option<Text<'a>>,
    /// The raw payload that `/storeraw` keeps.
    #[serde(alias = "isRaw")]
    pub(crate) raw: Option<bool>,
}

/// Public keys.
#[derive(Serialize, ToSchema)]
#[schema(as = KeysResponse)]
pub(crate) struct KeyList {
    /// One entry for each key.
    keys: Vec<KeyEntry>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyEntry {
    /// Base64 of 32 bytes.
    #[schema(value_type = String)]
    key: Address,
}

impl KeyList {
    /// A list of these.
    pub(crate) fn new(keys: impl IntoIterator<Item = Address>) -> Self {
        Self { keys: keys.into_iter().map(|key| KeyEntry { key }).collect() }
    }
}
