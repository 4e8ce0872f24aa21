use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::services::{DocumentInfo, DocumentReceipt};

/// What is known of a document.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DocumentAnswer {
    /// Its id in base64.
    id: String,
    /// The same as `bytes32` of a contract.
    hex: String,
    /// `uploading`, `arriving` or `here`.
    state: String,
    /// Whose key put it.
    sender: String,
    /// Whose node put it.
    member: String,
    /// `public`, `business`, `personal` or `special`.
    class: String,
    /// When it was put or offered, milliseconds since the Unix epoch.
    created: u64,
    /// Bytes of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Root of the Merkle tree over its sealed chunks, hexadecimal: the same at every holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<String>,
    /// For whom it is, as this node knows.
    recipients: Vec<RecipientAnswer>,
}

/// One for whom a document is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentRecipient)]
struct RecipientAnswer {
    key: String,
    /// Its member; absent for a key of this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// `pending`, `delivered` or `refused`.
    state: String,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// A page of documents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DocumentList {
    documents: Vec<DocumentAnswer>,
    /// The id to go on after, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Receipts of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceiptList {
    receipts: Vec<ReceiptAnswer>,
}

/// That a member has a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DocumentReceipt)]
struct ReceiptAnswer {
    member: String,
    /// The receipt's file, base64.
    receipt: String,
}

/// Whom a document is shared with.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ShareBody {
    /// Public keys.
    pub(super) to: Vec<String>,
}

impl From<&DocumentInfo> for DocumentAnswer {
    fn from(info: &DocumentInfo) -> Self {
        let recipients = info.recipients.iter().map(|one| RecipientAnswer {
            key: one.key.to_string(),
            member: one.member.as_ref().map(ToString::to_string),
            state: one.state.name().to_owned(),
            code: one.code.clone(),
        });
        Self {
            id: info.id.to_string(),
            hex: info.id.to_hex(),
            state: info.state.name().to_owned(),
            sender: info.sender.to_string(),
            member: info.member.to_string(),
            class: info.class.to_string(),
            created: info.created,
            size: info.size,
            root: info.root.map(|root| HEXLOWER.encode(&root)),
            name: info.name.clone(),
            media: info.media.clone(),
            recipients: recipients.collect(),
        }
    }
}

impl DocumentList {
    pub(super) fn new(listed: &[DocumentInfo], page: usize) -> Self {
        let next = listed.last().filter(|_| listed.len() == page).map(|last| last.id.to_string());
        Self { documents: listed.iter().map(DocumentAnswer::from).collect(), next }
    }
}

impl ReceiptList {
    pub(super) fn new(receipts: &[DocumentReceipt]) -> Self {
        let one = |one: &DocumentReceipt| ReceiptAnswer { member: one.member.to_string(), receipt: BASE64.encode(&one.receipt) };
        Self { receipts: receipts.iter().map(one).collect() }
    }
}
