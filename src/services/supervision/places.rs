//! Whose copies lie where in the feed: by payload and by the member that signed them. What one member gave of an id is that member's affair
//! alone: no other's order reaches it, and no other's copy stands before it.

use std::collections::BTreeMap;

use bytes::Bytes;
use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};

use super::feed::{Entry, entry};
use super::rows::{PAGE, copy_key, of_id, place_of};
use crate::crypto::hash::sha256;
use crate::services::{Error, Node};
use crate::shred::{LeafRef, SealedHead};
use crate::store::{StoreError, Table};
use crate::supervision::SupervisionCopy;
use crate::types::{MemberId, PayloadId};
use crate::wire::Header;
use crate::wire::header::SUITE;
use crate::wire::native::Message as _;

/// Copies of one payload of one member, at most.
pub(super) const MOST: usize = 64;

/// A member's name as rows have it: keys of rows name nobody.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Whose(pub(super) [u8; 32]);

impl Whose {
    pub(crate) fn of(member: &MemberId) -> Self {
        Self(sha256(&[b"celosia copy of ", member.as_str().as_bytes()]))
    }
}

/// What an erasure is to reach of an id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extent<'a> {
    /// Whatever is here, of whomever: this node decides of what it keeps.
    All,
    /// The payload, and no copy: copies have no retention, and nothing blocks them.
    Record,
    /// What one member sent: the payload if it is its sender, and its copies.
    Of(&'a MemberId),
    /// A member's copies, and not the payload.
    CopiesOf(&'a MemberId),
}

impl Extent<'_> {
    /// Whether it reaches something of the feed. Of a copy that nobody can read it is not known whose it was: it goes with any.
    pub(super) fn covers(self, at: &Placed, with_record: bool) -> bool {
        match (self, at.kind) {
            (Self::All, _) => true,
            (_, Seat::Received) => with_record,
            (Self::Record, Seat::Copy { .. }) => false,
            (Self::Of(member) | Self::CopiesOf(member), Seat::Copy { whose, .. }) => {
                whose.is_none_or(|whose| whose == Whose::of(member))
            }
        }
    }
}

/// What stands at a place of the feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Seat {
    /// A payload that this node received.
    Received,
    /// A copy.
    Copy {
        /// Who signed it; `None`: nobody can read it any more.
        whose: Option<Whose>,
        /// SHA-256 of its header.
        header: [u8; 32],
        /// Suite of its header.
        suite: u8,
        /// It holds sigma and the ciphertext.
        has_sigma: bool,
        /// What it is sealed under.
        leaf: LeafRef,
    },
}

/// A place of the feed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Placed {
    pub(super) place: u64,
    pub(super) kind: Seat,
}

/// The value of a place among those of its payload: enough to find, compare and erase a copy without opening it. Nothing in rows of before.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
struct Mark {
    /// Whose copy, 32 bytes; empty where the payload itself is here.
    #[n(0)]
    whose: ByteVec,
    /// SHA-256 of the header.
    #[n(1)]
    header: ByteVec,
    /// Suite of the header.
    #[n(2)]
    suite: u8,
    /// Whether it holds sigma.
    #[n(3)]
    has_sigma: bool,
    /// Number of the leaf's tree.
    #[n(4)]
    tree: u32,
    /// Index of the leaf.
    #[n(5)]
    leaf: u32,
}

impl Seat {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mark = match self {
            Self::Received => {
                let empty = || Vec::new().into();
                Mark { whose: empty(), header: empty(), suite: 0, has_sigma: false, tree: 0, leaf: 0 }
            }
            Self::Copy { whose, header, suite, has_sigma, leaf } => Mark {
                whose: whose.map_or_else(Vec::new, |whose| whose.0.to_vec()).into(),
                header: header.to_vec().into(),
                suite,
                has_sigma,
                tree: leaf.tree,
                leaf: leaf.leaf,
            },
        };
        mark.to_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mark = Mark::from_bytes(bytes).ok()?;
        if mark.header.is_empty() {
            return Some(Self::Received);
        }
        let whose = if mark.whose.is_empty() { None } else { Some(Whose(mark.whose.as_slice().try_into().ok()?)) };
        let leaf = LeafRef { tree: mark.tree, leaf: mark.leaf };
        let header = mark.header.as_slice().try_into().ok()?;
        Some(Self::Copy { whose, header, suite: mark.suite, has_sigma: mark.has_sigma, leaf })
    }

    pub(super) fn whose(&self) -> Option<Whose> {
        match self {
            Self::Received => None,
            Self::Copy { whose, .. } => *whose,
        }
    }

    pub(super) fn leaf(&self) -> Option<LeafRef> {
        match self {
            Self::Received => None,
            Self::Copy { leaf, .. } => Some(*leaf),
        }
    }
}

/// A copy that comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    pub(super) header: [u8; 32],
    pub(super) suite: u8,
    pub(super) has_sigma: bool,
}

/// What a copy is beside those that are here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beside {
    /// It is here.
    Known,
    /// It is new.
    New,
    /// The same member signed another header for the same id: this is where the first one is.
    Second(u64),
    /// There are as many as there may be.
    Full,
}

/// Judges a copy beside those of the same payload and the same member.
///
/// Threat: a member signs two headers for one id, and shows each to somebody else. A payload in celosia-1 has a fresh data key, hence an id
/// that is sent once, under one header: a second one is a lie, and evidence. Only a raw payload, which goes in Tessera's suite, is sent
/// again to others under its id, each time with another header that was made for supervisors; those are bounded.
pub(super) fn judge(here: &[Placed], coming: &Coming) -> Beside {
    let mut headers = BTreeMap::new();
    for at in here {
        if let Seat::Copy { header, suite, has_sigma, .. } = at.kind {
            let known = headers.entry(header).or_insert((at.place, suite, false));
            known.2 |= has_sigma;
        }
    }
    if let Some((.., has_sigma)) = headers.get(&coming.header) {
        // The same header once more, with sigma this time: the scope had another mode when it came first.
        return if *has_sigma || !coming.has_sigma { Beside::Known } else { Beside::New };
    }
    let first = headers.values().filter(|(_, suite, _)| *suite == SUITE || coming.suite == SUITE).map(|(place, ..)| *place).min();
    match first {
        Some(place) => Beside::Second(place),
        None if headers.len() >= MOST => Beside::Full,
        None => Beside::New,
    }
}

impl Node {
    /// The places of a payload in the feed, all of them.
    pub(super) async fn placed(&self, id: &PayloadId) -> Result<Vec<Placed>, Error> {
        let (prefix, mut after, mut all) = (of_id(id), None::<Bytes>, Vec::new());
        loop {
            let rows = self.store.rows(Table::Supervision, &prefix, after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, value) in &rows {
                let Some(place) = place_of(key) else { continue };
                let kind = match Seat::read(value) {
                    Some(kind) => Some(kind),
                    None => self.seat_of_before(place).await?,
                };
                all.extend(kind.map(|kind| Placed { place, kind }));
            }
            if rows.len() < PAGE {
                return Ok(all);
            }
        }
    }

    /// What stands at a place whose row is of before, when places did not say it: the copy says it, if it opens.
    async fn seat_of_before(&self, place: u64) -> Result<Option<Seat>, Error> {
        let Some(row) = self.store.row(Table::Supervision, &copy_key(place)).await? else { return Ok(None) };
        let entry: Entry = entry(&row)?;
        if entry.sealed.is_empty() {
            return Ok(Some(Seat::Received));
        }
        let corrupt = || StoreError::Corrupt("a supervision copy".into());
        let leaf = SealedHead::from_bytes(entry.head.to_vec().into()).ok_or_else(corrupt)?.leaf();
        let gone = Seat::Copy { whose: None, header: [0; 32], suite: 0, has_sigma: false, leaf };
        let Some(bytes) = self.opened(&entry).await? else { return Ok(Some(gone)) };
        let copy = SupervisionCopy::decode(&bytes).map_err(|_| corrupt())?;
        let header = Header::decode(&copy.header).map_err(|_| corrupt())?;
        let (whose, has_sigma) = (Some(Whose::of(&header.member)), !copy.sealed.is_empty());
        Ok(Some(Seat::Copy { whose, header: sha256(&[&copy.header]), suite: header.suite, has_sigma, leaf }))
    }

    /// The places of one member's copies of a payload.
    pub(super) async fn placed_of(&self, id: &PayloadId, member: &MemberId) -> Result<Vec<Placed>, Error> {
        let whose = Some(Whose::of(member));
        Ok(self.placed(id).await?.into_iter().filter(|at| at.kind.whose() == whose).collect())
    }

    /// Whether a copy of a payload is here that one member gave.
    pub(crate) async fn has_copy_of(&self, id: &PayloadId, member: &MemberId) -> Result<bool, Error> {
        Ok(!self.placed_of(id, member).await?.is_empty())
    }

    /// Whether a copy of a payload is here, of whomever.
    pub(crate) async fn has_copies(&self, id: &PayloadId) -> Result<bool, Error> {
        Ok(self.placed(id).await?.iter().any(|at| at.kind != Seat::Received))
    }

    /// The leaves of copies that an erasure reaches.
    pub(crate) async fn copy_leaves(&self, id: &PayloadId, extent: Extent<'_>) -> Result<Vec<LeafRef>, Error> {
        let placed = self.placed(id).await?;
        Ok(placed.iter().filter(|at| extent.covers(at, false)).filter_map(|at| at.kind.leaf()).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn copy(place: u64, header: u8, suite: u8, has_sigma: bool) -> Placed {
        let leaf = LeafRef { tree: 1, leaf: u32::from(header) };
        Placed { place, kind: Seat::Copy { whose: Some(Whose([1; 32])), header: [header; 32], suite, has_sigma, leaf } }
    }

    #[test]
    fn a_second_header_is_honest_of_a_raw_payload_alone_and_bounded() {
        let coming = |header: u8, suite, has_sigma| Coming { header: [header; 32], suite, has_sigma };
        assert_eq!(judge(&[], &coming(1, SUITE, false)), Beside::New);
        let one = [copy(7, 1, SUITE, false)];
        assert_eq!(judge(&one, &coming(1, SUITE, false)), Beside::Known);
        assert_eq!(judge(&one, &coming(1, SUITE, true)), Beside::New, "now with sigma");
        assert_eq!(judge(&[one[0], copy(8, 1, SUITE, true)], &coming(1, SUITE, true)), Beside::Known);
        assert_eq!(judge(&one, &coming(2, SUITE, false)), Beside::Second(7));
        assert_eq!(judge(&one, &coming(2, 0, false)), Beside::Second(7), "of another suite");
        assert_eq!(judge(&[copy(3, 1, 0, false)], &coming(2, SUITE, false)), Beside::Second(3));
        let raw: Vec<Placed> = (0..MOST as u64).map(|at| copy(at, u8::try_from(at).expect("few"), 0, false)).collect();
        assert_eq!(judge(&raw[..MOST - 1], &coming(200, 0, false)), Beside::New);
        assert_eq!(judge(&raw, &coming(200, 0, false)), Beside::Full);
        assert_eq!(judge(&raw, &coming(5, 0, false)), Beside::Known);
    }

    proptest! {
        /// However copies come, at most one header of celosia-1 stands, or at most so many of Tessera's suite; each at most twice.
        #[test]
        fn copies_of_one_member_are_bounded(comes in prop::collection::vec((0_u8..100, any::<bool>(), any::<bool>()), 0..300)) {
            let mut here: Vec<Placed> = Vec::new();
            for (at, (header, is_native, has_sigma)) in (0..).zip(comes) {
                // The suite stands in the header: one header is of one suite.
                let (suite, header) = if is_native { (SUITE, header) } else { (0, header + 100) };
                if judge(&here, &Coming { header: [header; 32], suite, has_sigma }) == Beside::New {
                    here.push(copy(at, header, suite, has_sigma));
                }
            }
            let of = |wanted: u8| here.iter().filter(move |at| matches!(at.kind, Seat::Copy { suite, .. } if suite == wanted));
            prop_assert!(of(SUITE).count() <= 2 && of(0).count() <= 2 * MOST);
            prop_assert!(of(SUITE).count() == 0 || here.len() <= 2);
        }

        #[test]
        fn a_place_reads_back(header in any::<[u8; 32]>(), whose in prop::option::of(any::<[u8; 32]>()), tree in any::<u32>(), suite in any::<u8>()) {
            let leaf = LeafRef { tree, leaf: 9 };
            let seat = Seat::Copy { whose: whose.map(Whose), header, suite, has_sigma: true, leaf };
            prop_assert_eq!(Seat::read(&seat.to_bytes()), Some(seat));
            prop_assert_eq!(Seat::read(&Seat::Received.to_bytes()), Some(Seat::Received));
            prop_assert_eq!(Seat::read(&[]), None);
        }
    }

    #[test]
    fn an_erasure_reaches_what_is_its_own() {
        let (a, b): (MemberId, MemberId) = ("a".parse().expect("an id"), "b".parse().expect("an id"));
        let of = |whose| match copy(1, 1, SUITE, false).kind {
            Seat::Copy { header, suite, has_sigma, leaf, .. } => {
                Placed { place: 1, kind: Seat::Copy { whose, header, suite, has_sigma, leaf } }
            }
            Seat::Received => unreachable!("a copy"),
        };
        let received = Placed { place: 2, kind: Seat::Received };
        let (hers, lost) = (of(Some(Whose::of(&a))), of(None));
        assert!(Extent::All.covers(&hers, false) && Extent::All.covers(&received, false));
        assert!(!Extent::Record.covers(&hers, true) && Extent::Record.covers(&received, true));
        assert!(Extent::Of(&a).covers(&hers, false) && !Extent::Of(&b).covers(&hers, true));
        assert!(Extent::Of(&b).covers(&lost, false), "of what nobody can read it is not known whose it was");
        assert!(!Extent::CopiesOf(&a).covers(&received, false));
    }
}
