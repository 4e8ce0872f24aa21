//! Rows of matters, byte by byte (`docs/store-format.md`).
//!
//! `Table::Matter`: 0 ‖ matter → the matter, JSON; 1 ‖ digest (16) of code and member → the newest matter of that violation;
//! 2 ‖ due (8, big-endian) ‖ matter → nothing: its notice waits.

use bytes::Bytes;

use crate::crypto::hash::sha256;
use crate::matter::{Matter, MatterId};
use crate::services::{Error, Node};
use crate::store::{StoreError, Table, Write};
use crate::types::MemberId;

const MATTER: u8 = 0;
const VIOLATION: u8 = 1;
const NOTICE: u8 = 2;
const PAGE: usize = 1_000;

fn key(kind: u8, parts: &[&[u8]]) -> Bytes {
    [&[kind][..], &parts.concat()].concat().into()
}

fn corrupt(what: &str) -> Error {
    Error::Store(StoreError::Corrupt(what.to_owned()))
}

/// The name of a violation: a digest, as keys of rows name no member.
pub(super) fn violation_name(code: u16, member: Option<&MemberId>) -> [u8; 16] {
    let name = member.map_or("", MemberId::as_str);
    let digest = sha256(&[b"celosia violation 1", &code.to_be_bytes(), name.as_bytes()]);
    *digest.first_chunk().expect("32 bytes have 16")
}

/// Writes a matter, and its notice while it can climb.
pub(super) fn put(matter: &Matter) -> Vec<Write> {
    // Strings and numbers always serialise.
    let row = Write::put(Table::Matter, key(MATTER, &[&matter.id.0]), serde_json::to_vec(matter).unwrap_or_default());
    let mut written = vec![row];
    if matter.notice.is_open() && matter.notice.level.above().is_some() {
        written.push(Write::put(Table::Matter, notice_key(matter), Bytes::new()));
    }
    written
}

pub(super) fn put_violation(name: &[u8; 16], id: &MatterId) -> Write {
    Write::put(Table::Matter, key(VIOLATION, &[name]), id.0.to_vec())
}

/// Where its notice waits.
pub(super) fn notice_key(matter: &Matter) -> Bytes {
    key(NOTICE, &[&matter.notice.due.to_be_bytes(), &matter.id.0])
}

pub(super) fn forget(notice: Bytes) -> Write {
    Write::delete(Table::Matter, notice)
}

fn read(row: &[u8]) -> Result<Matter, Error> {
    serde_json::from_slice(row).map_err(|_| corrupt("a case"))
}

impl Node {
    pub(super) async fn matter_row(&self, id: &MatterId) -> Result<Option<Matter>, Error> {
        self.store.row(Table::Matter, &key(MATTER, &[&id.0])).await?.map(|row| read(&row)).transpose()
    }

    pub(super) async fn matter_rows(&self, after: Option<&MatterId>, limit: usize) -> Result<Vec<Matter>, Error> {
        let after = after.map(|id| key(MATTER, &[&id.0]));
        let rows = self.store.rows(Table::Matter, &[MATTER], after.as_deref(), limit).await?;
        rows.iter().map(|(_, row)| read(row)).collect()
    }

    pub(super) async fn all_matters(&self) -> Result<Vec<Matter>, Error> {
        let mut all: Vec<Matter> = Vec::new();
        loop {
            let after = all.last().map(|matter| matter.id);
            let page = self.matter_rows(after.as_ref(), PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    pub(super) async fn open_violation(&self, name: &[u8; 16]) -> Result<Option<MatterId>, Error> {
        let row = self.store.row(Table::Matter, &key(VIOLATION, &[name])).await?;
        row.map(|row| row.as_ref().try_into().map(MatterId).map_err(|_| corrupt("a violation"))).transpose()
    }

    /// Matters whose notices were due before a time, the longest overdue first.
    pub(super) async fn notices_before(&self, now: u64) -> Result<Vec<MatterId>, Error> {
        let rows = self.store.rows(Table::Matter, &[NOTICE], None, PAGE).await?;
        let mut due = Vec::new();
        for (key, _) in rows {
            let place = key.get(1..).and_then(|place| place.split_first_chunk::<8>());
            let Some((at, id)) = place else { return Err(corrupt("a notice")) };
            if u64::from_be_bytes(*at) > now {
                break;
            }
            due.push(id.try_into().map(MatterId).map_err(|_| corrupt("a notice"))?);
        }
        Ok(due)
    }
}
