//! The supervisor's side: copies and payloads that it supervises, in the order of their coming, for `watch` and for what asks again.
//!
//! A copy is sealed under a leaf of its own: the erasure of its payload reaches it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};
use serde::Serialize;
use tokio::sync::Notify;

use super::SupervisionError;
use super::rows::{copy_key, of_key};
use crate::crypto::hash::sha256;
use crate::crypto::random;
use crate::crypto::sign::VerifyKey;
use crate::enclave::{EnclaveError, NativeIngest};
use crate::governance::{Charter, Supervision};
use crate::services::escrow;
use crate::services::governed::{Governed, MAX_SKEW, clock};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::shred::{LeafRef, SealedHead};
use crate::store::{Kind, Lookup, StoreError, Table, Write};
use crate::supervision::{Copied, SupervisionCopy};
use crate::types::{Address, Class, DocumentId, ItemId, MemberId, PayloadId};
use crate::wire::header::SUITE;
use crate::wire::native::Message as _;
use crate::wire::{Delivery, Header};

/// What a copy is sealed as, beside its leaf.
const LABEL: &str = "supervision";

/// The order of what comes. What is still being written is not shown, or a reader would pass it by.
#[derive(Default)]
pub(crate) struct Feed {
    state: Mutex<Places>,
    /// There is something new to see.
    pub(super) news: Notify,
}

#[derive(Default)]
struct Places {
    next: u64,
    writing: BTreeSet<u64>,
}

impl Feed {
    fn begin(&self) -> u64 {
        let mut places = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.next;
        places.next += 1;
        places.writing.insert(place);
        place
    }

    fn end(&self, place: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).writing.remove(&place);
        self.news.notify_waiters();
    }

    /// The first place that may not be shown yet.
    pub(super) fn shown_until(&self) -> u64 {
        let places = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        places.writing.first().copied().unwrap_or(places.next)
    }

    pub(super) fn go_on_from(&self, place: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).next = place;
    }
}

/// A row of the feed.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(super) struct Entry {
    /// Which payload, 64 bytes.
    #[n(0)]
    pub(super) id: ByteVec,
    /// When it came, milliseconds since the Unix epoch.
    #[n(1)]
    pub(super) time: u64,
    /// The head whose leaf the copy is sealed under; empty where this node received the payload itself.
    #[n(2)]
    pub(super) head: ByteVec,
    /// The sealed copy; empty where the payload is here.
    #[n(3)]
    pub(super) sealed: ByteVec,
}

/// What a supervisor sees of one payload.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    /// Its place in the feed.
    pub place: u64,
    /// Which payload.
    pub id: PayloadId,
    /// Under which mode it is supervised now.
    pub mode: Supervision,
    /// Whether this node received the payload itself.
    pub received: bool,
    /// Whether the copy holds ciphertext and sigma: what officers open on a mandate (mode S2).
    pub escrowed: bool,
    /// Whose node sent it.
    pub member: MemberId,
    /// Whose key sent it.
    pub sender: Address,
    /// Everyone whom it was sent to, as far as this node was told: all of them under S1 and S2.
    pub recipients: Vec<Recipient>,
    /// The class, as its sender declares it.
    pub class: Class,
    /// Version of the policy that the sender followed.
    pub policy: u64,
    /// The rule of the transaction: GoQuorum's privacy flag.
    pub privacy_flag: u8,
    /// When it was made, milliseconds since the Unix epoch.
    pub time: u64,
    /// When it came here, milliseconds since the Unix epoch.
    pub seen: u64,
}

/// A recipient, and whose it is as the directory says now.
#[derive(Clone, Debug, Serialize)]
pub struct Recipient {
    /// Its key.
    pub address: Address,
    /// The member.
    pub member: Option<MemberId>,
}

impl Node {
    /// Takes a copy from a member. `is_fresh`: it is sent now; else this node asked for what it lacks. With the head that it is sealed under,
    /// if it is new. `None`: its box is for an epoch key that is no more.
    pub(crate) async fn take_copy(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        bytes: &[u8],
        is_fresh: bool,
    ) -> Result<Option<(Copied, [u8; 32], Option<SealedHead>)>, Error> {
        let copy = SupervisionCopy::decode(bytes).map_err(|_| SupervisionError::Copy("it does not decode"))?;
        let key = charter.members().by_id(from).and_then(|member| member.signing_key);
        let key = key.ok_or_else(|| Error::NotAMember(from.clone()))?;
        let copied = copy.check(&governed.network, &key).map_err(|_| SupervisionError::Copy("it does not verify"))?;
        let header = &copied.header;
        check_header(charter, from, header, is_fresh)?;
        check_mode(charter, &governed.me, header, !copy.sealed.is_empty())?;
        if let Lookup::Erased(_) = self.store.head(Kind::Payload, &header.id).await? {
            return Err(Error::Erased(header.id));
        }
        if self.is_guarded(&ItemId::Payload(header.id), from).await? {
            return Err(Error::Erased(header.id));
        }
        let digest = sha256(&[&copy.header]);
        if self.has_copy(&header.id, bytes).await? {
            return Ok(Some((copied, digest, None)));
        }
        let head = if copy.sealed.is_empty() {
            self.enclave.begin_document(DocumentId::new(random())).await?
        } else {
            let Some(head) = self.take_sigma(charter, from, (&copy, header.id), key).await? else { return Ok(None) };
            head
        };
        let sealed = self.enclave.seal_beside(&head, LABEL, bytes.to_vec()).await?;
        let entry = Entry {
            id: header.id.as_bytes().to_vec().into(),
            time: now(),
            head: head.as_bytes().to_vec().into(),
            sealed: sealed.to_vec().into(),
        };
        self.enter(governed, header, entry).await?;
        // An order to erase it may have come meanwhile: it looked for the copy before that was here.
        self.refuse_guarded(header.id, from).await?;
        self.counters.copies_taken.add();
        Ok(Some((copied, digest, Some(head))))
    }

    /// Opens the box of a copy and keeps sigma under a fresh leaf. `None`: it is for an epoch key that is no more.
    async fn take_sigma(
        &self,
        charter: &Charter,
        from: &MemberId,
        (copy, id): (&SupervisionCopy, PayloadId),
        key: VerifyKey,
    ) -> Result<Option<SealedHead>, Error> {
        let bad = || SupervisionError::Copy("its box is of another payload");
        let delivery = Delivery::decode(&copy.sealed.clone().into()).map_err(|_| bad())?;
        if delivery.member != *from {
            return Err(bad().into());
        }
        match self.enclave.ingest_copy(&delivery, key, &escrow::keys(charter.policy())).await? {
            NativeIngest::UnknownEpoch => Ok(None),
            NativeIngest::Mine { id: of, head, meta } => {
                let is_same = of == id && meta.native.is_some_and(|native| native.header[..] == copy.header[..]);
                if is_same { Ok(Some(head)) } else { Err(bad().into()) }
            }
        }
    }

    /// A payload that this node received, and supervises: it stands in the feed as well.
    pub(crate) async fn enter_received(&self, governed: &Governed, charter: &Charter, header: &Header) -> Result<(), Error> {
        let is_seen = may_see(charter, &governed.me, &header.member, header.class);
        if !is_seen || !self.places_of(&header.id).await?.is_empty() {
            return Ok(());
        }
        let empty = || Vec::new().into();
        let entry = Entry { id: header.id.as_bytes().to_vec().into(), time: now(), head: empty(), sealed: empty() };
        self.enter(governed, header, entry).await
    }

    async fn enter(&self, governed: &Governed, header: &Header, entry: Entry) -> Result<(), Error> {
        let place = governed.desk.feed.begin();
        let rows = vec![
            Write::put(Table::Supervision, copy_key(place), entry.to_bytes()),
            Write::put(Table::Supervision, of_key(&header.id, place), Vec::new()),
        ];
        let event = Happening::now(What::Supervised).id(header.id).class(header.class).member(&header.member).event();
        let written = self.store.write(rows, vec![event]).await;
        governed.desk.feed.end(place);
        Ok(written?)
    }

    async fn entries_of(&self, id: &PayloadId) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        for place in self.places_of(id).await? {
            if let Some(row) = self.store.row(Table::Supervision, &copy_key(place)).await? {
                entries.push(entry(&row)?);
            }
        }
        Ok(entries)
    }

    /// Whether this very copy is here. A raw payload that is sent again, to others, has another.
    async fn has_copy(&self, id: &PayloadId, bytes: &[u8]) -> Result<bool, Error> {
        for entry in self.entries_of(id).await? {
            if self.opened(&entry).await?.is_some_and(|copy| copy.as_slice() == bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The leaves of copies that are here.
    pub(crate) async fn copy_leaves(&self, id: &PayloadId) -> Result<Vec<LeafRef>, Error> {
        let entries = self.entries_of(id).await?.into_iter();
        Ok(entries.filter_map(|entry| SealedHead::from_bytes(Vec::from(entry.head).into())).map(|head| head.leaf()).collect())
    }

    /// Who sent the payload of a copy that is here and opens.
    pub(crate) async fn copy_sender(&self, id: &PayloadId) -> Result<Option<MemberId>, Error> {
        for entry in self.entries_of(id).await?.iter().filter(|entry| !entry.sealed.is_empty()) {
            if let Some((header, ..)) = self.open_copy(entry).await? {
                return Ok(Some(header.member));
            }
        }
        Ok(None)
    }

    /// Takes copies of erased payloads out of the feed.
    pub(crate) async fn drop_copies(&self, ids: &[PayloadId]) -> Result<(), Error> {
        let mut rows = Vec::new();
        for id in ids {
            for place in self.places_of(id).await? {
                rows.push(Write::delete(Table::Supervision, copy_key(place)));
                rows.push(Write::delete(Table::Supervision, of_key(id, place)));
            }
        }
        if rows.is_empty() { Ok(()) } else { Ok(self.store.write(rows, Vec::new()).await?) }
    }

    /// The bytes of a copy; `None` if it was erased, or there is none.
    async fn opened(&self, entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
        if entry.sealed.is_empty() {
            return Ok(None);
        }
        let head = SealedHead::from_bytes(entry.head.to_vec().into());
        let head = head.ok_or_else(|| StoreError::Corrupt("a supervision copy".into()))?;
        match self.enclave.open_beside(&head, LABEL, entry.sealed.to_vec().into()).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(EnclaveError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The copy of a place, if it opens.
    pub(super) async fn copy_at(&self, entry: &Entry) -> Result<Option<SupervisionCopy>, Error> {
        let corrupt = |_| StoreError::Corrupt("a supervision copy".into());
        let Some(bytes) = self.opened(entry).await? else { return Ok(None) };
        Ok(Some(SupervisionCopy::decode(&bytes).map_err(corrupt)?))
    }

    async fn open_copy(&self, entry: &Entry) -> Result<Option<(Header, Vec<Address>, bool)>, Error> {
        let corrupt = || StoreError::Corrupt("a supervision copy".into());
        let Some(copy) = self.copy_at(entry).await? else { return Ok(None) };
        let header = Header::decode(&copy.header).map_err(|_| corrupt())?;
        Ok(Some((header, copy.recipients, !copy.sealed.is_empty())))
    }

    /// What stands at a place, if the policy still lets this node see it.
    pub(super) async fn seen(&self, charter: &Charter, me: &MemberId, place: u64, row: &[u8]) -> Result<Option<Seen>, Error> {
        let entry = entry(row)?;
        let received = entry.sealed.is_empty();
        let id = PayloadId::try_from(entry.id.as_slice()).map_err(|_| StoreError::Corrupt("a place of the feed".into()))?;
        let opened = if received { self.received_words(id).await? } else { self.open_copy(&entry).await? };
        let Some((header, recipients, escrowed)) = opened else { return Ok(None) };
        let Some(mode) = mode_of(charter, me, &header.member, header.class) else { return Ok(None) };
        let named = |address: Address| Recipient {
            address,
            member: charter.members().by_address(&address).map(|member| member.id.clone()),
        };
        Ok(Some(Seen {
            place,
            id,
            mode,
            received,
            escrowed,
            member: header.member,
            sender: header.sender,
            recipients: recipients.into_iter().map(named).collect(),
            class: header.class,
            policy: header.policy,
            privacy_flag: header.privacy.flag.number(),
            time: header.time,
            seen: entry.time,
        }))
    }

    async fn received_words(&self, id: PayloadId) -> Result<Option<(Header, Vec<Address>, bool)>, Error> {
        let meta = match self.meta(id).await {
            Ok(meta) => meta,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let header = meta.native.and_then(|native| Header::decode(&native.header).ok());
        Ok(header.map(|header| (header, meta.recipients, false)))
    }

    /// Where the feed goes on after a restart.
    pub(super) async fn load_feed(&self, governed: &Governed) -> Result<(), Error> {
        let next = self.end_of_feed().await?;
        governed.desk.feed.go_on_from(next);
        Ok(())
    }
}

pub(super) fn entry(row: &[u8]) -> Result<Entry, Error> {
    Ok(Entry::from_bytes(row).map_err(|_| StoreError::Corrupt("a place of the feed".into()))?)
}

/// Whether an active supervisor may see what a member sends of a class.
fn may_see(charter: &Charter, supervisor: &MemberId, sender: &MemberId, class: Class) -> bool {
    is_supervisor(charter, supervisor) && mode_of(charter, supervisor, sender, class).is_some()
}

/// Whether a member is a supervisor that takes part.
pub(super) fn is_supervisor(charter: &Charter, member: &MemberId) -> bool {
    let member = charter.members().by_id(member);
    member.is_some_and(|member| member.is_active() && member.has_role(crate::governance::Role::Supervisor))
}

/// The mode under which a supervisor sees what a member sends of a class. Its contract is not known here, so every scope that could decide does.
pub(super) fn mode_of(charter: &Charter, supervisor: &MemberId, sender: &MemberId, class: Class) -> Option<Supervision> {
    let scopes = charter.policy().scopes.iter();
    let mut fitting = scopes.filter(|scope| scope.supervision != Supervision::S0 && scope.may_cover(sender, class));
    fitting.find(|scope| scope.supervisors.contains(supervisor)).map(|scope| scope.supervision)
}

/// Whether the policy lets this supervisor have a copy with or without sigma. Its contract is not known here: every scope that could
/// decide counts. In Tessera's suite no copy has sigma.
fn check_mode(charter: &Charter, me: &MemberId, header: &Header, has_sigma: bool) -> Result<(), SupervisionError> {
    let scopes = charter.policy().scopes.iter();
    let fitting = scopes.filter(|scope| scope.may_cover(&header.member, header.class) && scope.supervisors.contains(me));
    let mut modes = fitting.map(|scope| scope.supervision);
    let fits = modes.any(|mode| match mode {
        Supervision::S1 => !has_sigma,
        Supervision::S2 => has_sigma || header.suite != SUITE,
        _ => false,
    });
    if fits && is_supervisor(charter, me) { Ok(()) } else { Err(SupervisionError::NotSupervised(me.clone())) }
}

/// What directory and policy say of the header of a copy.
pub(super) fn check_header(charter: &Charter, from: &MemberId, header: &Header, is_fresh: bool) -> Result<(), Error> {
    let sender = charter.members().by_address(&header.sender).ok_or(Error::NotInDirectory(header.sender))?;
    if sender.id != *from || header.member != *from {
        return Err(Error::NotItsOwn { from: from.clone(), sender: header.member.clone() });
    }
    if !is_fresh {
        return Ok(());
    }
    if header.time.abs_diff(now()) > MAX_SKEW.unsigned_abs() * 1000 {
        let seconds = i64::try_from(header.time.abs_diff(now()) / 1000).unwrap_or(i64::MAX);
        return Err(Error::ClockApart { seconds });
    }
    let dated = i64::try_from(header.time).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    charter.policy_acceptable(header.policy, dated.unwrap_or(jiff::Timestamp::MAX), clock()).map_err(Error::PolicyAge)
}
