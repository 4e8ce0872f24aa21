//! Whether a delivery is taken: what directory, policy, orders and supervision say of what is sent now, and said of what is given back when it
//! was sent.
//!
//! Threat: a sender keeps a payload back, or its copy for a supervisor, from rules that ask for a capsule, a supervisor or nothing at all, and
//! gives it back when a recipient has lost its disk. So what is given back is either what this node took and signed for before, or judged: under
//! the policy that its header names, at the time that its header says; and as any delivery if that time is now. **A sender that dates it back
//! to days when nothing was asked, and says that no acknowledgement is left, is not found out by that.**

use jiff::{SignedDuration, Timestamp};

use crate::crypto::sign::VerifyKey;
use crate::enclave::{EnclaveError, Meta};
use crate::governance::{Charter, Judged, PolicyAge};
use crate::services::escrow;
use crate::services::governed::{Governed, MAX_SKEW, clock};
use crate::services::records::now;
use crate::services::supervision::{Concern, Demanded};
use crate::services::{Error, Node, ReturnError};
use crate::types::{MemberId, PayloadId};
use crate::wire::header::{self, Header};
use crate::wire::{GivenBack, SignedAck, Vouched};

/// How long after a policy that superseded another, and its grace, payloads were still sent under the other: a policy's date is that of its
/// writing, and it is told later.
const TOLD_LATE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether a delivery is sent now by its sender, or given back by somebody who has what was sent before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fresh<'a> {
    No(&'a GivenBack),
    /// With the words of supervisors that came with it.
    Yes(&'a Vouched),
}

impl Fresh<'_> {
    pub(super) const fn is_fresh(&self) -> bool {
        matches!(self, Self::Yes(_))
    }

    /// What supervisors said: kept with the payload, to be given back with it.
    pub(super) fn words(&self) -> Vouched {
        match self {
            Self::No(given) => given.words.clone(),
            Self::Yes(words) => (*words).clone(),
        }
    }
}

/// A delivery that was opened: its signature holds, it is addressed to this node.
#[derive(Clone, Copy)]
pub(super) struct Opened<'a> {
    pub(super) header: &'a Header,
    /// SHA-256 of its bytes.
    pub(super) digest: [u8; 32],
    pub(super) meta: &'a Meta,
}

impl Node {
    /// Whether it may be kept, and what is still to be done then.
    pub(super) async fn judge_delivery(
        &self,
        governed: &Governed,
        charter: &Charter,
        opened: Opened<'_>,
        fresh: Fresh<'_>,
    ) -> Result<Demanded, Error> {
        let given = match fresh {
            Fresh::Yes(words) => return self.judge_fresh(governed, charter, opened, words).await,
            Fresh::No(given) => given,
        };
        let Opened { header, digest, meta } = opened;
        // An address that its member replaced since was its own when this was made.
        let owner = charter.owner_of(&header.sender, header.time).ok_or(Error::NotInDirectory(header.sender))?;
        if *owner != header.member {
            return Err(not_its_own(header, owner));
        }
        if header.member != governed.me && self.was_taken_back(&header.id, &digest).await? {
            return Err(ReturnError::TakenBack(header.member.clone()).into());
        }
        // We sent it ourselves, or took it: it was judged then.
        if header.member == governed.me || governed.took_before(charter, given, header.id, digest) {
            return Ok(Demanded::Nothing);
        }
        if is_of_now(header.time) {
            // Threat: what is made now is given as what was lost, and under a key that was replaced.
            let native = meta.native.as_ref().ok_or(Error::Message("a delivery without a header"))?;
            let newest = charter.members().by_id(&header.member).and_then(|member| member.signing_key);
            let is_signed = |key| header::verify(&governed.network, &native.header, &native.signature, &key).is_ok();
            if !newest.is_some_and(is_signed) {
                return Err(ReturnError::SignedBefore(header.member.clone()).into());
            }
            return self.judge_fresh(governed, charter, opened, &given.words).await;
        }
        governed.judge_past(charter, opened, &given.words)?;
        Ok(Demanded::Nothing)
    }

    /// What is sent now.
    async fn judge_fresh(
        &self,
        governed: &Governed,
        charter: &Charter,
        Opened { header, digest, meta }: Opened<'_>,
        words: &Vouched,
    ) -> Result<Demanded, Error> {
        check_header(governed, charter, header)?;
        escrow::check_supervised(charter, header, meta)?;
        self.not_stopped(governed, &Concern::of(&header.member, header.class, &header.privacy)).await?;
        let demanded = governed.cosigned(charter, header, digest, words.cosignature.as_deref())?;
        self.check_words(governed, charter, header, digest, words).await?;
        Ok(demanded)
    }
}

impl Governed {
    /// Whether this node signed for it: it was judged then, whatever has become of policies, keys and orders since.
    fn took_before(&self, charter: &Charter, given: &GivenBack, id: PayloadId, header: [u8; 32]) -> bool {
        let Some(signed) = given.ack.as_ref().and_then(|bytes| SignedAck::decode(bytes).ok()) else { return false };
        let ack = &signed.ack;
        let is_of_this = ack.network == self.network && ack.member == self.me && ack.id == id && ack.header == header;
        is_of_this && ack.durable && charter.signing_keys(&self.me, ack.time).iter().any(|key| signed.verify(key).is_ok())
    }

    /// What was sent before, as the policy of its day has it, and orders that stood then.
    fn judge_past(&self, charter: &Charter, Opened { header, digest, meta }: Opened<'_>, words: &Vouched) -> Result<(), Error> {
        let dated = moment(header.time);
        if header.time > now() {
            return Err(Error::ClockApart { seconds: clock().duration_since(dated).as_secs() });
        }
        was_in_force(charter, header.policy, dated)?;
        let policy = charter.policy_of(header.policy).map(|signed| &signed.content);
        if let Some(policy) = policy {
            let members = charter.members();
            let member = |id: &MemberId| members.by_id(id).ok_or_else(|| Error::NotAMember(id.clone()));
            let (sender, me) = (member(&header.member)?, member(&self.me)?);
            policy.judge(&Judged { sender, recipients: &[me], class: header.class }).map_err(Error::Policy)?;
        }
        escrow::check_supervised_then(charter, header, meta)?;
        let concern = Concern::of(&header.member, header.class, &header.privacy);
        self.desk.stops.check_then(&concern, header.time)?;
        self.cosigned_then(charter, header, digest, words.cosignature.as_deref())?;
        self.vouched_then(charter, header, digest, words)?;
        Ok(())
    }
}

/// Whether a header's time is one at which a delivery is taken as sent now.
fn is_of_now(time: u64) -> bool {
    time.abs_diff(now()) <= MAX_SKEW.unsigned_abs() * 1000
}

fn moment(time: u64) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(time).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
}

/// Whether a policy was in force on a day, or in its grace, as far as those who were told late can have known.
fn was_in_force(charter: &Charter, named: u64, dated: Timestamp) -> Result<(), Error> {
    let current = charter.policy_version();
    let Some(policy) = charter.policy_of(named) else { return Err(Error::PolicyAge(PolicyAge::Unknown { named, current })) };
    if policy.content.head.issued.duration_since(dated) > SignedDuration::from_secs(MAX_SKEW) {
        return Err(ReturnError::DatedBefore { policy: named }.into());
    }
    let Some(next) = charter.policies().map(|signed| &signed.content).find(|policy| policy.head.version > named) else {
        return Ok(());
    };
    let grace = SignedDuration::try_from(next.grace.duration()).unwrap_or(SignedDuration::MAX);
    if dated.duration_since(next.head.issued) < grace.saturating_add(TOLD_LATE) {
        return Ok(());
    }
    Err(Error::PolicyAge(PolicyAge::Superseded { named, by: next.head.version, current }))
}

pub(super) fn not_its_own(header: &Header, owner: &MemberId) -> Error {
    Error::NotItsOwn { from: header.member.clone(), sender: owner.clone() }
}

/// That a key which signed a header was its member's at the header's date.
///
/// Threat: whoever stole a key that was replaced writes a header of today and has it given back.
pub(super) fn check_key_of(charter: &Charter, meta: &Meta, key: &VerifyKey) -> Result<(), Error> {
    let header = meta.native.as_ref().and_then(|native| Header::decode(&native.header).ok());
    let header = header.ok_or(Error::Message("a header that does not decode"))?;
    let is_of_its_time = charter.signing_keys(&header.member, header.time).contains(key);
    if is_of_its_time { Ok(()) } else { Err(EnclaveError::Broken.into()) }
}

/// What the directory and the policy say of the header of what is sent now.
pub(super) fn check_header(governed: &Governed, charter: &Charter, header: &Header) -> Result<(), Error> {
    let members = charter.members();
    let sender = members.by_address(&header.sender).ok_or(Error::NotInDirectory(header.sender))?;
    if sender.id != header.member {
        return Err(not_its_own(header, &sender.id));
    }
    let dated = moment(header.time);
    let seconds = clock().duration_since(dated).as_secs();
    if seconds.abs() > MAX_SKEW {
        return Err(Error::ClockApart { seconds });
    }
    charter.policy_acceptable(header.policy, dated, clock()).map_err(Error::PolicyAge)?;
    let me = members.by_id(&governed.me).ok_or_else(|| Error::NotAMember(governed.me.clone()))?;
    charter.policy().judge(&Judged { sender, recipients: &[me], class: header.class }).map_err(Error::Policy)
}
