//! What other parts bring.
use super::holder::Presence;
use super::settle::RootWords;
use crate::services::{Error, Node};
use crate::types::{DocumentId, MemberId};

impl Node {
    pub(crate) async fn rotate_root(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }
    pub(super) async fn root_words(&self) -> Result<RootWords, Error> {
        Ok(RootWords { kind: "file".into(), word: String::new(), rotated: u64::MAX, next: None })
    }
    pub(super) async fn document_holders(&self, _: &DocumentId) -> Result<Vec<MemberId>, Error> {
        Ok(Vec::new())
    }
    pub(super) async fn document_controller(&self, _: &DocumentId) -> Result<Option<MemberId>, Error> {
        Ok(None)
    }
    pub(super) async fn document_presence(&self, _: &DocumentId) -> Result<Presence, Error> {
        Ok(Presence::Absent)
    }
    pub(super) async fn erase_document(&self, _: DocumentId) -> Result<bool, Error> {
        Ok(false)
    }
}
