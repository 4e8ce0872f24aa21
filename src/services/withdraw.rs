//! Taking back a delivery of a send that failed elsewhere.
//!
//! Threat: whoever knows an id (it is public on the ledger) erases payloads at other members. So a withdrawal needs a random token
//! that only the deliverer got, it lives for seconds in memory, and it exists only for a record that the delivery itself made.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::{Error, Node};
use crate::crypto::hash::sha256;
use crate::crypto::random;
use crate::enclave::EnclaveError;
use crate::shred::SealedHead;
use crate::store::Kind;
use crate::types::{ItemId, ParseError, PayloadId};

/// How long a delivery can be taken back: longer than a send lasts, shorter than a block takes to refer to it and be relied upon.
const LIFETIME: Duration = Duration::from_secs(10);

/// Tokens kept at once; the oldest go first.
const CAPACITY: usize = 65_536;

/// A capability to withdraw one delivery: 16 random bytes, hexadecimal in text.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct WithdrawToken(pub [u8; 16]);

impl fmt::Debug for WithdrawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithdrawToken(..)")
    }
}

impl fmt::Display for WithdrawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for WithdrawToken {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Base64)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

/// Deliveries that can still be withdrawn.
#[derive(Default)]
pub(crate) struct Withdrawals(Mutex<Open>);

#[derive(Default)]
struct Open {
    /// Of the head only its SHA-256: tokens are many, and heads may be large.
    by_token: BTreeMap<WithdrawToken, (PayloadId, [u8; 32])>,
    by_age: VecDeque<(Instant, WithdrawToken)>,
}

impl Withdrawals {
    /// Makes a delivery withdrawable for a short while. The head pins the record: one that another delivery wrote anew since is not this
    /// one's alone, and stays.
    pub(crate) fn offer(&self, id: PayloadId, head: &SealedHead) -> WithdrawToken {
        let token = WithdrawToken(random());
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.expire(Instant::now());
        open.by_token.insert(token, (id, digest(head)));
        open.by_age.push_back((Instant::now(), token));
        token
    }

    /// Takes the delivery of a token, once.
    fn take(&self, id: &PayloadId, token: WithdrawToken) -> Option<[u8; 32]> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.expire(Instant::now());
        if open.by_token.get(&token).is_none_or(|(offered, _)| offered != id) {
            return None;
        }
        open.by_token.remove(&token).map(|(_, head)| head)
    }
}

fn digest(head: &SealedHead) -> [u8; 32] {
    Sha256::digest(head.as_bytes()).into()
}

impl Open {
    fn expire(&mut self, now: Instant) {
        while let Some((born, token)) = self.by_age.front().copied() {
            if now.duration_since(born) < LIFETIME && self.by_age.len() < CAPACITY {
                break;
            }
            self.by_age.pop_front();
            self.by_token.remove(&token);
        }
    }
}

impl Node {
    /// Forgets a delivery, or a supervisor's copy, that its deliverer takes back. The key is punctured; no tombstone, for the same id may be
    /// sent again. What this node supervises goes a moment later, if no recipient has it.
    pub async fn withdraw(self: &Arc<Self>, id: PayloadId, token: WithdrawToken) -> Result<(), Error> {
        let offered = self.withdrawals.take(&id, token).ok_or(Error::WithdrawRefused)?;
        // Threat: its sender takes away what must be kept.
        if self.held_until(&ItemId::Payload(id)).await?.is_some() {
            return Err(Error::WithdrawRefused);
        }
        if let Some(governed) = &self.governed
            && let Some(taken) = self.supervised_here(&id, |head| digest(head) == offered).await?
        {
            self.take_back_later(governed, taken);
            return Ok(());
        }
        let head = self.head(Kind::Payload, &id).await?.filter(|head| digest(head) == offered);
        let head = head.ok_or(Error::WithdrawRefused)?;
        let header = if self.governed.is_some() { self.header_digest(id, &head).await? } else { None };
        if !self.forget(id, head).await? {
            return Err(Error::WithdrawRefused);
        }
        if let Some(header) = header {
            self.note_taken_back(&id, &header).await?;
        }
        self.counters.withdrawn.add();
        tracing::info!(%id, "a delivery was withdrawn by its sender");
        Ok(())
    }

    async fn header_digest(&self, id: PayloadId, head: &SealedHead) -> Result<Option<[u8; 32]>, Error> {
        match self.enclave.meta(id, head).await {
            Ok(meta) => Ok(meta.native.map(|native| sha256(&[&native.header]))),
            Err(EnclaveError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a record that nobody refers to, and its key. False if the record changed since.
    pub(crate) async fn forget(&self, id: PayloadId, head: SealedHead) -> Result<bool, Error> {
        let leaf = head.leaf();
        let tags = self.tags_under(ItemId::Payload(id), &head).await.unwrap_or_default();
        if !self.store.forget(Kind::Payload, id, head).await? {
            return Ok(false);
        }
        if let Some(tags) = tags {
            self.unindex_forgotten(ItemId::Payload(id), tags).await?;
        }
        self.enclave.erase(vec![leaf]).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn head() -> SealedHead {
        SealedHead::from_bytes(Bytes::from(vec![1; 60])).expect("long enough")
    }

    #[test]
    fn a_token_withdraws_its_own_delivery_once() {
        let withdrawals = Withdrawals::default();
        let (id, other) = (PayloadId::new([1; 64]), PayloadId::new([2; 64]));
        let token = withdrawals.offer(id, &head());
        assert!(withdrawals.take(&other, token).is_none());
        assert!(withdrawals.take(&id, WithdrawToken([0; 16])).is_none());
        assert!(withdrawals.take(&id, token).is_some());
        assert!(withdrawals.take(&id, token).is_none());
    }

    #[test]
    fn tokens_are_bounded_and_expire() {
        let mut open = Open::default();
        let token = WithdrawToken([7; 16]);
        open.by_token.insert(token, (PayloadId::new([1; 64]), digest(&head())));
        let born = Instant::now();
        open.by_age.push_back((born, token));
        open.expire(born);
        assert_eq!(open.by_token.len(), 1);
        open.expire(born + LIFETIME);
        assert!(open.by_token.is_empty());
    }

    #[test]
    fn a_token_reads_back_and_prints_nothing_in_debug() {
        let token = WithdrawToken([0xab; 16]);
        assert_eq!(token.to_string().parse(), Ok(token));
        assert!("zz".parse::<WithdrawToken>().is_err());
        assert!(!format!("{token:?}").contains("ab"));
    }
}
