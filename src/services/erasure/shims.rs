//! What other parts bring.
use super::holder::Presence;
use crate::services::{Error, Node};
use crate::types::{DocumentId, MemberId};

impl Node {
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
