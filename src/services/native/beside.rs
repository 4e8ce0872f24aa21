//! What is kept beside a payload, sealed under its leaf: acknowledgements, words of supervisors, and of a payload in Tessera's suite the copies
//! that its supervisors got. It goes with the payload, into a hold and out of the world.

use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::StoreError;
use crate::types::PayloadId;
use crate::wire::Vouched;
use crate::wire::ack::SignedAck;

/// What it is sealed as.
pub(crate) const ACKS: &str = "acks";

/// What is kept beside a payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Beside {
    /// What recipients of a payload of ours signed.
    pub(crate) acks: Vec<SignedAck>,
    /// What supervisors said of it: given back with it.
    pub(crate) words: Vouched,
    /// The copies that supervisors got of what has no header of its own: one for each time that it was sent.
    pub(crate) copies: Vec<Vec<u8>>,
}

impl Beside {
    /// Acknowledgements alone.
    pub(crate) fn acks(acks: Vec<SignedAck>) -> Self {
        Self { acks, ..Self::default() }
    }

    /// `count (4) ‖ acknowledgements × (length (4) ‖ bytes)`, big-endian; where there is anything else `length (4) ‖ words ‖ copies ×
    /// (length (4) ‖ bytes)`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = length(self.acks.len()).to_vec();
        let mut put = |part: &[u8]| {
            bytes.extend_from_slice(&length(part.len()));
            bytes.extend_from_slice(part);
        };
        self.acks.iter().for_each(|ack| put(&ack.encode()));
        if !self.words.is_empty() || !self.copies.is_empty() {
            put(&self.words.encode());
            self.copies.iter().for_each(|copy| put(copy));
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first_chunk::<4>()?;
        let mut acks = Vec::new();
        for _ in 0..u32::from_be_bytes(*count) {
            acks.push(SignedAck::decode(part(&mut rest)?).ok()?);
        }
        if rest.is_empty() {
            return Some(Self::acks(acks));
        }
        let words = Vouched::decode(part(&mut rest)?).ok()?;
        let mut copies = Vec::new();
        while !rest.is_empty() {
            copies.push(part(&mut rest)?.to_vec());
        }
        Some(Self { acks, words, copies })
    }
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, tail) = rest.split_first_chunk::<4>()?;
    let (part, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *rest = tail;
    Some(part)
}

impl Node {
    /// What is kept beside a payload that is here; nothing of one that has nothing.
    pub(crate) async fn beside(&self, id: &PayloadId, head: &SealedHead) -> Result<Beside, Error> {
        let Some(sealed) = self.store.beside(id).await? else { return Ok(Beside::default()) };
        // What an interrupted release of a hold left under another leaf is dead.
        if SealedHead::from_bytes(sealed.clone()).is_none_or(|sealed| sealed.leaf() != head.leaf()) {
            return Ok(Beside::default());
        }
        let text = self.enclave.open_beside(head, ACKS, sealed).await?;
        Ok(Beside::decode(&text).ok_or_else(|| StoreError::Corrupt("what is beside a payload".into()))?)
    }

    /// Keeps what supervisors said of a payload that was just taken: a co-signature durably before it is acknowledged, acknowledgements behind
    /// the answer, with those of others.
    pub(super) async fn keep_words(
        &self,
        governed: &Governed,
        id: PayloadId,
        head: &SealedHead,
        words: Vouched,
    ) -> Result<(), Error> {
        if words.cosignature.is_none() && !words.is_empty() {
            self.keep_later(governed, id, head.clone(), Beside { words, ..Beside::default() }, None);
            return Ok(());
        }
        self.keep_cosignature(id, head, &words).await
    }

    /// Keeps a co-signature at once: without it a payload is not given back, and nobody makes it again. All else waits for the
    /// acknowledgements of recipients.
    pub(super) async fn keep_cosignature(&self, id: PayloadId, head: &SealedHead, words: &Vouched) -> Result<(), Error> {
        if words.cosignature.is_none() {
            return Ok(());
        }
        self.keep_beside(id, head, &Beside { words: words.clone(), ..Beside::default() }).await
    }

    /// Keeps it, durably when this returns. Nothing is written where there is nothing to keep.
    pub(crate) async fn keep_beside(&self, id: PayloadId, head: &SealedHead, beside: &Beside) -> Result<(), Error> {
        if *beside != Beside::default() {
            let sealed = self.enclave.seal_beside(head, ACKS, beside.encode()).await?;
            self.store.put_beside(id, sealed, None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{MemberId, NetworkId};
    use crate::wire::ack::Ack;

    #[test]
    fn what_was_written_before_is_read_and_what_is_written_comes_back() {
        let ack = Ack {
            network: NetworkId::new([1; 32]),
            id: PayloadId::new([2; 64]),
            header: [3; 32],
            member: "b".parse::<MemberId>().expect("an id"),
            addresses: Vec::new(),
            time: 4,
            durable: true,
        };
        let root = crate::wire::ack::root(std::slice::from_ref(&ack));
        let ack = crate::wire::ack::join(vec![ack], &root, [5; 64]).remove(0);
        // Before words were kept: a count, and each with its length.
        let bytes = ack.encode();
        let old = [&1_u32.to_be_bytes()[..], &u32::try_from(bytes.len()).expect("short").to_be_bytes(), &bytes].concat();
        assert_eq!(Beside::decode(&old), Some(Beside::acks(vec![ack.clone()])));
        assert_eq!(Beside::acks(vec![ack.clone()]).encode(), old);
        let words = Vouched { cosignature: Some(vec![6; 40]), ..Vouched::default() };
        for beside in [
            Beside::default(),
            Beside { words: words.clone(), ..Beside::default() },
            Beside { acks: vec![ack], words, copies: vec![vec![7; 50], vec![8; 9]] },
        ] {
            let bytes = beside.encode();
            assert_eq!(Beside::decode(&bytes), Some(beside));
            assert_eq!(Beside::decode(&[&bytes[..], &[0]].concat()), None, "trailing");
        }
    }
}
