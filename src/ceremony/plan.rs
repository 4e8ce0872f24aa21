use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::card::CardText;
use super::{Card, CeremonyError, CommitteeFile};
use crate::crypto::hash::sha256;
use crate::crypto::hpke::BoxKey;
use crate::crypto::random;
use crate::crypto::sign::VerifyKey;
use crate::crypto::threshold::GroupKey;
use crate::crypto::threshold::dkg::{MAX_OFFICERS, Public, Shape};
use crate::crypto::threshold::reshare::Resharing;
use crate::governance::{Committee, Officer, Purpose};
use crate::types::{NetworkId, folded};

const FORMAT: &str = "celosia ceremony 1";

/// SHA-256 of a plan in its canonical text: whoever has another plan is in another ceremony.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct CeremonyId(pub [u8; 32]);

impl fmt::Display for CeremonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for CeremonyId {
    type Err = CeremonyError;

    fn from_str(text: &str) -> Result<Self, CeremonyError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(CeremonyError::Message("the ceremony is not 32 bytes in hexadecimal"))
    }
}

impl fmt::Debug for CeremonyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is agreed before anybody says a word.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The network that the committee serves.
    pub network: NetworkId,
    /// What its key is for.
    pub purpose: Purpose,
    /// Which key of the purpose.
    pub epoch: u64,
    /// Which shares of the key.
    pub generation: u64,
    /// Officers needed to open.
    pub threshold: u16,
    /// The officers of the result, by index.
    pub officers: BTreeMap<u16, Card>,
    /// For new shares of a key that is there.
    pub previous: Option<Previous>,
    /// Tells two attempts of the same officers apart.
    nonce: [u8; 32],
}

/// The committee that deals, and who of it does.
#[derive(Clone, Debug)]
pub struct Previous {
    /// With its signatures.
    pub file: CommitteeFile,
    /// By their index in it.
    pub dealers: BTreeSet<u16>,
}

/// One who takes part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Party {
    pub(crate) name: String,
    pub(crate) key: VerifyKey,
    /// Index as a dealer.
    pub(crate) deals: Option<u16>,
    /// Index in the result, and what is sealed to it.
    pub(crate) receives: Option<(u16, BoxKey)>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    format: String,
    network: NetworkId,
    purpose: Purpose,
    epoch: u64,
    generation: u64,
    threshold: u16,
    nonce: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dealers: Vec<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    officers: Vec<CardText>,
}

impl Plan {
    /// A key generation among the officers of the cards, in their order.
    pub fn generate(
        network: NetworkId,
        purpose: Purpose,
        epoch: u64,
        threshold: u16,
        cards: Vec<Card>,
    ) -> Result<Self, CeremonyError> {
        let officers = (1..).zip(cards).collect();
        let plan = Self { network, purpose, epoch, generation: 1, threshold, officers, previous: None, nonce: random() };
        plan.check()?;
        Ok(plan)
    }

    /// New shares of the key of `previous` for the officers of the cards, by their index.
    pub fn reshare(previous: Previous, threshold: u16, officers: BTreeMap<u16, Card>) -> Result<Self, CeremonyError> {
        let committee = &previous.file.committee;
        let (purpose, epoch, generation) = (committee.purpose, committee.epoch, committee.generation + 1);
        let network = previous.file.network;
        let plan = Self { network, purpose, epoch, generation, threshold, officers, previous: Some(previous), nonce: random() };
        plan.check()?;
        Ok(plan)
    }

    /// Reads a plan; everything in it is checked.
    pub fn parse(text: &str) -> Result<Self, CeremonyError> {
        let text: Text = toml::from_str(text).map_err(|error| CeremonyError::Plan(error.message().to_owned()))?;
        let wrong = |what: &str| CeremonyError::Plan(what.to_owned());
        if text.format != FORMAT {
            return Err(wrong("the format is not \"celosia ceremony 1\""));
        }
        let nonce = HEXLOWER.decode(text.nonce.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let nonce = nonce.ok_or_else(|| wrong("the nonce is not 32 bytes in hexadecimal"))?;
        let count = text.officers.len();
        let mut officers = BTreeMap::new();
        for card in text.officers {
            let index = card.index.ok_or_else(|| wrong("an officer has no index"))?;
            officers.insert(index, card.checked()?);
        }
        if officers.len() != count {
            return Err(CeremonyError::Shape("an index is there twice".to_owned()));
        }
        let previous = text.previous.map(|file| CommitteeFile::parse(&file)).transpose()?;
        let is_generation = previous.is_none();
        if is_generation != text.dealers.is_empty() {
            return Err(wrong("dealers are named for new shares of an old key, and then alone"));
        }
        let previous = previous.map(|file| Previous { file, dealers: text.dealers.into_iter().collect() });
        let Text { network, purpose, epoch, generation, threshold, .. } = text;
        let plan = Self { network, purpose, epoch, generation, threshold, officers, previous, nonce };
        plan.check()?;
        Ok(plan)
    }

    /// The plan as a file: one form for one plan.
    ///
    /// # Panics
    /// Never: strings and numbers have that form.
    pub fn to_toml(&self) -> String {
        let text = Text {
            format: FORMAT.to_owned(),
            network: self.network,
            purpose: self.purpose,
            epoch: self.epoch,
            generation: self.generation,
            threshold: self.threshold,
            nonce: HEXLOWER.encode(&self.nonce),
            dealers: self.previous.iter().flat_map(|previous| previous.dealers.iter().copied()).collect(),
            previous: self.previous.as_ref().map(|previous| previous.file.to_toml()),
            officers: self.officers.iter().map(|(index, card)| card.text(Some(*index))).collect(),
        };
        toml::to_string(&text).expect("strings and numbers have a TOML form")
    }

    /// Its name.
    pub fn id(&self) -> CeremonyId {
        CeremonyId(sha256(&[self.to_toml().as_bytes()]))
    }

    /// `escrow 1, generation 2`: how its result is told to people.
    pub fn title(&self) -> String {
        format!("{} {}, generation {}", self.purpose, self.epoch, self.generation)
    }

    /// Everybody who takes part: who deals, and who receives; one who does both once.
    pub(crate) fn parties(&self) -> Vec<Party> {
        let receiver = |(index, card): (&u16, &Card)| Party {
            name: card.name.clone(),
            key: card.signing_key,
            deals: self.previous.is_none().then_some(*index),
            receives: Some((*index, card.box_key)),
        };
        let mut parties: Vec<Party> = self.officers.iter().map(receiver).collect();
        for old in self.dealers() {
            match parties.iter_mut().find(|party| party.key == old.signing_key) {
                Some(party) => party.deals = Some(old.index),
                None => {
                    let (name, key) = (old.name.clone(), old.signing_key);
                    parties.push(Party { name, key, deals: Some(old.index), receives: None });
                }
            }
        }
        parties
    }

    fn dealers(&self) -> impl Iterator<Item = &Officer> {
        let previous = self.previous.iter();
        previous.flat_map(|previous| previous.dealers.iter().filter_map(|dealer| previous.file.committee.officer(*dealer)))
    }

    /// For a key generation.
    pub(crate) fn shape(&self) -> Shape {
        Shape { officers: u16::try_from(self.officers.len()).unwrap_or(u16::MAX), threshold: self.threshold }
    }

    /// For new shares of an old key.
    pub(crate) fn resharing(&self) -> Result<Option<Resharing>, CeremonyError> {
        let Some(previous) = &self.previous else { return Ok(None) };
        let committee = &previous.file.committee;
        let verifying = committee.officers.iter().map(|officer| (officer.index, *officer.share.as_bytes())).collect();
        let old = Public { key: *committee.key.as_bytes(), verifying };
        let threshold = u16::try_from(committee.threshold).unwrap_or(u16::MAX);
        let receivers = self.officers.keys().copied().collect();
        let resharing = Resharing::new(old, threshold, &previous.dealers, receivers, self.threshold);
        let why = "at least the threshold of the old officers deals, and the threshold is never lowered";
        resharing.map(Some).map_err(|_| CeremonyError::Shape(why.to_owned()))
    }

    /// The committee that the ceremony's public outcome gives.
    pub(crate) fn committee(&self, public: &Public) -> Result<Committee, CeremonyError> {
        let key = |bytes: &[u8; 32]| {
            GroupKey::try_from(bytes.as_slice()).map_err(|_| CeremonyError::Shape("a key is the identity".to_owned()))
        };
        let officer = |(index, card): (&u16, &Card)| {
            let share = public.verifying.get(index).ok_or_else(|| CeremonyError::Shape(format!("no share {index}")))?;
            Ok(Officer {
                index: *index,
                name: card.name.clone(),
                entity: card.entity.clone(),
                signing_key: card.signing_key,
                box_key: card.box_key,
                share: key(share)?,
            })
        };
        let committee = Committee {
            purpose: self.purpose,
            epoch: self.epoch,
            generation: self.generation,
            threshold: u64::from(self.threshold),
            key: key(&public.key)?,
            officers: self.officers.iter().map(officer).collect::<Result<_, CeremonyError>>()?,
        };
        committee.verify()?;
        Ok(committee)
    }

    fn check(&self) -> Result<(), CeremonyError> {
        let wrong = |what: &str| Err(CeremonyError::Shape(what.to_owned()));
        let (n, k) = (self.officers.len(), usize::from(self.threshold));
        if k < 2 || k > n || n > MAX_OFFICERS {
            return wrong("2 to 32 officers, of whom 2 to all open");
        }
        let distinct = |words: BTreeSet<&[u8]>| words.len() == n;
        let cards = || self.officers.values();
        if !distinct(cards().map(|card| card.name.as_bytes()).collect())
            || !distinct(cards().map(|card| card.signing_key.as_bytes().as_slice()).collect())
            || !distinct(cards().map(|card| card.box_key.as_bytes().as_slice()).collect())
        {
            return wrong("a name or a key is there twice");
        }
        let before = self.previous.as_ref().map(|previous| &previous.file.committee);
        if let Some(card) = cards().find(|card| !card.is_vouched(before)) {
            return Err(CeremonyError::Card(format!(
                "that of {} is not signed, and no committee before has such an officer",
                card.name
            )));
        }
        if cards().map(|card| folded(&card.entity)).collect::<BTreeSet<_>>().len() < k {
            return wrong("as many entities as officers are needed to open");
        }
        let is_numbered = if self.previous.is_some() {
            !self.officers.contains_key(&0)
        } else {
            self.officers.keys().copied().eq(1..=u16::try_from(n).unwrap_or(0))
        };
        if !is_numbered || self.epoch == 0 {
            return wrong("officers of a new key are numbered from 1, and epochs are");
        }
        match &self.previous {
            None if self.generation == 1 => Ok(()),
            None => wrong("the shares of a new key are generation 1"),
            Some(previous) => {
                let old = &previous.file.committee;
                previous.file.check_own()?;
                if previous.file.network != self.network || (old.purpose, old.epoch) != (self.purpose, self.epoch) {
                    return wrong("network, purpose and epoch are those of the committee before");
                }
                if self.generation != old.generation + 1 {
                    return wrong("the generation is the one after that of the committee before");
                }
                self.resharing().map(drop)
            }
        }
    }
}
