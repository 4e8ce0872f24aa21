//! Rows of ceremonies (`docs/store-format.md`). `Table::Relay`: 0 ‖ ceremony → when it came (8) ‖ the opening; 1 ‖ ceremony ‖ round ‖ key ‖
//! digest of the body → place (8) ‖ the officer's message.

use bytes::Bytes;

use super::mailbox::{Kept, Known, Said};
use crate::ceremony::{Carried, CeremonyId, Message};
use crate::crypto::sign::VerifyKey;
use crate::services::{Error, Node};
use crate::store::{Table, Write};

const OPENING: u8 = 0;
const WORD: u8 = 1;
/// Rows read at once.
const PAGE: usize = 256;

/// Where a thing of a ceremony lies; also where a page of an exchange ends: an opening before its words.
pub(super) fn name(id: &CeremonyId, word: Option<(u8, &VerifyKey, &[u8; 32])>) -> Vec<u8> {
    match word {
        None => id.0.to_vec(),
        Some((round, from, digest)) => [&id.0[..], &[round], from.as_bytes(), digest].concat(),
    }
}

fn key(name: &[u8]) -> Vec<u8> {
    let kind = if name.len() == 32 { OPENING } else { WORD };
    [&[kind], name].concat()
}

/// A row: `number` is when an opening came, or the place of a word.
pub(super) fn put(name: &[u8], number: u64, carried: &Carried) -> Write {
    Write::put(Table::Relay, key(name), [&number.to_be_bytes()[..], &carried.encode()].concat())
}

/// Everything of a ceremony goes.
pub(super) fn remove(id: &CeremonyId, kept: &Kept) -> Vec<Write> {
    names(id, kept).map(|name| Write::delete(Table::Relay, key(&name))).collect()
}

/// Names of all that is here of a ceremony, sorted.
pub(super) fn names<'a>(id: &'a CeremonyId, kept: &'a Kept) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let words = kept.said.iter().flat_map(move |((round, from), said)| {
        let mut digests: Vec<&[u8; 32]> = said.iter().map(|said| &said.digest).collect();
        digests.sort_unstable();
        digests.into_iter().map(move |digest| name(id, Some((*round, from, digest))))
    });
    std::iter::once(name(id, None)).chain(words)
}

impl Node {
    /// What lies under a name, as it crosses.
    pub(super) async fn carried(&self, name: &[u8]) -> Result<Option<Bytes>, Error> {
        let row = self.store.row(Table::Relay, &key(name)).await?;
        Ok(row.and_then(|row| (row.len() > 8).then(|| row.slice(8..))))
    }

    /// What is kept, as before the node was started.
    pub(super) async fn read_ceremonies(&self) -> Result<Known, Error> {
        let mut known = Known::default();
        for kind in [OPENING, WORD] {
            let mut after = None::<Bytes>;
            loop {
                let rows = self.store.rows(Table::Relay, &[kind], after.as_deref(), PAGE).await?;
                let Some((last, _)) = rows.last() else { break };
                after = Some(last.clone());
                for (_, row) in &rows {
                    if recall(&mut known, row).is_none() {
                        tracing::error!("a kept row of a ceremony does not decode");
                    }
                }
            }
        }
        Ok(known)
    }
}

fn recall(known: &mut Known, row: &[u8]) -> Option<()> {
    let (number, carried) = row.split_first_chunk::<8>()?;
    let number = u64::from_be_bytes(*number);
    match Carried::decode(carried).ok()? {
        Carried::Opening(opening) => known.open(*opening, number),
        Carried::Message(message) => {
            let Message { ceremony, round, from, .. } = message;
            known.0.get_mut(&ceremony)?.add(round, from, Said { digest: message.digest(), place: number });
        }
    }
    Some(())
}
