//! Payloads in Tessera's suite, which have no header: the sender's node makes and signs one for its supervisors, and shows it to recipients that
//! speak natively, with what the supervisors said.

use super::copies::{Copies, CopyOf, Watchers};
use super::vouched::Payload;
use super::{Concern, SupervisionError, copied_to};
use crate::crypto::hash::payload_id;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::crypto::sign::Signature;
use crate::enclave::Sealed;
use crate::erasure::Tags;
use crate::governance::Charter;
use crate::services::governed::{Governed, native_address};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::supervision::SupervisionCopy;
use crate::types::{Address, Class, MemberId, PayloadId, PrivacyFlag};
use crate::wire::header::{Header, day_of, signed};
use crate::wire::{Audience, EncodedPayload, Stated, Vouched};

/// Suite of the header that is made: supervisors take it, and no recipient of celosia-1.
const SUITE: u8 = 0;

/// What recipients are shown of what supervisors were told.
#[derive(Default)]
pub(crate) struct Told {
    acks: Vec<Vec<u8>>,
    header: Option<(Vec<u8>, Signature, Audience)>,
    /// The copy that supervisors have: kept beside the payload, for those that lose theirs.
    pub(crate) copy: Option<Vec<u8>>,
}

impl Told {
    /// For one recipient.
    pub(crate) fn to(&self, recipient: &Address) -> Vouched {
        let stated = self.header.as_ref().and_then(|(header, signature, audience)| {
            let opening = audience.opening(recipient)?;
            Some(Stated { header: header.clone(), signature: *signature, opening })
        });
        Vouched { cosignature: None, acks: self.acks.clone(), stated }
    }
}

impl Node {
    /// Whom a copy of a payload in Tessera's suite is for: of its header alone, for there is no box that sigma could go in.
    pub(crate) fn watchers_of_tessera(&self, sealed: &Sealed, class: Class, tags: &Tags) -> Watchers {
        let Some(governed) = &self.governed else { return Watchers::default() };
        let affected: Vec<PayloadId> = sealed.payload.privacy.affected.iter().map(|affected| affected.id).collect();
        let concern = Concern::own(governed, class, tags, &affected);
        copied_to(governed.charter().policy(), &governed.me, &concern).of_headers()
    }

    /// Tells the supervisors, before anybody else has it. `is_shown`: a recipient speaks natively, and is shown the header where it could
    /// otherwise take the payload, whose class it does not know, for one that needs a supervisor's word.
    pub(crate) async fn tell_of_tessera(&self, sealed: &Sealed, class: Class, tags: &Tags, is_shown: bool) -> (Told, Copies) {
        let Some(governed) = &self.governed else { return Default::default() };
        let charter = governed.charter();
        let watchers = self.watchers_of_tessera(sealed, class, tags);
        let is_asked = || is_shown && !charter.policy().demanded(charter.members(), &governed.me, Class::default()).is_empty();
        if watchers.members.is_empty() && !is_asked() {
            return Default::default();
        }
        let (copy, audience) = match self.copy_of_tessera(governed, &charter, sealed, class).await {
            Ok(made) => made,
            Err(error) => return (Told::default(), Copies { failure: Some(error), ..Copies::default() }),
        };
        let (head, nonce, ciphertext) = (&sealed.head, sealed.payload.nonce, &sealed.payload.ciphertext);
        let of = CopyOf { id: sealed.id, head, nonce, ciphertext };
        let copies = self.copy_to_supervisors(governed, &charter, &watchers, &copy, of).await;
        let kept = (!watchers.members.is_empty()).then(|| copy.encode());
        (Told { acks: copies.acks.clone(), header: Some((copy.header, copy.signature, audience)), copy: kept }, copies)
    }

    /// The copy of a payload in Tessera's suite, and the tree over its recipients.
    async fn copy_of_tessera(
        &self,
        governed: &Governed,
        charter: &Charter,
        sealed: &Sealed,
        class: Class,
    ) -> Result<(SupervisionCopy, Audience), Error> {
        let seed: [u8; 32] = random();
        let recipients = sealed.payload.recipients.clone();
        let secret = Secret::from_slice(&seed);
        let audience = secret.and_then(|seed| Audience::new(&seed, recipients.iter()));
        let audience = audience.ok_or(SupervisionError::Copy("it has too many recipients"))?;
        let privacy = sealed.payload.privacy.clone();
        let is_told = privacy.flag == PrivacyFlag::StateValidation;
        let header = Header {
            network: governed.network,
            suite: SUITE,
            policy: charter.policy_version(),
            day: day_of(now()),
            class,
            time: now(),
            sender: sealed.payload.sender,
            member: governed.me.clone(),
            id: sealed.id,
            privacy,
            recipients: is_told.then(|| recipients.clone()),
            audience: audience.root(),
            escrow: None,
        };
        let header = header.encode();
        let signature = self.enclave.sign(signed(&governed.network, &header)).await?;
        Ok((SupervisionCopy { header, signature, seed, recipients, sealed: Vec::new() }, audience))
    }

    /// What a recipient demands of a fresh payload in Tessera's suite that a member with a Celosia delivers. Without a header it counts as
    /// personal.
    ///
    /// Threat: a member sends past its supervisors in a suite that has no header.
    pub(crate) async fn check_tessera(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        payload: &EncodedPayload,
        words: &Vouched,
    ) -> Result<Option<(Header, [u8; 32])>, Error> {
        let id = payload_id(&payload.ciphertext);
        let untold = Payload { policy: charter.policy(), sender: from, class: Class::default(), id, header: [0; 32] };
        let Some(stated) = &words.stated else {
            if governed.demanded(charter, &untold).is_empty() {
                return Ok(None);
            }
            return Err(self.unvouched(governed, untold, SupervisionError::Unstated).await);
        };
        let (header, digest) = match governed.stated(charter, from, payload, stated) {
            Ok(stated) => stated,
            Err(Error::Supervision(refusal)) => return Err(self.unvouched(governed, untold, refusal).await),
            Err(error) => return Err(error),
        };
        if let Err(refusal) = governed.not_revoked(charter, &header, digest) {
            return Err(self.unvouched(governed, untold, refusal).await);
        }
        let told = Payload::of(charter, &header, digest);
        told.policy.check_unproved(from, None, header.class).map_err(Error::Policy)?;
        self.check_vouched(governed, charter, told, words).await?;
        Ok(Some((header, digest)))
    }

    /// The same of a payload that comes over Tessera's peer protocol, which has no place for a supervisor's word: nobody who could have used
    /// the other one may use it to send past a supervisor. Nor in a recovery: members that speak natively give back natively.
    pub(crate) async fn admits_unvouched(&self, payload: &EncodedPayload) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        let charter = governed.charter();
        let from = charter.members().by_address(&payload.sender).filter(|from| from.id != governed.me);
        match from.filter(|from| native_address(from).is_some()) {
            Some(from) => self.check_tessera(governed, &charter, &from.id, payload, &Vouched::default()).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Governed {
    /// The header that a member shows of a payload in Tessera's suite, and its digest.
    fn stated(
        &self,
        charter: &Charter,
        from: &MemberId,
        payload: &EncodedPayload,
        stated: &Stated,
    ) -> Result<(Header, [u8; 32]), Error> {
        let bad = |why| SupervisionError::Stated(why);
        let key = charter.members().by_id(from).and_then(|member| member.signing_key);
        let key = key.ok_or_else(|| Error::NotAMember(from.clone()))?;
        // Threat: the first recipient is in the header, and the box that opens is another's.
        if payload.boxes.len() != 1 {
            return Err(bad("it has more boxes than one").into());
        }
        let recipient = payload.recipients.first().ok_or_else(|| bad("nobody receives it"))?;
        let (header, digest) =
            stated.check(&self.network, &key, recipient).map_err(|_| bad("it does not verify, or leaves this recipient out"))?;
        let affected = |privacy: &crate::types::Privacy| {
            let mut all: Vec<PayloadId> = privacy.affected.iter().map(|affected| affected.id).collect();
            all.sort_unstable();
            (privacy.flag, all)
        };
        let is_of_it = header.suite == SUITE && header.id == payload_id(&payload.ciphertext) && header.sender == payload.sender;
        if !is_of_it || affected(&header.privacy) != affected(&payload.privacy) {
            return Err(bad("it is of another payload").into());
        }
        super::taken::check_header(charter, from, &header, true)?;
        Ok((header, digest))
    }
}
