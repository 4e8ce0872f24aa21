//! Rows of disclosures, byte by byte (`docs/store-format.md`).
//!
//! `Table::Disclosure`: 0 ‖ grant → the dossier, JSON; 1 ‖ grant ‖ page (4) → frames of items; 2 ‖ grant ‖ epoch (8) ‖ index (2) → an
//! officer's shares, as they were kept before 5 and 6; 3 ‖ due (8) ‖ name (8) ‖ member → a notice that waits; 4 ‖ time (8) ‖ SHA-256 (32) → a
//! notice that came; 5 ‖ grant ‖ epoch (8) ‖ index (2) → the signed head of an officer's shares, 6 ‖ the same → the shares; 7 ‖ SHA-256 of what a
//! notice is (32) → where it lies under 4; 8 ‖ member ‖ 0 ‖ day (4) → how many notices of a member came on a day (4), and bytes of them (8);
//! 0x70 ‖ grant → a permit of a recovery (`services::returns`).
//! Numbers are big-endian.

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::DisclosureError;
use crate::disclosure::{
    Frame, GrantId, Item, Life, SignedDocket, SignedRequest, SignedShares, SignedVerdict, Stage, frame, frame_head,
};
use crate::services::{Error, Node};
use crate::store::{StoreError, Table, Write};
use crate::types::MemberId;

const DOSSIER: u8 = 0;
const ITEMS: u8 = 1;
const SHARES: u8 = 2;
const WAITING: u8 = 3;
const CAME: u8 = 4;
const SHARE_HEADS: u8 = 5;
const SHARE_FILES: u8 = 6;
const KNOWN: u8 = 7;
const COUNTED: u8 = 8;
/// Items of a row.
const TOGETHER: usize = 256;
/// Rows read at once.
const PAGE: usize = 1_000;

/// A request, and what came of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Dossier {
    pub(super) life: Life,
    request: String,
    docket: String,
    verdicts: Vec<String>,
    /// Rows of the journal with the views.
    pub(super) views: Vec<u64>,
    /// Views that were released.
    pub(super) released: u32,
    /// Epochs of the keys that the list is under.
    pub(super) epochs: Vec<u64>,
    /// Why it ended.
    pub(super) ended: String,
    /// Who handed the request in.
    pub(super) by: String,
    /// Whether its end was told.
    pub(super) end_told: bool,
    /// What those concerned are to be told. Written with what it tells of, and taken away with the notices: a crash between them loses none.
    #[serde(default)]
    pub(super) untold: Vec<Untold>,
    /// Time of the newest taking that was used.
    #[serde(default)]
    pub(super) taken: u64,
    /// No payload of the list is older, milliseconds since the Unix epoch: what the directories of before are not needed for.
    #[serde(default)]
    pub(super) since: u64,
}

/// What is to be told of a grant, with the journal's row of the view that it is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Untold {
    pub(super) stage: Stage,
    pub(super) view: Option<u64>,
}

/// That an officer gave its shares. They are long, and read when they are given.
#[derive(Clone, Debug)]
pub(super) struct KeptShares {
    pub(super) epoch: u64,
    pub(super) index: u16,
    /// Of which generation of the committee.
    pub(super) generation: Option<u64>,
    /// Where they lie.
    place: Bytes,
}

/// The first frame of a file of shares.
fn first_of(file: &[u8]) -> Option<&[u8]> {
    let Ok(Frame::Of { head, content }) = frame_head(file) else { return None };
    file.get(head..head.checked_add(content)?)
}

fn corrupt(what: &str) -> Error {
    Error::Store(StoreError::Corrupt(what.to_owned()))
}

fn key(kind: u8, parts: &[&[u8]]) -> Bytes {
    [&[kind][..], &parts.concat()].concat().into()
}

impl Dossier {
    pub(super) fn new(life: Life, request: &SignedRequest, docket: &SignedDocket, by: &str) -> Self {
        Self {
            life,
            request: BASE64.encode(&request.encode()),
            docket: BASE64.encode(&docket.encode()),
            verdicts: Vec::new(),
            views: Vec::new(),
            released: 0,
            epochs: Vec::new(),
            ended: String::new(),
            by: by.to_owned(),
            end_told: false,
            untold: Vec::new(),
            taken: 0,
            since: 0,
        }
    }

    pub(super) fn request(&self) -> Result<SignedRequest, Error> {
        SignedRequest::decode(&decode(&self.request)?).map_err(|_| corrupt("a request of a disclosure"))
    }

    pub(super) fn docket(&self) -> Result<SignedDocket, Error> {
        SignedDocket::decode(&decode(&self.docket)?).map_err(|_| corrupt("a docket"))
    }

    pub(super) fn verdicts(&self) -> Result<Vec<SignedVerdict>, Error> {
        let read = |text: &String| SignedVerdict::decode(&decode(text)?).map_err(|_| corrupt("a verdict"));
        self.verdicts.iter().map(read).collect()
    }

    pub(super) fn keep(&mut self, verdicts: &[SignedVerdict]) {
        self.verdicts = verdicts.iter().map(|verdict| BASE64.encode(&verdict.encode())).collect();
    }

    pub(super) fn grant(&self) -> Result<GrantId, Error> {
        Ok(self.request()?.request.grant)
    }

    pub(super) fn put(&self) -> Result<Write, Error> {
        // Strings and numbers always serialise.
        let value = serde_json::to_vec(self).unwrap_or_default();
        Ok(Write::put(Table::Disclosure, key(DOSSIER, &[&self.grant()?.0]), value))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Error> {
    crate::types::base64(text.as_bytes()).map_err(|_| corrupt("a document of a disclosure"))
}

/// The rows of a list.
pub(super) fn put_items(grant: &GrantId, items: &[Item]) -> Vec<Write> {
    let pages = (0_u32..).zip(items.chunks(TOGETHER));
    let rows = pages.map(|(page, items)| {
        let frames: Vec<u8> = items.iter().flat_map(|item| frame(&item.encode())).collect();
        Write::put(Table::Disclosure, key(ITEMS, &[&grant.0, &page.to_be_bytes()]), frames)
    });
    rows.collect()
}

/// An officer's shares, and their head by itself: lists of grants do not read megabytes.
pub(super) fn put_shares(grant: &GrantId, epoch: u64, index: u16, head: Vec<u8>, file: Bytes) -> Vec<Write> {
    let place = |kind| key(kind, &[&grant.0, &epoch.to_be_bytes(), &index.to_be_bytes()]);
    vec![
        delete(place(SHARES)),
        Write::put(Table::Disclosure, place(SHARE_HEADS), head),
        Write::put(Table::Disclosure, place(SHARE_FILES), file),
    ]
}

/// A notice that waits until `due`, milliseconds since the Unix epoch. Under its name it waits once.
pub(super) fn put_waiting(due: u64, name: [u8; 8], to: &MemberId, notice: Vec<u8>) -> Write {
    Write::put(Table::Disclosure, key(WAITING, &[&due.to_be_bytes(), &name, to.as_str().as_bytes()]), notice)
}

/// A notice that is due.
pub(super) struct Due {
    pub(super) place: Bytes,
    pub(super) name: [u8; 8],
    pub(super) to: MemberId,
    pub(super) notice: Bytes,
}

pub(super) fn delete(place: Bytes) -> Write {
    Write::delete(Table::Disclosure, place)
}

/// A notice that came at a time, what it is, and what came of its member on that day.
pub(super) fn put_came(time: u64, what: &[u8; 32], notice: &[u8], (from, day): (&MemberId, u32), today: Today) -> Vec<Write> {
    let digest = crate::crypto::hash::sha256(&[notice]);
    let place = key(CAME, &[&time.to_be_bytes(), &digest]);
    let counted = [&today.notices.to_be_bytes()[..], &today.bytes.to_be_bytes()].concat();
    vec![
        Write::put(Table::Disclosure, key(KNOWN, &[what]), place.to_vec()),
        Write::put(Table::Disclosure, counted_at(from, day), counted),
        Write::put(Table::Disclosure, place, notice.to_vec()),
    ]
}

fn counted_at(from: &MemberId, day: u32) -> Bytes {
    key(COUNTED, &[from.as_str().as_bytes(), &[0], &day.to_be_bytes()])
}

/// How many notices of one member came today, and bytes of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Today {
    pub(super) notices: u32,
    pub(super) bytes: u64,
}

/// The frames of bytes that were written whole.
pub(super) fn frames(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let Frame::Of { head, content } = frame_head(bytes).map_err(DisclosureError::from)? else {
            return Err(corrupt("frames that break off"));
        };
        let whole = bytes.get(head..head + content).ok_or_else(|| corrupt("frames that break off"))?;
        frames.push(whole);
        bytes = &bytes[head + content..];
    }
    Ok(frames)
}

impl Node {
    pub(super) async fn dossier(&self, grant: &GrantId) -> Result<Dossier, Error> {
        let row = self.store.row(Table::Disclosure, &key(DOSSIER, &[&grant.0])).await?;
        let row = row.ok_or(DisclosureError::Unknown(*grant))?;
        serde_json::from_slice(&row).map_err(|_| corrupt("a dossier of a disclosure"))
    }

    pub(super) async fn has_dossier(&self, grant: &GrantId) -> Result<bool, Error> {
        Ok(self.store.row(Table::Disclosure, &key(DOSSIER, &[&grant.0])).await?.is_some())
    }

    /// Dossiers in the order of their names, after one.
    pub(super) async fn dossiers(&self, after: Option<&GrantId>, limit: usize) -> Result<Vec<Dossier>, Error> {
        self.dossier_rows(after, limit).await?.into_iter().map(|(_, dossier)| dossier).collect()
    }

    /// The same, each with its name, and each for itself: one that cannot be read hides no other.
    pub(super) async fn dossier_rows(
        &self,
        after: Option<&GrantId>,
        limit: usize,
    ) -> Result<Vec<(GrantId, Result<Dossier, Error>)>, Error> {
        let after = after.map(|grant| key(DOSSIER, &[&grant.0]));
        let rows = self.store.rows(Table::Disclosure, &[DOSSIER], after.as_deref(), limit).await?;
        let read = |(place, row): (Bytes, Bytes)| {
            let grant = place.get(1..).and_then(|name| name.try_into().ok()).map(GrantId);
            let grant = grant.ok_or_else(|| corrupt("the name of a dossier"))?;
            Ok((grant, serde_json::from_slice(&row).map_err(|_| corrupt("a dossier of a disclosure"))))
        };
        rows.into_iter().map(read).collect()
    }

    /// A page of a list; empty behind its end.
    pub(super) async fn items_page(&self, grant: &GrantId, page: u32) -> Result<Vec<Item>, Error> {
        let row = self.store.row(Table::Disclosure, &key(ITEMS, &[&grant.0, &page.to_be_bytes()])).await?;
        let Some(row) = row else { return Ok(Vec::new()) };
        frames(&row)?.into_iter().map(|bytes| Item::decode(bytes).map_err(|_| corrupt("an item of a docket"))).collect()
    }

    /// A whole list.
    pub(super) async fn items(&self, grant: &GrantId) -> Result<Vec<Item>, Error> {
        let mut all = Vec::new();
        for page in 0.. {
            let items = self.items_page(grant, page).await?;
            if items.is_empty() {
                break;
            }
            all.extend(items);
        }
        Ok(all)
    }

    /// Which officers gave their shares.
    pub(super) async fn shares_of(&self, grant: &GrantId) -> Result<Vec<KeptShares>, Error> {
        let mut shares = Vec::new();
        for kind in [SHARE_HEADS, SHARES] {
            let prefix = key(kind, &[&grant.0]);
            for (place, row) in self.store.rows(Table::Disclosure, &prefix, None, PAGE).await? {
                let read = || {
                    let (epoch, index) = place.get(prefix.len()..)?.split_first_chunk::<8>()?;
                    Some((u64::from_be_bytes(*epoch), u16::from_be_bytes(index.try_into().ok()?)))
                };
                let (epoch, index) = read().ok_or_else(|| corrupt("the name of an officer's shares"))?;
                let head = if kind == SHARES { first_of(&row) } else { Some(&row[..]) };
                let generation = head.and_then(|head| SignedShares::decode(head).ok()).map(|signed| signed.shares.generation);
                let place = if kind == SHARES { place } else { key(SHARE_FILES, &[&place[1..]]) };
                shares.push(KeptShares { epoch, index, generation, place });
            }
        }
        Ok(shares)
    }

    /// An officer's shares as they came: a signed head and sealed chunks.
    pub(super) async fn shares_file(&self, shares: &KeptShares) -> Result<Bytes, Error> {
        let file = self.store.row(Table::Disclosure, &shares.place).await?;
        file.ok_or_else(|| corrupt("an officer's shares"))
    }

    /// The first notices that are due.
    pub(super) async fn notices_due(&self, now: u64, limit: usize) -> Result<Vec<Due>, Error> {
        let rows = self.store.rows(Table::Disclosure, &[WAITING], None, limit).await?;
        let mut due = Vec::new();
        for (place, notice) in rows {
            let read = || {
                let (at, rest) = place.get(1..)?.split_first_chunk::<8>()?;
                let (name, member) = rest.split_first_chunk::<8>()?;
                Some((u64::from_be_bytes(*at), *name, std::str::from_utf8(member).ok()?.parse().ok()?))
            };
            let (at, name, to) = read().ok_or_else(|| corrupt("the name of a notice"))?;
            if at > now {
                break;
            }
            due.push(Due { place, name, to, notice });
        }
        Ok(due)
    }

    /// Whether a notice came before.
    pub(super) async fn has_come(&self, what: &[u8; 32]) -> Result<bool, Error> {
        Ok(self.store.row(Table::Disclosure, &key(KNOWN, &[what])).await?.is_some())
    }

    /// What came of a member on a day.
    pub(super) async fn came_today(&self, from: &MemberId, day: u32) -> Result<Today, Error> {
        let Some(row) = self.store.row(Table::Disclosure, &counted_at(from, day)).await? else { return Ok(Today::default()) };
        let read = || {
            let (notices, bytes) = row.split_first_chunk::<4>()?;
            Some(Today { notices: u32::from_be_bytes(*notices), bytes: u64::from_be_bytes(bytes.try_into().ok()?) })
        };
        read().ok_or_else(|| corrupt("a count of notices"))
    }

    /// Notices that came, after one, with their names.
    pub(super) async fn notices_came(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let after = after.map(|name| key(CAME, &[name]));
        let rows = self.store.rows(Table::Disclosure, &[CAME], after.as_deref(), limit).await?;
        Ok(rows.into_iter().map(|(place, notice)| (place.slice(1..), notice)).collect())
    }
}
