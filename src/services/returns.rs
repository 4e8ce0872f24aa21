//! Payloads that come back to a member that lost them: opened by officers to the member itself, and kept anew (`docs/operations.md`).

mod begin;
mod error;
mod take;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::disclosure::{GrantId, Item, Provenance};
use crate::enclave::EnclaveError;
use crate::seal::escrow::Label;
use crate::services::{Error, Node};
use crate::store::{Kind, Lookup};
use crate::translog::hash::Hash;
use crate::types::{ItemId, MemberId, PayloadId};

pub use begin::{Begun, Parts as ReturnParts};
pub use error::ReturnError;

/// Recoveries under way at once; the oldest goes first.
const MOST: usize = 8;

/// What a recovery may bring: the list of a docket of our own request.
struct Listed {
    /// Leaves of its items.
    leaves: HashSet<Hash>,
    /// The holder answers with its signature that we are party to all of it.
    is_ours: bool,
    /// Nothing is to be kept.
    is_drill: bool,
    /// Whose node it is from.
    holder: MemberId,
}

/// Recoveries under way. They are in memory alone: to begin one again is to repeat nothing.
#[derive(Default)]
pub(crate) struct Returns(Mutex<Vec<(GrantId, Arc<Listed>)>>);

impl Returns {
    fn put(&self, grant: GrantId, listed: Listed) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _)| *known != grant);
        if all.len() == MOST {
            all.remove(0);
        }
        all.push((grant, Arc::new(listed)));
    }

    fn get(&self, grant: &GrantId) -> Result<Arc<Listed>, ReturnError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|(known, _)| known == grant);
        found.map(|(_, listed)| Arc::clone(listed)).ok_or(ReturnError::NotBegun(*grant))
    }
}

/// A payload that comes back.
#[derive(Clone, Debug)]
pub struct Brought {
    /// Its item of the list.
    pub item: Item,
    /// Its keys, sealed to the one-time key of the enclave.
    pub sealed: Vec<u8>,
    /// What the chain's id is the hash of.
    pub ciphertext: Vec<u8>,
    /// Header and acknowledgements, as they were disclosed.
    pub provenance: Provenance,
}

/// What became of a payload that came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is kept.
    Kept,
    /// It was here.
    Here,
    /// It is erased here, and stays so.
    Erased,
    /// It is blocked here, and stays so.
    Held,
    /// It went the whole way, and was not kept; nothing of it is here to compare with.
    Drilled,
    /// The same, and its data key is the one that is kept here.
    DrilledSame,
}

/// The answer to a payload that came back.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Settled {
    /// Which.
    pub id: PayloadId,
    /// What became of it.
    pub fate: Fate,
}

impl Node {
    /// Whether this node has or had a payload: then what comes back of it is not taken.
    async fn fate_here(&self, label: &Label) -> Result<Option<Fate>, Error> {
        let id = label.id;
        if self.is_blocked(&ItemId::Payload(id)).await? {
            return Ok(Some(Fate::Held));
        }
        let head = match self.store.head(Kind::Payload, &id).await? {
            Lookup::Found(head) => head,
            Lookup::Erased(_) => return Ok(Some(Fate::Erased)),
            Lookup::Absent => {
                // An order to erase it may have come while it was not here.
                let sender = label.member.as_ref().or(self.governed.as_ref().map(|governed| &governed.me));
                let is_guarded = match sender {
                    Some(sender) => self.is_guarded(&ItemId::Payload(id), sender).await?,
                    None => false,
                };
                return Ok(is_guarded.then_some(Fate::Erased));
            }
        };
        match self.enclave.meta(id, &head).await {
            Ok(_) => Ok(Some(Fate::Here)),
            Err(EnclaveError::Erased) => Ok(Some(Fate::Erased)),
            Err(error) => Err(error.into()),
        }
    }
}
