//! Documents: the second kind of payload, which the EVM never sees (`docs/documents.md`). A contract holds a document's random id at most.
//!
//! A document streams in and out in chunks of a MiB; nothing holds more than one of them for each stream. Its row says what it is, its
//! file holds sealed chunks, its data key is in the enclave alone, under a leaf that erasure punctures.

mod audit;
mod deliver;
mod erase;
mod error;
mod get;
mod hold;
mod holders;
mod intake;
mod keeper;
mod offer;
mod put;
mod row;
mod shelf;
mod traces;
mod upload;

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

pub use audit::audit_documents;
pub use error::DocumentError;
pub use get::{Contents, DocumentPlace, DocumentReceipt, DocumentState, Info, Progress, Recipient};
pub(in crate::services) use holders::KnownDocument;
pub(in crate::services) use intake::{Offered, Wanted};
pub use row::WayState;
pub(crate) use shelf::Shelf;
pub use shelf::{DocumentFigures, DocumentLimits};
pub use traces::{DocumentTraces, document_traces};

use crate::types::{Address, Class};

/// A body broke off, or came too slowly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BrokenOff;

/// The bytes of a document on their way in.
pub type Incoming = Pin<Box<dyn Stream<Item = Result<Bytes, BrokenOff>> + Send>>;

/// A document to be put.
#[derive(Clone, Debug, Default)]
pub struct NewDocument {
    /// Whose key puts it; the default key if absent.
    pub from: Option<Address>,
    /// For whom it is. May be empty, hold the sender, or hold a key twice.
    pub to: Vec<Address>,
    /// What it holds; personal data if it is not said.
    pub class: Option<Class>,
    /// Bytes of its content, where they are known beforehand.
    pub size: Option<u64>,
    /// A name for people.
    pub name: Option<String>,
    /// Media type of its content.
    pub media: Option<String>,
    /// Answer only when every recipient has it.
    pub deliver_now: bool,
}
