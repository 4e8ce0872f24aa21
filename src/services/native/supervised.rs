//! What comes for a supervisor, or past one: copies, deliveries behind a co-signature, what is given back.

use bytes::Bytes;

use super::intake::Accepted;
use crate::governance::Charter;
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::types::MemberId;
use crate::wire::delivery::Delivery;
use crate::wire::native::Item;

/// Whether a delivery is sent now by its sender, or given back by somebody who has what was sent before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fresh<'a> {
    No,
    /// With the co-signature that came with it, if one did.
    Yes(Option<&'a [u8]>),
}

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

    /// What was sent before and is given back, as a supervisor caught up. False if it is here.
    pub(crate) async fn native_given_back(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        delivery: &Delivery,
    ) -> Result<bool, Error> {
        let taken = self.take_delivery(governed, charter, from, delivery, Fresh::No).await?;
        Ok(taken.is_some_and(|taken| taken.withdraw.is_some()))
    }
}

/// The co-signature in front of a delivery, and the delivery.
pub(super) fn cosigned(bytes: &Bytes) -> Result<(Option<Bytes>, Bytes), Error> {
    let malformed = || Error::Message("not a delivery behind a co-signature");
    let length = bytes.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length))).ok_or_else(malformed)?;
    let end = 2 + length;
    if bytes.len() < end { Err(malformed()) } else { Ok((Some(bytes.slice(2..end)), bytes.slice(end..))) }
}
