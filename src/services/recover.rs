//! Getting back from the peers what this node lost (`--recover`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Error, Node, PeerError, ResendScope};
use crate::crypto::hash::payload_id;
use crate::types::{Address, Coded as _, PeerUrl};
use crate::wire::EncodedPayload;

/// How long peers get to learn where we are before they are asked.
const ACQUAINT: Duration = Duration::from_secs(2);
/// Tries at one peer, a second apart.
const TRIES: u32 = 5;

/// What a recovery run brought.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Recovery {
    /// Peers asked.
    pub peers: usize,
    /// Peers that did not serve.
    pub failed: usize,
    /// Payloads that could not be taken: what they build on is nowhere.
    pub left: usize,
}

/// Payloads whose affected transactions have not arrived yet.
#[derive(Default)]
pub(crate) struct Staging(Mutex<Vec<EncodedPayload>>);

impl Staging {
    pub(crate) fn push(&self, payload: EncodedPayload) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(payload);
    }

    fn take(&self) -> Vec<EncodedPayload> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Node {
    /// Asks every peer for everything that our keys take part in, and keeps it.
    pub async fn recover(&self) -> Result<Recovery, Error> {
        let targets = self.directory.poll_targets();
        let deadline = tokio::time::Instant::now() + ACQUAINT;
        while tokio::time::Instant::now() < deadline {
            self.greet_all(&self.directory.unreached()).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let mut recovery = Recovery { peers: targets.len(), ..Recovery::default() };
        for peer in &targets {
            let mut served = true;
            for key in self.own_keys().iter() {
                served &= self.fetch(peer, key).await;
            }
            recovery.failed += usize::from(!served);
        }
        if let Some(governed) = &self.governed {
            let (failed, left) = self.recover_native(governed).await?;
            recovery.failed += failed;
            recovery.left += left;
        }
        recovery.left += self.unstage().await?;
        Ok(recovery)
    }

    async fn fetch(&self, peer: &PeerUrl, key: &Address) -> bool {
        for attempt in 1..=TRIES {
            let outcome = match self.peers.resend_batch(peer, key).await {
                // A peer of before batches.
                Err(PeerError::Refused { status: 404 | 405, .. }) => {
                    self.peers.resend(peer, key, ResendScope::All).await.map(|_| None)
                }
                other => other.map(Some),
            };
            match outcome {
                Ok(total) => {
                    tracing::info!(peer = %peer, total, "peer resent");
                    return true;
                }
                Err(error) => tracing::warn!(peer = %peer, attempt, error = error.without_words(), "peer did not resend"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        false
    }

    /// Takes deliveries of a recovery. Those that build on what is not here yet wait until all have arrived.
    pub async fn push_batch(&self, payloads: Vec<EncodedPayload>) -> Result<(), Error> {
        if !self.settings.recovering {
            return Err(Error::Recovering("batches are accepted during recovery mode only"));
        }
        for payload in payloads {
            match self.admits_unvouched(&payload).await {
                Ok(()) => {}
                Err(error @ (Error::Store(_) | Error::Enclave(_))) => return Err(error),
                Err(error) => {
                    tracing::warn!(id = %payload_id(&payload.ciphertext), code = %error.code(), "a resent payload was not taken");
                    continue;
                }
            }
            if self.is_ready(&payload).await? {
                self.take_recovered(payload).await?;
            } else {
                self.staging.push(payload);
            }
        }
        Ok(())
    }

    pub(crate) async fn is_ready(&self, payload: &EncodedPayload) -> Result<bool, Error> {
        let ids: Vec<_> = payload.privacy.affected.iter().map(|affected| affected.id).collect();
        Ok(ids.is_empty() || self.affected(&ids).await?.len() == ids.len())
    }

    /// One bad payload does not end a recovery; a store that fails does. False if it is not taken.
    pub(crate) async fn take_recovered(&self, payload: EncodedPayload) -> Result<bool, Error> {
        let id = payload_id(&payload.ciphertext);
        match self.take(payload).await {
            Ok(pushed) => {
                self.counters.pushed.add();
                tracing::debug!(id = %pushed.id, "payload recovered");
                Ok(true)
            }
            Err(error @ (Error::Store(_) | Error::Enclave(_))) => Err(error),
            Err(error) => {
                tracing::warn!(%id, code = %error.code(), "a resent payload was not taken");
                Ok(false)
            }
        }
    }

    /// Takes what waits, in the order in which it builds on itself; the number that never became ready.
    async fn unstage(&self) -> Result<usize, Error> {
        loop {
            let waiting = self.staging.take();
            let before = waiting.len();
            let mut later = Vec::new();
            for payload in waiting {
                if self.is_ready(&payload).await? {
                    self.take_recovered(payload).await?;
                } else {
                    later.push(payload);
                }
            }
            if later.len() == before {
                return self.take_unready(later).await;
            }
            for payload in later {
                self.staging.push(payload);
            }
        }
    }

    /// What no peer had the ground of: party protection takes it with its unproved references struck, state validation does not.
    async fn take_unready(&self, payloads: Vec<EncodedPayload>) -> Result<usize, Error> {
        let left = payloads.len();
        for payload in payloads {
            self.take_recovered(payload).await?;
        }
        Ok(left)
    }
}
