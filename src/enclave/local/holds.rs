//! Blocked records: their heads in envelopes of the hold committee, and back.
//!
//! ```text
//! content = count (2) ‖ count × (length (2) ‖ label ‖ length (4) ‖ text) ‖ head
//! ```

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::{Inner, documents, head, named};
use crate::crypto::Broken;
use crate::crypto::hpke::BoxKey;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::{GroupKey, Partial};
use crate::enclave::{EnclaveError, HoldLock, HoldRelease, Restored};
use crate::seal::hold;
use crate::shred::SealedHead;
use crate::types::ItemId;

/// How long a one-time key waits for the committee.
const LIFETIME: Duration = Duration::from_hours(24);
/// One-time keys at once; the oldest goes first.
const MOST: usize = 64;

/// Private halves of one-time keys.
///
/// Threat: an answer of the committee is kept and used again, after the hold was placed anew or the disk was put back. So its key is never
/// written down, and goes with the process.
#[derive(Default)]
pub(super) struct OneTimeKeys(Mutex<VecDeque<(Instant, BoxKey, Secret<32>)>>);

impl OneTimeKeys {
    /// Makes one; its public half.
    pub(super) fn fresh(&self) -> BoxKey {
        let private = Secret::random();
        let public = BoxKey::of(&private);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(born, _, _)| born.elapsed() < LIFETIME);
        if keys.len() == MOST {
            keys.pop_front();
        }
        keys.push_back((Instant::now(), public, private));
        public
    }

    /// What the officers answered, each verified against the share that the committee names.
    ///
    /// Threat: an officer, or who passes for one, gives what opens nothing, and nobody knows whose it was.
    fn open(&self, release: &HoldRelease, lock: &HoldLock) -> Result<Vec<Partial>, EnclaveError> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.iter().find(|(born, public, _)| *public == release.one_time && born.elapsed() < LIFETIME);
        let (_, _, private) = found.ok_or(EnclaveError::HoldKeyGone)?;
        let mut partials = Vec::with_capacity(release.shares.len());
        for (at, share) in (0..).zip(&release.shares) {
            let partial = hold::open_answer(private, &release.label, &share.sealed).ok();
            let partial = partial.filter(|partial| partial.verify(&share.verifying, &lock.capsule, &release.label));
            partials.push(partial.ok_or(EnclaveError::HoldShare(at))?);
        }
        Ok(partials)
    }
}

impl Inner {
    pub(super) fn block(
        &self,
        item: ItemId,
        head: &SealedHead,
        beside: Vec<(String, Bytes)>,
        committee: GroupKey,
        label: &[u8],
    ) -> Result<SealedHead, EnclaveError> {
        let opened = self.forest.open_head(&inner(&item), head).map_err(named)?;
        let mut texts = Vec::with_capacity(beside.len());
        for (name, sealed) in beside {
            let text = self.open_beside(head, &name, sealed)?;
            texts.push((name, text));
        }
        let content = join(&texts, &opened);
        let envelope = hold::seal(&committee, label, &content);
        Ok(self.forest.seal_new(&outer(&item), &envelope)?)
    }

    pub(super) fn hold_lock(&self, item: ItemId, envelope: &SealedHead) -> Result<HoldLock, EnclaveError> {
        Ok(hold::lock_of(&self.forest.open_head(&outer(&item), envelope).map_err(named)?)?)
    }

    pub(super) fn release(&self, item: ItemId, release: &HoldRelease) -> Result<Restored, EnclaveError> {
        let envelope = self.forest.open_head(&outer(&item), &release.envelope).map_err(named)?;
        let partials = self.one_time.open(release, &hold::lock_of(&envelope)?)?;
        let content = hold::open(&envelope, &partials, &release.label)?;
        let (texts, plain) = split(&content).ok_or(Broken)?;
        match item {
            ItemId::Payload(_) => drop(head::decode(plain)?),
            ItemId::Document(_) => drop(documents::data_key(plain).ok_or(Broken)?),
        }
        let head = self.forest.seal_new(&inner(&item), plain)?;
        let mut beside = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            beside.push((name.to_owned(), self.seal_beside(&head, name, text)?));
        }
        Ok(Restored { head, beside })
    }
}

/// Associated data of an item's own head.
fn inner(item: &ItemId) -> Vec<u8> {
    match item {
        ItemId::Payload(id) => id.as_bytes().to_vec(),
        ItemId::Document(id) => documents::bound(id),
    }
}

/// Associated data of an envelope under its leaf: of another length than [`inner`] of any item, so neither is ever taken for the other.
fn outer(item: &ItemId) -> Vec<u8> {
    [b"celosia hold outer 1\0".as_slice(), item.as_bytes()].concat()
}

fn join(texts: &[(String, Zeroizing<Vec<u8>>)], head: &[u8]) -> Zeroizing<Vec<u8>> {
    let size = 2 + head.len() + texts.iter().map(|(name, text)| 6 + name.len() + text.len()).sum::<usize>();
    let short = |length: usize| u16::try_from(length).expect("a handful of short labels").to_be_bytes();
    // Allocated once, so that no half-written copy of the data key stays behind.
    let mut content = Zeroizing::new(Vec::with_capacity(size));
    content.extend_from_slice(&short(texts.len()));
    for (name, text) in texts {
        content.extend_from_slice(&short(name.len()));
        content.extend_from_slice(name.as_bytes());
        content.extend_from_slice(&u32::try_from(text.len()).expect("a row of the store").to_be_bytes());
        content.extend_from_slice(text);
    }
    content.extend_from_slice(head);
    content
}

/// Named texts, and what follows them.
type Texts<'a> = (Vec<(&'a str, &'a [u8])>, &'a [u8]);

fn split(content: &[u8]) -> Option<Texts<'_>> {
    let (count, mut rest) = content.split_first_chunk::<2>()?;
    let mut texts = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let (name, tail) = tail.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (length, tail) = tail.split_first_chunk::<4>()?;
        let (text, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        texts.push((std::str::from_utf8(name).ok()?, text));
        rest = tail;
    }
    Some((texts, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_apart_as_it_was_joined() {
        let texts = [("tags".to_owned(), Zeroizing::new(b"{}".to_vec())), ("acks".to_owned(), Zeroizing::new(Vec::new()))];
        let content = join(&texts, b"head");
        let (back, head) = split(&content).expect("whole");
        assert_eq!((back, head), (vec![("tags", b"{}".as_slice()), ("acks", b"")], b"head".as_slice()));
        for length in 0..content.len() - 4 {
            assert!(split(&content[..length]).is_none(), "{length}");
        }
    }
}
