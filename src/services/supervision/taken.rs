//! Taking copies: checked against directory and policy, judged beside what the same member gave of the same payload, kept under a leaf of
//! their own.

use data_encoding::{BASE64, HEXLOWER};

use super::SupervisionError;
use super::feed::{Entry, LABEL, SECOND_LABEL, TwoHeaders, entry, is_supervisor, may_see};
use super::places::{Beside, Coming, Extent, Seat, Whose, judge};
use super::rows::{copy_key, of_key, second_key};
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
use crate::shred::SealedHead;
use crate::store::{StoreError, Table, Write};
use crate::supervision::{Copied, SupervisionCopy};
use crate::types::{Coded as _, DocumentId, ItemId, MemberId, PayloadId};
use crate::wire::header::SUITE;
use crate::wire::native::Message as _;
use crate::wire::{Delivery, Header};

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
        let id = header.id;
        if self.is_refused(&id, from).await? {
            return Err(Error::Erased(id));
        }
        let digest = sha256(&[&copy.header]);
        let coming = Coming { header: digest, suite: header.suite, has_sigma: !copy.sealed.is_empty() };
        if self.is_known(from, &copy, (id, &coming)).await? {
            return Ok(Some((copied, digest, None)));
        }
        let head = if copy.sealed.is_empty() {
            self.enclave.begin_document(DocumentId::new(random())).await?
        } else {
            let Some(head) = self.take_sigma(charter, from, (&copy, id), key).await? else { return Ok(None) };
            head
        };
        let sealed = self.enclave.seal_beside(&head, LABEL, bytes.to_vec()).await?;
        let entry = Entry {
            id: id.as_bytes().to_vec().into(),
            time: now(),
            head: head.as_bytes().to_vec().into(),
            sealed: sealed.to_vec().into(),
        };
        let Coming { header: hash, suite, has_sigma } = coming;
        let seat = Seat::Copy { whose: Some(Whose::of(from)), header: hash, suite, has_sigma, leaf: head.leaf() };
        {
            let _one = governed.desk.feed.gate(&id).await;
            // Another may have come meanwhile.
            if self.is_known(from, &copy, (id, &coming)).await? {
                self.enclave.erase(vec![head.leaf()]).await?;
                return Ok(Some((copied, digest, None)));
            }
            self.enter(governed, header, entry, seat).await?;
        }
        // An order to erase it may have come meanwhile: it looked for the copy before that was here.
        if self.is_refused(&id, from).await? {
            self.erase_within(&[id], Extent::CopiesOf(from)).await?;
            return Err(Error::Erased(id));
        }
        self.counters.copies_taken.add();
        Ok(Some((copied, digest, Some(head))))
    }

    /// Whether a member's copy of a payload is not taken any more: it ordered its erasure, or this node erased what it had of it.
    async fn is_refused(&self, id: &PayloadId, from: &MemberId) -> Result<bool, Error> {
        Ok(self.is_guarded(&ItemId::Payload(*id), from).await? || self.is_buried(id, from).await?)
    }

    /// Whether a copy is here. An error if the same member has signed another header for the same payload, or has left as many as it may.
    async fn is_known(&self, from: &MemberId, copy: &SupervisionCopy, (id, coming): (PayloadId, &Coming)) -> Result<bool, Error> {
        match judge(&self.placed_of(&id, from).await?, coming) {
            Beside::Known => Ok(true),
            Beside::New => Ok(false),
            Beside::Full => Err(SupervisionError::ManyCopies(id).into()),
            Beside::Second(first) => Err(self.refuse_second(from, copy, (id, first)).await?),
        }
    }

    /// Keeps a second header as evidence, sealed beside the first, and journals its digest; once for a payload and member.
    async fn refuse_second(
        &self,
        from: &MemberId,
        copy: &SupervisionCopy,
        (id, first): (PayloadId, u64),
    ) -> Result<Error, Error> {
        let refused = SupervisionError::SecondHeader(id);
        self.notice(refused.code(), Some(from), "a second header of one payload came for this supervisor");
        let key = second_key(&id, Whose::of(from));
        if self.store.row(Table::Supervision, &key).await?.is_some() {
            return Ok(refused.into());
        }
        let Some(row) = self.store.row(Table::Supervision, &copy_key(first)).await? else { return Ok(refused.into()) };
        let head = SealedHead::from_bytes(Vec::from(entry(&row)?.head).into());
        let head = head.ok_or_else(|| StoreError::Corrupt("a supervision copy".into()))?;
        let second = SupervisionCopy { sealed: Vec::new(), ..copy.clone() };
        let sealed = match self.enclave.seal_beside(&head, SECOND_LABEL, second.encode()).await {
            Ok(sealed) => sealed,
            Err(EnclaveError::Erased) => return Ok(Error::Erased(id)),
            Err(error) => return Err(error.into()),
        };
        let details = serde_json::json!({ "second": HEXLOWER.encode(&sha256(&[&copy.header])) });
        let event = Happening::now(What::Refused).id(id).member(from).code(refused.code()).details(details).event();
        let value = [&first.to_be_bytes()[..], &sealed].concat();
        self.store.write(vec![Write::put(Table::Supervision, key, value)], vec![event]).await?;
        self.counters.second_headers.add();
        Ok(refused.into())
    }

    /// The second header that a copy's sender signed for the same payload, with the copy's own.
    pub(super) async fn second_of(
        &self,
        of: &Entry,
        member: &MemberId,
        first: &SupervisionCopy,
    ) -> Result<Option<TwoHeaders>, Error> {
        let corrupt = || StoreError::Corrupt("a second header".into());
        let id = PayloadId::try_from(of.id.as_slice()).map_err(|_| corrupt())?;
        let Some(row) = self.store.row(Table::Supervision, &second_key(&id, Whose::of(member))).await? else { return Ok(None) };
        let (Some(head), Some((_, sealed))) = (SealedHead::from_bytes(of.head.to_vec().into()), row.split_first_chunk::<8>())
        else {
            return Err(corrupt().into());
        };
        // It is sealed beside one copy; of a member's others it says nothing.
        if SealedHead::from_bytes(sealed.to_vec().into()).is_none_or(|sealed| sealed.leaf() != head.leaf()) {
            return Ok(None);
        }
        let bytes = match self.enclave.open_beside(&head, SECOND_LABEL, sealed.to_vec().into()).await {
            Ok(bytes) => bytes,
            Err(EnclaveError::Erased) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let second = SupervisionCopy::decode(&bytes).map_err(|_| corrupt())?;
        Ok(Some(TwoHeaders {
            first: BASE64.encode(&first.header),
            first_signature: BASE64.encode(&first.signature),
            second: BASE64.encode(&second.header),
            second_signature: BASE64.encode(&second.signature),
        }))
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
        if !may_see(charter, &governed.me, &header.member, header.class) {
            return Ok(());
        }
        let _one = governed.desk.feed.gate(&header.id).await;
        // Threat: a copy of it that somebody gave before keeps the payload itself out of the feed.
        if self.placed(&header.id).await?.iter().any(|at| at.kind == Seat::Received) {
            return Ok(());
        }
        let empty = || Vec::new().into();
        let entry = Entry { id: header.id.as_bytes().to_vec().into(), time: now(), head: empty(), sealed: empty() };
        self.enter(governed, header, entry, Seat::Received).await
    }

    async fn enter(&self, governed: &Governed, header: &Header, entry: Entry, seat: Seat) -> Result<(), Error> {
        let place = governed.desk.feed.begin();
        let rows = vec![
            Write::put(Table::Supervision, copy_key(place), entry.to_bytes()),
            Write::put(Table::Supervision, of_key(&header.id, place), seat.to_bytes()),
        ];
        let event = Happening::now(What::Supervised).id(header.id).class(header.class).member(&header.member).event();
        let written = self.store.write(rows, vec![event]).await;
        governed.desk.feed.end(place);
        Ok(written?)
    }
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
