//! What other parts bring.
use crate::services::{Error, Node};
use crate::types::ItemId;

impl Node {
    pub(super) async fn held_until(&self, _: &ItemId) -> Result<Option<u64>, Error> {
        Ok(None)
    }
}
