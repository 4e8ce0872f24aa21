//! Rows of holds, byte by byte (`docs/store-format.md`).
//!
//! `Table::Hold`: 0 ‖ hold → the hold, JSON; 1 ‖ item ‖ hold → its end (8) ‖ its kind (1); 2 ‖ item → the envelopes of what is blocked, CBOR;
//! 3 ‖ end (8) ‖ hold → nothing: it stands; 4 ‖ hold ‖ item → nothing; 5 ‖ hold → nothing: its items are being blocked.
//! Numbers are big-endian.

use bytes::Bytes;
use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};

use crate::erasure::{Hold, HoldId, HoldKind, HoldLabel};
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, StoreError, Table, Write};
use crate::types::{ItemId, NetworkId};
use crate::wire::native::Message as _;

const HOLD: u8 = 0;
const ON: u8 = 1;
pub(super) const ENVELOPE: u8 = 2;
pub(super) const ENDS: u8 = 3;
const OF: u8 = 4;
const UNFINISHED: u8 = 5;
/// The kind of a [`Part`] that is of a document: none of [`Kind`]'s.
const DOCUMENT: u8 = 255;

/// A hold on an item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct On {
    pub(super) hold: HoldId,
    pub(super) until: u64,
    pub(super) kind: HoldKind,
}

/// A record of a blocked item: what it was, and the envelope that its head went into.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(in crate::services) struct Part {
    /// Payload, raw payload or document.
    #[n(0)]
    kind: u8,
    /// The head that the envelope was made of. Its leaf is punctured.
    #[n(1)]
    head: ByteVec,
    /// The envelope under a leaf of its own.
    #[n(2)]
    envelope: ByteVec,
    /// The hold that it was made for, and what that said then: the envelope's label.
    #[n(3)]
    hold: ByteVec,
    #[n(4)]
    ground: String,
    #[n(5)]
    reference: String,
    #[n(6)]
    until: u64,
}

fn corrupt(what: &str) -> Error {
    Error::Store(StoreError::Corrupt(what.to_owned()))
}

fn sealed(bytes: &ByteVec) -> Result<SealedHead, Error> {
    SealedHead::from_bytes(Bytes::copy_from_slice(bytes)).ok_or_else(|| corrupt("an envelope of a blocked item"))
}

impl Part {
    pub(super) fn new(kind: Kind, head: &SealedHead, envelope: &SealedHead, hold: &Hold) -> Self {
        Self::of(kind as u8, head, envelope, hold)
    }

    /// That of a document.
    pub(in crate::services) fn document(head: &SealedHead, envelope: &SealedHead, hold: &Hold) -> Self {
        Self::of(DOCUMENT, head, envelope, hold)
    }

    fn of(kind: u8, head: &SealedHead, envelope: &SealedHead, hold: &Hold) -> Self {
        Self {
            kind,
            head: head.as_bytes().to_vec().into(),
            envelope: envelope.as_bytes().to_vec().into(),
            hold: hold.id.0.to_vec().into(),
            ground: hold.ground.clone(),
            reference: hold.reference.clone(),
            until: hold.until,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        if self.kind == Kind::Raw as u8 { Kind::Raw } else { Kind::Payload }
    }

    pub(super) fn head(&self) -> Result<SealedHead, Error> {
        sealed(&self.head)
    }

    pub(in crate::services) fn envelope(&self) -> Result<SealedHead, Error> {
        sealed(&self.envelope)
    }

    pub(super) fn label(&self, network: NetworkId, item: ItemId) -> Result<HoldLabel, Error> {
        let hold = self.hold.as_slice().try_into().map(HoldId).map_err(|_| corrupt("an envelope of a blocked item"))?;
        let (ground, reference) = (self.ground.clone(), self.reference.clone());
        Ok(HoldLabel { network, item, hold, ground, reference, until: self.until })
    }
}

fn key(kind: u8, parts: &[&[u8]]) -> Bytes {
    [&[kind][..], &parts.concat()].concat().into()
}

pub(in crate::services) fn envelope_key(item: &ItemId) -> Bytes {
    key(ENVELOPE, &[item.as_bytes()])
}

/// Writes a hold as it is now.
pub(super) fn put_hold(hold: &Hold) -> Write {
    // Strings and numbers always serialise.
    Write::put(Table::Hold, key(HOLD, &[&hold.id.0]), serde_json::to_vec(hold).unwrap_or_default())
}

/// The rows of a hold that begins to stand, beside [`put_hold`].
pub(super) fn begin(hold: &Hold, items: &[ItemId]) -> Vec<Write> {
    let mut rows = vec![put_hold(hold), Write::put(Table::Hold, ends_key(hold), Bytes::new())];
    if hold.kind == HoldKind::Block {
        rows.push(Write::put(Table::Hold, key(UNFINISHED, &[&hold.id.0]), Bytes::new()));
    }
    let value = [&hold.until.to_be_bytes()[..], &[hold.kind.number()]].concat();
    for item in items {
        rows.push(Write::put(Table::Hold, key(ON, &[item.as_bytes(), &hold.id.0]), value.clone()));
        rows.push(Write::put(Table::Hold, key(OF, &[&hold.id.0, item.as_bytes()]), Bytes::new()));
    }
    rows
}

/// Every item of a hold is blocked.
pub(super) fn finished(hold: &Hold) -> Vec<Write> {
    vec![put_hold(hold), Write::delete(Table::Hold, key(UNFINISHED, &[&hold.id.0]))]
}

/// A hold is over. Its row stays, as what was done has to be shown.
pub(super) fn over(hold: &Hold) -> Vec<Write> {
    [finished(hold), vec![Write::delete(Table::Hold, ends_key(hold))]].concat()
}

/// A hold is no longer on an item.
pub(in crate::services) fn let_go(hold: &HoldId, item: &ItemId) -> [Write; 2] {
    [
        Write::delete(Table::Hold, key(ON, &[item.as_bytes(), &hold.0])),
        Write::delete(Table::Hold, key(OF, &[&hold.0, item.as_bytes()])),
    ]
}

pub(in crate::services) fn put_parts(item: &ItemId, parts: &[Part]) -> Write {
    Write::put(Table::Hold, envelope_key(item), parts.to_vec().to_bytes())
}

fn ends_key(hold: &Hold) -> Bytes {
    key(ENDS, &[&hold.until.to_be_bytes(), &hold.id.0])
}

impl Node {
    pub(super) async fn hold_row(&self, id: &HoldId) -> Result<Option<Hold>, Error> {
        let row = self.store.row(Table::Hold, &key(HOLD, &[&id.0])).await?;
        row.map(|row| serde_json::from_slice(&row).map_err(|_| corrupt("a hold"))).transpose()
    }

    pub(super) async fn hold_rows(&self, after: Option<&HoldId>, limit: usize) -> Result<Vec<Hold>, Error> {
        let after = after.map(|id| key(HOLD, &[&id.0]));
        let rows = self.store.rows(Table::Hold, &[HOLD], after.as_deref(), limit).await?;
        rows.iter().map(|(_, row)| serde_json::from_slice(row).map_err(|_| corrupt("a hold"))).collect()
    }

    /// The holds on an item, whatever the time.
    pub(super) async fn holds_of(&self, item: &ItemId) -> Result<Vec<On>, Error> {
        let prefix = key(ON, &[item.as_bytes()]);
        let rows = self.store.rows(Table::Hold, &prefix, None, usize::MAX).await?;
        let mut on = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            // The id of a payload may begin with that of a document: its keys are longer.
            let Ok(hold) = key[prefix.len()..].try_into().map(HoldId) else { continue };
            let read = || {
                let (until, kind) = row.split_first_chunk::<8>()?;
                let kind = HoldKind::from_number(*kind.first()?)?;
                Some(On { hold, until: u64::from_be_bytes(*until), kind })
            };
            on.push(read().ok_or_else(|| corrupt("a hold on an item"))?);
        }
        Ok(on)
    }

    pub(super) async fn items_of_hold(&self, id: &HoldId) -> Result<Vec<ItemId>, Error> {
        let prefix = key(OF, &[&id.0]);
        let rows = self.store.rows(Table::Hold, &prefix, None, usize::MAX).await?;
        rows.iter().map(|(key, _)| ItemId::from_bytes(&key[prefix.len()..]).map_err(|_| corrupt("an item of a hold"))).collect()
    }

    /// What is kept of a blocked item; empty if it is not blocked.
    pub(in crate::services) async fn parts(&self, item: &ItemId) -> Result<Vec<Part>, Error> {
        let Some(row) = self.store.row(Table::Hold, &envelope_key(item)).await? else { return Ok(Vec::new()) };
        Vec::<Part>::from_bytes(&row).map_err(|_| corrupt("the envelopes of a blocked item"))
    }

    /// Holds whose end has come, the longest over first.
    pub(super) async fn holds_over(&self, now: u64) -> Result<Vec<HoldId>, Error> {
        let rows = self.store.rows(Table::Hold, &[ENDS], None, super::PAGE).await?;
        let mut over = Vec::new();
        for (key, _) in rows {
            let (end, hold) = key[1..].split_first_chunk::<8>().ok_or_else(|| corrupt("the end of a hold"))?;
            if u64::from_be_bytes(*end) > now {
                break;
            }
            over.push(hold.try_into().map(HoldId).map_err(|_| corrupt("the end of a hold"))?);
        }
        Ok(over)
    }

    /// Holds whose items a crash left half blocked.
    pub(super) async fn unfinished_holds(&self) -> Result<Vec<HoldId>, Error> {
        let rows = self.store.rows(Table::Hold, &[UNFINISHED], None, usize::MAX).await?;
        rows.iter().map(|(key, _)| key[1..].try_into().map(HoldId).map_err(|_| corrupt("the mark of a hold"))).collect()
    }
}
