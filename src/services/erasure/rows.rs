//! Rows of cases and orders, byte by byte (`docs/store-format.md`).
//!
//! `Table::Case`: 0 ‖ case → the case, JSON; 1 ‖ case ‖ page → its items before it is decided; 2 ‖ case ‖ page ‖ holder → an order and its
//! answer; 3 ‖ case → nothing: it is at work; 4 ‖ case ‖ page ‖ holder → items that it had when the case was opened; 5 ‖ case ‖ item → whom it was
//! addressed to, JSON. `Table::Order`: 0 ‖ digest → an order that was taken; 1 ‖ item → the controllers that
//! ordered it while it was not here; 2 ‖ digest → nothing: it is not answered for good; 3 ‖ member → how many guards it has (8); 4 → nothing: guards are
//! counted.

use bytes::Bytes;
use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};

use crate::erasure::{Addressed, Case, CaseId};
use crate::services::{Error, Node};
use crate::store::{StoreError, Table, Write};
use crate::types::{ItemId, MemberId};
use crate::wire::native::Message as _;

const CASE: u8 = 0;
const ITEMS: u8 = 1;
pub(super) const GIVEN: u8 = 2;
const AT_WORK: u8 = 3;
const PLAN: u8 = 4;
const AUDIENCE: u8 = 5;
pub(super) const TAKEN: u8 = 0;
const GUARD: u8 = 1;
const OPEN: u8 = 2;
const GUARDS: u8 = 3;
const COUNTED: u8 = 4;

/// An order that this node gave, and the newest answer.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(super) struct Given {
    /// The signed order.
    #[n(0)]
    pub(super) order: ByteVec,
    /// The answer: empty until there is one.
    #[n(1)]
    pub(super) receipt: ByteVec,
    /// What the holder's journal says of it.
    #[n(2)]
    pub(super) record: ByteVec,
    /// The salt of that.
    #[n(3)]
    pub(super) salt: ByteVec,
    /// Its tlog-proof.
    #[n(4)]
    pub(super) proof: String,
}

/// An order that this node took.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(super) struct Kept {
    /// The signed order.
    #[n(0)]
    pub(super) order: ByteVec,
    /// One [`Mark`] for each item.
    #[n(1)]
    pub(super) marks: ByteVec,
    /// When the last item was punctured, milliseconds since the Unix epoch; 0: none was.
    #[n(2)]
    pub(super) erased: u64,
    /// Level reached, 0 for none.
    #[n(3)]
    pub(super) level: u8,
    /// The newest receipt; empty before the first.
    #[n(4)]
    pub(super) receipt: ByteVec,
    /// Row of the journal that has it.
    #[n(5)]
    pub(super) index: u64,
    /// The last level is told to nobody before the files are purged: when that was done for this order.
    #[n(6)]
    pub(super) purged: u64,
    /// Generation of the root once the last item was punctured: a rotation from it, or from a later one, makes it backup-safe.
    ///
    /// Threat: a clock that was ahead once. Generations only rise, whatever the clock says.
    #[n(7)]
    pub(super) generation: u32,
}

/// What became of an item of an order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Mark {
    Pending = 0,
    Absent = 1,
    Erased = 2,
    Held = 3,
    NotControllers = 4,
}

impl Mark {
    pub(super) fn of(number: u8) -> Self {
        [Self::Absent, Self::Erased, Self::Held, Self::NotControllers]
            .into_iter()
            .find(|mark| *mark as u8 == number)
            .unwrap_or(Self::Pending)
    }
}

fn corrupt(what: &str) -> Error {
    Error::Store(StoreError::Corrupt(what.to_owned()))
}

fn named(kind: u8, name: &[u8]) -> Bytes {
    [&[kind], name].concat().into()
}

fn given_key(case: &CaseId, page: u32, holder: &MemberId) -> Bytes {
    [&[GIVEN][..], &case.0, &page.to_be_bytes(), holder.as_str().as_bytes()].concat().into()
}

/// Writes a case, and whether it is at work.
pub(super) fn put_case(case: &Case) -> Vec<Write> {
    let text = serde_json::to_vec(case).unwrap_or_default();
    let marker = named(AT_WORK, &case.id.0);
    let marker =
        if case.state.is_at_work() { Write::put(Table::Case, marker, Bytes::new()) } else { Write::delete(Table::Case, marker) };
    vec![Write::put(Table::Case, named(CASE, &case.id.0), text), marker]
}

pub(super) fn put_items(case: &CaseId, page: u32, items: &[ItemId]) -> Write {
    let key = [&[ITEMS][..], &case.0, &page.to_be_bytes()].concat();
    let items: Vec<ByteVec> = items.iter().map(|item| item.as_bytes().to_vec().into()).collect();
    Write::put(Table::Case, key, items.to_bytes())
}

/// Writes what a holder has when a case is opened: later, nobody may be able to read it any more.
pub(super) fn put_plan(case: &CaseId, page: u32, holder: &MemberId, items: &[ItemId]) -> Write {
    let key = [&[PLAN][..], &case.0, &page.to_be_bytes(), holder.as_str().as_bytes()].concat();
    let items: Vec<ByteVec> = items.iter().map(|item| item.as_bytes().to_vec().into()).collect();
    Write::put(Table::Case, key, items.to_bytes())
}

/// Writes whom a payload was addressed to.
pub(super) fn put_audience(case: &CaseId, item: &ItemId, addressed: &Addressed) -> Write {
    let key = [&[AUDIENCE][..], &case.0, item.as_bytes()].concat();
    // Strings always serialise.
    Write::put(Table::Case, key, serde_json::to_vec(addressed).unwrap_or_default())
}

pub(super) fn put_given(case: &CaseId, page: u32, holder: &MemberId, given: &Given) -> Write {
    Write::put(Table::Case, given_key(case, page, holder), given.to_bytes())
}

/// Writes an order that was taken, and whether it is still open.
pub(super) fn put_kept(digest: &[u8; 32], kept: &Kept, is_open: bool) -> Vec<Write> {
    let marker = named(OPEN, digest);
    let marker = if is_open { Write::put(Table::Order, marker, Bytes::new()) } else { Write::delete(Table::Order, marker) };
    vec![Write::put(Table::Order, named(TAKEN, digest), kept.to_bytes()), marker]
}

pub(super) fn put_guard(item: &ItemId, controllers: &[MemberId]) -> Write {
    let words: Vec<&str> = controllers.iter().map(MemberId::as_str).collect();
    Write::put(Table::Order, named(GUARD, item.as_bytes()), words.join("\n").into_bytes())
}

/// Writes how many guards a member has.
pub(super) fn put_guard_count(member: &MemberId, count: u64) -> Write {
    Write::put(Table::Order, named(GUARDS, member.as_str().as_bytes()), count.to_be_bytes().to_vec())
}

/// The prefix of those rows.
pub(super) fn guard_count() -> [u8; 1] {
    [GUARDS]
}

/// The mark that guards are counted.
pub(super) fn guards_are_counted() -> Write {
    Write::put(Table::Order, named(COUNTED, &[]), Bytes::new())
}

fn controllers(row: &[u8]) -> Result<Vec<MemberId>, Error> {
    let text = std::str::from_utf8(row).map_err(|_| corrupt("an order's guard"))?;
    text.split('\n').map(|word| word.parse().map_err(|_| corrupt("an order's guard"))).collect()
}

impl Node {
    /// How many guards a member has, once they are counted.
    pub(super) async fn guard_count(&self, member: &MemberId) -> Result<u64, Error> {
        let Some(row) = self.store.row(Table::Order, &named(GUARDS, member.as_str().as_bytes())).await? else { return Ok(0) };
        row.as_ref().try_into().map(u64::from_be_bytes).map_err(|_| corrupt("the number of a member's guards"))
    }

    /// A page of guards: the controllers of each, and the last key; `None` at the end.
    pub(super) async fn page_of_guards(
        &self,
        after: Option<Bytes>,
        limit: usize,
    ) -> Result<Option<(Vec<Vec<MemberId>>, Bytes)>, Error> {
        let rows = self.store.rows(Table::Order, &[GUARD], after.as_deref(), limit).await?;
        let Some((last, _)) = rows.last() else { return Ok(None) };
        let last = last.clone();
        let page = rows.iter().map(|(_, row)| controllers(row)).collect::<Result<_, _>>()?;
        Ok(Some((page, last)))
    }

    pub(super) async fn case(&self, id: &CaseId) -> Result<Option<Case>, Error> {
        let row = self.store.row(Table::Case, &named(CASE, &id.0)).await?;
        row.map(|row| serde_json::from_slice(&row).map_err(|_| corrupt("a case"))).transpose()
    }

    pub(super) async fn cases_after(&self, after: Option<&CaseId>, limit: usize) -> Result<Vec<Case>, Error> {
        let after = after.map(|id| named(CASE, &id.0));
        let rows = self.store.rows(Table::Case, &[CASE], after.as_deref(), limit).await?;
        rows.iter().map(|(_, row)| serde_json::from_slice(row).map_err(|_| corrupt("a case"))).collect()
    }

    pub(super) async fn cases_at_work(&self) -> Result<Vec<CaseId>, Error> {
        let rows = self.store.rows(Table::Case, &[AT_WORK], None, usize::MAX).await?;
        rows.iter().map(|(key, _)| key[1..].try_into().map(CaseId).map_err(|_| corrupt("a case's mark"))).collect()
    }

    pub(super) async fn case_items(&self, id: &CaseId, page: u32) -> Result<Vec<ItemId>, Error> {
        let key = [&[ITEMS][..], &id.0, &page.to_be_bytes()].concat();
        let Some(row) = self.store.row(Table::Case, &key).await? else { return Ok(Vec::new()) };
        let items = Vec::<ByteVec>::from_bytes(&row).map_err(|_| corrupt("the items of a case"))?;
        items.iter().map(|item| ItemId::from_bytes(item).map_err(|_| corrupt("the items of a case"))).collect()
    }

    /// Whom the payloads of a case were addressed to.
    pub(super) async fn audiences(&self, case: &CaseId) -> Result<Vec<Addressed>, Error> {
        let rows = self.store.rows(Table::Case, &named(AUDIENCE, &case.0), None, usize::MAX).await?;
        rows.iter().map(|(_, row)| serde_json::from_slice(row).map_err(|_| corrupt("whom a payload was addressed to"))).collect()
    }

    /// Who had what when a case was opened.
    pub(super) async fn planned(&self, case: &CaseId) -> Result<Vec<(MemberId, Vec<ItemId>)>, Error> {
        let broken = || corrupt("the plan of a case");
        let prefix = named(PLAN, &case.0);
        let mut planned = Vec::new();
        for (key, row) in self.store.rows(Table::Case, &prefix, None, usize::MAX).await? {
            let holder =
                key.get(prefix.len() + 4..).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok()).ok_or_else(broken)?;
            let items = Vec::<ByteVec>::from_bytes(&row).map_err(|_| broken())?;
            let items = items.iter().map(|item| ItemId::from_bytes(item).map_err(|_| broken())).collect::<Result<_, _>>()?;
            planned.push((holder, items));
        }
        Ok(planned)
    }

    pub(super) async fn given(&self, case: &CaseId, page: u32, holder: &MemberId) -> Result<Given, Error> {
        let row = self.store.row(Table::Case, &given_key(case, page, holder)).await?;
        row.and_then(|row| Given::from_bytes(&row).ok()).ok_or_else(|| corrupt("an order of a case"))
    }

    pub(super) async fn kept(&self, digest: &[u8; 32]) -> Result<Option<Kept>, Error> {
        let row = self.store.row(Table::Order, &named(TAKEN, digest)).await?;
        row.map(|row| Kept::from_bytes(&row).map_err(|_| corrupt("an order"))).transpose()
    }

    pub(super) async fn open_orders(&self) -> Result<Vec<[u8; 32]>, Error> {
        let rows = self.store.rows(Table::Order, &[OPEN], None, usize::MAX).await?;
        rows.iter().map(|(key, _)| key[1..].try_into().map_err(|_| corrupt("an order's mark"))).collect()
    }

    /// Members that ordered the erasure of an item while it was not here.
    pub(super) async fn guards(&self, item: &ItemId) -> Result<Vec<MemberId>, Error> {
        let Some(row) = self.store.row(Table::Order, &named(GUARD, item.as_bytes())).await? else { return Ok(Vec::new()) };
        controllers(&row)
    }
}
