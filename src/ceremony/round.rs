use std::collections::BTreeMap;

use super::plan::Party;
use super::{CeremonyError, CommitteeFile, Message, Numbers, Plan, Seen, Signed, Verdict};
use crate::crypto::hash::sha256;
use crate::crypto::sign::VerifyKey;
use crate::crypto::threshold::dkg::{Fault, Public};
use crate::crypto::threshold::{dkg, reshare};
use crate::types::Coded as _;

/// What comes next for one who takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Round {
    /// To commit.
    Commit,
    /// To repeat what was seen, and to deal.
    Deal,
    /// To check, and to sign.
    Sign,
    /// To wait for others, in a round.
    Wait(u8, Vec<String>),
    /// Nothing: all have signed.
    Done,
}

/// All messages of a ceremony that are there, each checked when it came.
#[derive(Debug)]
pub struct Board<'a> {
    plan: &'a Plan,
    parties: Vec<Party>,
    messages: BTreeMap<(u8, VerifyKey), Message>,
}

impl<'a> Board<'a> {
    /// Empty.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, parties: plan.parties(), messages: BTreeMap::new() }
    }

    pub(crate) fn party(&self, key: &VerifyKey) -> Option<&Party> {
        self.parties.iter().find(|party| party.key == *key)
    }

    /// Takes a message.
    ///
    /// # Errors
    /// One that is refused changes nothing: the ceremony waits for the right one. But two that one officer signed end it:
    /// [`CeremonyError::Equivocation`].
    pub fn add(&mut self, message: Message) -> Result<(), CeremonyError> {
        let name = self.plan.author(&message)?;
        match self.messages.get(&(message.round, message.from)) {
            Some(known) if known.body != message.body => Err(CeremonyError::Equivocation(name)),
            Some(_) => Ok(()),
            None => {
                self.messages.insert((message.round, message.from), message);
                Ok(())
            }
        }
    }

    /// The message of an officer in a round.
    pub fn message(&self, round: u8, key: &VerifyKey) -> Option<&Message> {
        self.messages.get(&(round, *key))
    }

    /// What comes next for the owner of a key.
    ///
    /// # Errors
    /// [`CeremonyError::Stranger`] for one who takes no part, and the first accusation.
    pub fn next(&self, me: &VerifyKey) -> Result<Round, CeremonyError> {
        let party = self.party(me).ok_or(CeremonyError::Stranger)?;
        self.accusation()?;
        if party.deals.is_some() && self.message(1, me).is_none() {
            return Ok(Round::Commit);
        }
        for (round, act) in [(1, Round::Deal), (2, Round::Sign), (3, Round::Done)] {
            let missing = self.missing(round);
            if !missing.is_empty() {
                return Ok(Round::Wait(round, missing));
            }
            if round == 3 || self.message(round + 1, me).is_none() {
                return Ok(act);
            }
        }
        Ok(Round::Done)
    }

    /// Who has not spoken in a round, by name.
    pub fn missing(&self, round: u8) -> Vec<String> {
        let speaks = |party: &&Party| round > 1 || party.deals.is_some();
        let silent = self.parties.iter().filter(speaks).filter(|party| self.message(round, &party.key).is_none());
        silent.map(|party| party.name.clone()).collect()
    }

    /// The dealers, by index.
    pub(crate) fn dealers(&self) -> BTreeMap<u16, &Party> {
        self.parties.iter().filter_map(|party| Some((party.deals?, party))).collect()
    }

    /// The commitments of all dealers that are there, by index.
    pub fn commitments(&self) -> BTreeMap<u16, Vec<u8>> {
        let body = |(index, party): (u16, &Party)| Some((index, self.message(1, &party.key)?.body.clone()));
        self.dealers().into_iter().filter_map(body).collect()
    }

    /// What is repeated of the first round, in the order of the dealers.
    pub fn seen(&self) -> Vec<Seen> {
        let seen =
            |party: &Party| self.message(1, &party.key).map(|said| Seen { digest: said.digest(), signature: said.signature });
        self.dealers().into_values().filter_map(seen).collect()
    }

    /// Digest of the first round.
    pub fn transcript(&self) -> [u8; 32] {
        let digests: Vec<u8> = self.seen().iter().flat_map(|seen| seen.digest).collect();
        sha256(&[b"celosia ceremony transcript 1", &self.plan.id().0, &digests])
    }

    /// Whether everybody saw the same first round.
    ///
    /// Threat: a dealer that commits to one polynomial before some and to another before others.
    pub fn check_echoes(&self) -> Result<(), CeremonyError> {
        let (own, dealers) = (self.seen(), self.dealers());
        for party in &self.parties {
            let said = self.numbers(party)?;
            if said.seen.len() != own.len() {
                return Err(CeremonyError::FalseEcho(party.name.clone()));
            }
            for ((seen, own), dealer) in said.seen.iter().zip(&own).zip(dealers.values()) {
                if seen.digest == own.digest {
                    continue;
                }
                let is_signed = seen.is_signed(&self.plan.network, &self.plan.id(), 1, &dealer.key);
                let name = if is_signed { dealer } else { party }.name.clone();
                return Err(if is_signed { CeremonyError::Equivocation(name) } else { CeremonyError::FalseEcho(name) });
            }
        }
        Ok(())
    }

    /// What each dealer sealed to a receiver, by the dealer's index.
    pub(crate) fn sealed_to(&self, receiver: u16) -> Result<BTreeMap<u16, Vec<u8>>, CeremonyError> {
        let at = self.plan.officers.keys().position(|index| *index == receiver).unwrap_or(usize::MAX);
        let sealed = |(index, party): (u16, &Party)| {
            let mut numbers = self.numbers(party)?;
            let sealed = if at < numbers.sealed.len() { numbers.sealed.swap_remove(at) } else { Vec::new() };
            Ok((index, sealed))
        };
        self.dealers().into_iter().map(sealed).collect()
    }

    fn numbers(&self, party: &Party) -> Result<Numbers, CeremonyError> {
        let message = self.message(2, &party.key).ok_or(CeremonyError::Message("a second message is missing"))?;
        Numbers::decode(&message.body).map_err(|_| CeremonyError::FalseEcho(party.name.clone()))
    }

    /// A fault of the arithmetic under the name of its author.
    pub(crate) fn name_fault(&self, fault: Fault) -> CeremonyError {
        let name = |index: u16| self.dealers().get(&index).map_or_else(|| index.to_string(), |party| party.name.clone());
        match fault {
            Fault::Commitments(index) => CeremonyError::Commitments(name(index)),
            Fault::Proof(index) => CeremonyError::Proof(name(index)),
            Fault::Share(index) => CeremonyError::Share(name(index)),
            Fault::Shape => CeremonyError::Shape(fault.to_string()),
        }
    }

    /// What stands against the ceremony by what is public of it: who cheated, or who accuses whom. A number that does not fit is seen by its
    /// receiver alone.
    pub fn trouble(&self) -> Option<CeremonyError> {
        let judge = || {
            self.accusation()?;
            let is_said = |round| self.missing(round).is_empty();
            if is_said(1) {
                self.unsigned()?;
            }
            if is_said(2) {
                self.check_echoes()?;
            }
            if is_said(3) { self.complete().map(drop) } else { Ok(()) }
        };
        judge().err()
    }

    fn accusation(&self) -> Result<(), CeremonyError> {
        for party in &self.parties {
            let Some(message) = self.message(3, &party.key) else { continue };
            if let Verdict::Accuse { dealer } = Verdict::decode(&message.body)? {
                let accused = self.party(&dealer).map_or_else(|| dealer.to_string(), |party| party.name.clone());
                let code = CeremonyError::Share(String::new()).code();
                return Err(CeremonyError::Accused { accuser: party.name.clone(), accused, code });
            }
        }
        Ok(())
    }

    /// The committee that the commitments give, nobody's signature on it yet.
    pub fn unsigned(&self) -> Result<CommitteeFile, CeremonyError> {
        let committee = self.plan.committee(&self.public()?)?;
        let (network, ceremony, transcript) = (self.plan.network, self.plan.id(), self.transcript());
        Ok(CommitteeFile { network, ceremony, transcript, committee, signatures: Vec::new() })
    }

    fn public(&self) -> Result<Public, CeremonyError> {
        let commitments = self.commitments();
        let public = match self.plan.resharing()? {
            Some(resharing) => reshare::Resharing::public(&resharing, &commitments),
            None => dkg::public(self.plan.shape(), &commitments),
        };
        public.map_err(|fault| self.name_fault(fault))
    }

    /// The committee with everybody's signature.
    ///
    /// # Errors
    /// Names who has not signed, or signed another.
    pub fn complete(&self) -> Result<CommitteeFile, CeremonyError> {
        self.accusation()?;
        let mut file = self.unsigned()?;
        for party in &self.parties {
            let message = self.message(3, &party.key).ok_or_else(|| CeremonyError::Unsigned(party.name.clone()))?;
            let Verdict::Signed { transcript, signature } = Verdict::decode(&message.body)? else { continue };
            if transcript != file.transcript || !file.is_signed(&party.key, &signature) {
                return Err(CeremonyError::OtherCommittee(party.name.clone()));
            }
            file.signatures.push(Signed { key: party.key, signature });
        }
        file.signatures.sort_by_key(|signed| signed.key);
        file.check(self.plan.previous.as_ref().map(|previous| &previous.file.committee))?;
        Ok(file)
    }
}
