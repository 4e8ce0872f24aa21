//! What comes for a supervisor, or past one: copies, deliveries behind a co-signature.

use bytes::Bytes;

use super::intake::Accepted;
use crate::governance::Charter;
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::types::MemberId;
use crate::wire::native::Item;

impl Node {
    /// A copy for this supervisor: acknowledged for no address, for it opens nothing.
    pub(super) async fn take_supervised(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
    ) -> Result<Option<Accepted>, Error> {
        let bytes = self.body(from, &item)?;
        let taken = self.take_copy(governed, charter, from, &bytes, true).await?;
        let accepted = |id, header| Accepted { id, header, addresses: Vec::new(), withdraw: None, passed_over: false };
        Ok(taken.map(|(copied, header, _)| accepted(copied.header.id, header)))
    }
}

/// The co-signature in front of a delivery, and the delivery.
pub(super) fn cosigned(bytes: &Bytes) -> Result<(Option<Bytes>, Bytes), Error> {
    let malformed = || Error::Message("not a delivery behind a co-signature");
    let length = bytes.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length))).ok_or_else(malformed)?;
    let end = 2 + length;
    if bytes.len() < end { Err(malformed()) } else { Ok((Some(bytes.slice(2..end)), bytes.slice(end..))) }
}
