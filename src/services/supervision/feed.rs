//! The supervisor's side: copies and payloads that it supervises, in the order of their coming, for `watch` and for what asks again.
//!
//! A copy is sealed under a leaf of its own: the erasure of its payload reaches it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};
use serde::Serialize;
use tokio::sync::Notify;

use crate::enclave::EnclaveError;
use crate::governance::{Charter, Supervision};
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::StoreError;
use crate::supervision::SupervisionCopy;
use crate::types::{Address, Class, MemberId, PayloadId};
use crate::wire::Header;
use crate::wire::native::Message as _;

/// What a copy is sealed as, beside its leaf.
pub(super) const LABEL: &str = "supervision";
/// What a second header of the same payload and member is sealed as, beside the leaf of the first.
pub(super) const SECOND_LABEL: &str = "supervision second";

/// Ids share so many locks.
const GATES: usize = 64;

/// The order of what comes. What is still being written is not shown, or a reader would pass it by.
pub(crate) struct Feed {
    state: Mutex<Places>,
    /// There is something new to see.
    pub(super) news: Notify,
    /// One copy of a payload is entered at a time: what is judged beside others is what is kept beside them.
    gates: [tokio::sync::Mutex<()>; GATES],
}

impl Default for Feed {
    fn default() -> Self {
        Self { state: Mutex::default(), news: Notify::new(), gates: std::array::from_fn(|_| tokio::sync::Mutex::new(())) }
    }
}

#[derive(Default)]
struct Places {
    next: u64,
    writing: BTreeSet<u64>,
}

impl Feed {
    pub(super) async fn gate(&self, id: &PayloadId) -> tokio::sync::MutexGuard<'_, ()> {
        self.gates[usize::from(id.as_bytes()[0]) % GATES].lock().await
    }

    pub(super) fn begin(&self) -> u64 {
        let mut places = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.next;
        places.next += 1;
        places.writing.insert(place);
        place
    }

    pub(super) fn end(&self, place: u64) {
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
    /// Its sender signed another header for the same payload, too: both of them, evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<TwoHeaders>,
}

/// Two headers that a member signed for one payload, in Base64: whoever has the directory verifies both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TwoHeaders {
    /// The one that came first.
    pub first: String,
    /// The member's signature on it.
    pub first_signature: String,
    /// The one that was refused.
    pub second: String,
    /// The member's signature on it.
    pub second_signature: String,
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
    /// The bytes of a copy; `None` if it was erased, or there is none.
    pub(super) async fn opened(&self, entry: &Entry) -> Result<Option<Vec<u8>>, Error> {
        if entry.sealed.is_empty() {
            return Ok(None);
        }
        let head = SealedHead::from_bytes(entry.head.to_vec().into());
        let head = head.ok_or_else(corrupt)?;
        match self.enclave.open_beside(&head, LABEL, entry.sealed.to_vec().into()).await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(EnclaveError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A copy that is here and opens.
    pub(super) async fn open_copy(&self, entry: &Entry) -> Result<Option<SupervisionCopy>, Error> {
        let Some(bytes) = self.opened(entry).await? else { return Ok(None) };
        Ok(Some(SupervisionCopy::decode(&bytes).map_err(|_| corrupt())?))
    }

    /// What stands at a place, if the policy still lets this node see it.
    pub(super) async fn seen(&self, charter: &Charter, me: &MemberId, place: u64, row: &[u8]) -> Result<Option<Seen>, Error> {
        let entry = entry(row)?;
        let received = entry.sealed.is_empty();
        let id = PayloadId::try_from(entry.id.as_slice()).map_err(|_| StoreError::Corrupt("a place of the feed".into()))?;
        let (opened, copy) = if received {
            (self.received_words(id).await?, None)
        } else {
            let copy = self.open_copy(&entry).await?;
            (copy.as_ref().map(words).transpose()?, copy)
        };
        let Some((header, recipients, escrowed)) = opened else { return Ok(None) };
        let Some(mode) = mode_of(charter, me, &header.member, header.class) else { return Ok(None) };
        let second = match &copy {
            Some(copy) => self.second_of(&entry, &header.member, copy).await?,
            None => None,
        };
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
            second,
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

    /// Whether this node may be given copies: its member is a supervisor.
    pub(crate) fn is_watching(&self) -> bool {
        self.governed.as_ref().is_some_and(|governed| is_supervisor(&governed.charter(), &governed.me))
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

fn corrupt() -> StoreError {
    StoreError::Corrupt("a supervision copy".into())
}

/// What a copy tells: its header, everyone whom it was sent to, whether it holds sigma.
fn words(copy: &SupervisionCopy) -> Result<(Header, Vec<Address>, bool), Error> {
    let header = Header::decode(&copy.header).map_err(|_| corrupt())?;
    Ok((header, copy.recipients.clone(), !copy.sealed.is_empty()))
}

/// Whether an active supervisor may see what a member sends of a class.
pub(super) fn may_see(charter: &Charter, supervisor: &MemberId, sender: &MemberId, class: Class) -> bool {
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
