//! What a recipient demands of supervisors under S1 to S3: their signed acknowledgements, which travel in front of the delivery.

use super::SupervisionError;
use super::cosign::check_cosignature;
use crate::governance::{Charter, Demand, Policy, Supervision};
use crate::services::governed::{Governed, MAX_SKEW};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::types::{Class, Coded as _, MemberId, PayloadId};
use crate::wire::{Header, SignedAck, Vouched};

/// What supervisors must have acknowledged.
#[derive(Clone, Copy)]
pub(crate) struct Payload<'a> {
    /// The policy that decides: that of the header.
    pub(crate) policy: &'a Policy,
    pub(crate) sender: &'a MemberId,
    pub(crate) class: Class,
    pub(crate) id: PayloadId,
    /// SHA-256 of its header.
    pub(crate) header: [u8; 32],
}

impl<'a> Payload<'a> {
    /// That of a header.
    pub(crate) fn of(charter: &'a Charter, header: &'a Header, digest: [u8; 32]) -> Self {
        let policy = charter.policy_under(header.policy);
        Self { policy, sender: &header.member, class: header.class, id: header.id, header: digest }
    }
}

/// When a supervisor's word counts: as it stands now, or as it stood when a payload was sent (milliseconds since the Unix epoch).
#[derive(Clone, Copy)]
enum When {
    Now,
    At(u64),
}

impl When {
    fn time(self) -> u64 {
        match self {
            Self::Now => now(),
            Self::At(time) => time,
        }
    }
}

impl Node {
    /// Refuses a fresh delivery that its supervisors did not acknowledge, and writes that down.
    ///
    /// Threat: a sender whose node is changed gives its supervisors nothing, or another header than its recipients. Nobody takes it.
    pub(crate) async fn check_vouched(
        &self,
        governed: &Governed,
        charter: &Charter,
        payload: Payload<'_>,
        words: &Vouched,
    ) -> Result<(), Error> {
        match governed.vouched(charter, payload, words) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.unvouched(governed, payload, refusal).await),
        }
    }

    /// A refusal for want of a supervisor's word: in the journal, a few in an hour of each sender.
    pub(crate) async fn unvouched(&self, governed: &Governed, payload: Payload<'_>, refusal: SupervisionError) -> Error {
        let Payload { sender, class, id, header, .. } = payload;
        if governed.told.is_news(Matter::Unvouched, sender.as_str(), &[id.as_bytes(), &header, &refusal.code().0.to_be_bytes()]) {
            let details = serde_json::json!({ "payload": id });
            let event = Happening::now(What::Refused).class(class).member(sender).code(refusal.code()).details(details);
            self.note(event.event()).await;
        }
        refusal.into()
    }
}

impl Governed {
    /// Whether nobody's word is wanted of this node's deliveries, for it is a supervisor itself; or whose, in several ways.
    pub(crate) fn demanded<'a>(&self, charter: &Charter, payload: &Payload<'a>) -> Vec<Demand<'a>> {
        let demands = payload.policy.demanded(charter.members(), payload.sender, payload.class);
        let is_one = demands.iter().any(|demand| demand.supervisors.contains(&&self.me));
        if is_one { Vec::new() } else { demands }
    }

    fn vouched(&self, charter: &Charter, payload: Payload<'_>, words: &Vouched) -> Result<(), SupervisionError> {
        self.vouched_at(charter, payload, words, When::Now)
    }

    /// The same of what was sent before and is given back: acknowledgements of that time, under keys that supervisors have or had.
    pub(crate) fn vouched_then(
        &self,
        charter: &Charter,
        header: &Header,
        digest: [u8; 32],
        words: &Vouched,
    ) -> Result<(), SupervisionError> {
        self.vouched_at(charter, Payload::of(charter, header, digest), words, When::At(header.time))
    }

    fn vouched_at(&self, charter: &Charter, payload: Payload<'_>, words: &Vouched, when: When) -> Result<(), SupervisionError> {
        let demands = self.demanded(charter, &payload);
        if demands.is_empty() {
            return Ok(());
        }
        let acks: Vec<SignedAck> = words.acks.iter().filter_map(|bytes| SignedAck::decode(bytes).ok()).collect();
        let mut refusal = None;
        for demand in &demands {
            match self.meets(charter, (&payload, when), demand, (&acks, words.cosignature.as_deref())) {
                Ok(()) => return Ok(()),
                // Of the scope for all contracts, which is the last.
                Err(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    fn meets(
        &self,
        charter: &Charter,
        (payload, when): (&Payload<'_>, When),
        demand: &Demand<'_>,
        (acks, cosignature): (&[SignedAck], Option<&[u8]>),
    ) -> Result<(), SupervisionError> {
        if demand.mode == Supervision::S4 {
            let supervisors: Vec<MemberId> = demand.supervisors.iter().map(|supervisor| (*supervisor).clone()).collect();
            if matches!(when, When::At(_)) {
                return self.was_cosigned(charter, &supervisors, cosignature, (payload.id, payload.header));
            }
            let bytes = cosignature.ok_or(SupervisionError::NotCosigned)?;
            return check_cosignature(self, charter, &supervisors, bytes, (payload.id, payload.header));
        }
        for supervisor in &demand.supervisors {
            let mut outcome = Err(SupervisionError::NotAcknowledged((*supervisor).clone()));
            for signed in acks.iter().filter(|signed| signed.ack.member == **supervisor) {
                outcome = self.holds(charter, (payload, when), demand.mode, signed);
                if outcome.is_ok() {
                    break;
                }
            }
            outcome?;
        }
        Ok(())
    }

    /// Whether an acknowledgement says that an active supervisor has now, durably, what the mode gives it: this header with all recipients
    /// under S1 and S2, this payload under S3.
    fn holds(
        &self,
        charter: &Charter,
        (payload, when): (&Payload<'_>, When),
        mode: Supervision,
        signed: &SignedAck,
    ) -> Result<(), SupervisionError> {
        let ack = &signed.ack;
        let name = || ack.member.clone();
        let is_now = matches!(when, When::Now);
        let member = charter.members().by_id(&ack.member);
        let member = member.filter(|member| !is_now || super::feed::is_supervisor(charter, &member.id));
        let member = member.ok_or_else(|| SupervisionError::NotASupervisor(name()))?;
        let is_this = ack.network == self.network && ack.id == payload.id && ack.header == payload.header;
        let keys = if is_now { member.signing_key.into_iter().collect() } else { charter.signing_keys(&member.id, ack.time) };
        if !is_this || !keys.iter().any(|key| self.verifies(signed, key)) {
            return Err(SupervisionError::AckOfAnother(name()));
        }
        let apart = ack.time.abs_diff(when.time()) / 1000;
        if apart > MAX_SKEW.unsigned_abs() {
            return Err(SupervisionError::AckNotNow { supervisor: name(), seconds: apart });
        }
        if !ack.durable {
            return Err(SupervisionError::AckOfLess(name(), "it is not on its disk"));
        }
        let owns =
            |address| member.addresses.contains(address) || !is_now && charter.owner_of(address, when.time()) == Some(&member.id);
        let is_received = !ack.addresses.is_empty() && ack.addresses.iter().all(owns);
        // Threat: under S1 and S2 a sender addresses its supervisor as one recipient among others, and shows it nobody else.
        match mode {
            Supervision::S3 if !is_received => Err(SupervisionError::AckOfLess(name(), "it did not receive the payload")),
            Supervision::S1 | Supervision::S2 if !ack.addresses.is_empty() => {
                Err(SupervisionError::AckOfLess(name(), "it received the payload, and no copy that tells all recipients"))
            }
            _ => Ok(()),
        }
    }
}
