use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{NativeAddress, path};
use crate::governance::Charter;
use crate::services::{Error, Governed, PeerError};
use crate::types::MemberId;
use crate::wire::EpochKey;

/// How many verified keys of one member are remembered: today's, yesterday's, and those before restarts.
const REMEMBERED: usize = 4;

/// Epoch keys of other members, their signatures verified. The newest last.
#[derive(Default)]
pub(crate) struct EpochKeys(Mutex<HashMap<MemberId, Vec<EpochKey>>>);

impl EpochKeys {
    fn newest(&self, member: &MemberId) -> Option<EpochKey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(member)?.last().cloned()
    }

    fn knows(&self, member: &MemberId, key: &EpochKey) -> bool {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(member).is_some_and(|keys| keys.contains(key))
    }

    fn keep(&self, member: &MemberId, key: EpochKey) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = all.entry(member.clone()).or_default();
        keys.retain(|known| *known != key);
        keys.push(key);
        if keys.len() > REMEMBERED {
            keys.remove(0);
        }
    }
}

impl Governed {
    /// Takes an epoch key that a member sent, once its signature is that of the member's key in the directory.
    pub(crate) fn learn_epoch(&self, charter: &Charter, from: &MemberId, bytes: &[u8]) -> Result<EpochKey, Error> {
        let bad = || Error::EpochKey(from.clone());
        let key = EpochKey::decode(bytes).map_err(|_| bad())?;
        if self.epochs.knows(from, &key) {
            return Ok(key);
        }
        let signer = charter.members().by_id(from).and_then(|member| member.signing_key).ok_or_else(bad)?;
        if key.member != *from || key.network != self.network || key.verify(&signer).is_err() {
            return Err(bad());
        }
        self.epochs.keep(from, key.clone());
        Ok(key)
    }

    /// A member's epoch key that is good today: remembered, or asked for.
    pub(crate) async fn epoch_of(
        &self,
        charter: &Charter,
        to: &NativeAddress,
        today: u32,
        budget: Duration,
    ) -> Result<EpochKey, Error> {
        if let Some(key) = self.epochs.newest(&to.member).filter(|key| key.day == today) {
            return Ok(key);
        }
        let answer = self.peers.call(to, path::EPOCH, bytes::Bytes::new(), budget).await?;
        let key = self.learn_epoch(charter, &to.member, &answer)?;
        if key.day.abs_diff(today) > 1 {
            return Err(PeerError::ClockApart { url: to.endpoint.clone(), days: key.day.abs_diff(today) }.into());
        }
        Ok(key)
    }
}
