use serde::{Deserialize, Serialize};

use super::CeremonyError;
use crate::crypto::hpke::BoxKey;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey};
use crate::governance::{Committee, Officer};
use crate::types::is_hidden;
use crate::wire::strict::Form;

const FORMAT: &str = "celosia officer card 1";
/// Longest name of a person or a house, in bytes.
const MAX_NAME: usize = 128;

/// Who an officer is: what it hands to the others. Signed with its own key, so a card with another's key is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Card {
    /// The person's name.
    pub name: String,
    /// The legal entity that the person answers to.
    pub entity: String,
    /// Signs.
    pub signing_key: VerifyKey,
    /// What is for the officer alone is sealed to it.
    pub box_key: BoxKey,
    /// None for one who stays in a committee: the committee's file, which it signed, says the same.
    signature: Option<Signature>,
}

/// A card in TOML; in a plan with its index.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CardText {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u16>,
    name: String,
    entity: String,
    signing_key: VerifyKey,
    box_key: BoxKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

impl Card {
    /// Makes and signs a card.
    pub fn make(name: &str, entity: &str, key: &SigningKey, box_key: BoxKey) -> Result<Self, CeremonyError> {
        let signing_key = key.verify_key();
        let (name, entity) = (name.to_owned(), entity.to_owned());
        let mut card = Self { name, entity, signing_key, box_key, signature: None };
        if [&card.name, &card.entity].iter().any(|text| !is_name(text)) {
            return Err(CeremonyError::Name);
        }
        card.signature = Some(key.sign(&card.statement()));
        Ok(card)
    }

    /// The card of one who is in a committee already.
    pub fn of(officer: &Officer) -> Self {
        let Officer { name, entity, signing_key, box_key, .. } = officer.clone();
        Self { name, entity, signing_key, box_key, signature: None }
    }

    /// Whether it speaks for itself, or an officer of `before` is the same in all.
    pub(super) fn is_vouched(&self, before: Option<&Committee>) -> bool {
        let same = |officer: &Officer| Self { signature: self.signature, ..Self::of(officer) } == *self;
        self.signature.is_some() || before.is_some_and(|committee| committee.officers.iter().any(same))
    }

    /// Reads a card and checks its signature.
    pub fn parse(text: &str) -> Result<Self, CeremonyError> {
        let card: CardText = toml::from_str(text).map_err(|error| CeremonyError::Card(error.message().to_owned()))?;
        if card.format.as_deref() != Some(FORMAT) || card.index.is_some() {
            return Err(CeremonyError::Card(format!("the format is not \"{FORMAT}\"")));
        }
        if card.signature.is_none() {
            return Err(CeremonyError::Card("it is not signed".to_owned()));
        }
        card.checked()
    }

    /// The card as a file.
    ///
    /// # Panics
    /// Never: strings and numbers have that form.
    pub fn to_toml(&self) -> String {
        let mut card = self.text(None);
        card.format = Some(FORMAT.to_owned());
        toml::to_string(&card).expect("strings and numbers have a TOML form")
    }

    pub(super) fn text(&self, index: Option<u16>) -> CardText {
        CardText {
            format: None,
            index,
            name: self.name.clone(),
            entity: self.entity.clone(),
            signing_key: self.signing_key,
            box_key: self.box_key,
            signature: self.signature.map(|signature| data_encoding::BASE64.encode(&signature)),
        }
    }

    /// Domain, NUL, and the fields in deterministic CBOR. Not of a network: a person may be an officer in two.
    fn statement(&self) -> Vec<u8> {
        let form = Form::of(4, 256).text(&self.name).text(&self.entity);
        let form = form.bytes(self.signing_key.as_bytes()).bytes(self.box_key.as_bytes()).finish();
        [FORMAT.as_bytes(), &[0], &form].concat()
    }
}

impl CardText {
    pub(super) fn checked(self) -> Result<Card, CeremonyError> {
        let wrong = |what: &str| CeremonyError::Card(what.to_owned());
        let decode = |text: String| crate::types::base64(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let decode = |text| decode(text).ok_or_else(|| wrong("the signature is not 64 bytes in base64"));
        let signature: Option<Signature> = self.signature.map(decode).transpose()?;
        let Self { name, entity, signing_key, box_key, .. } = self;
        let card = Card { name, entity, signing_key, box_key, signature };
        if ![&card.name, &card.entity].iter().all(|text| is_name(text)) {
            return Err(CeremonyError::Name);
        }
        // Threat: a card with a key that its bearer does not hold, or whose box key was exchanged on the way.
        let is_signed = |signature: Signature| signing_key.verify(&card.statement(), &signature).is_ok();
        if signature.is_none_or(is_signed) { Ok(card) } else { Err(wrong("the signature is not of its key")) }
    }
}

/// 1 to 128 bytes, nothing that moves a cursor or hides, no space at an end.
fn is_name(text: &str) -> bool {
    let is_clean = |c: char| !c.is_control() && !is_hidden(c);
    !text.is_empty() && text.len() <= MAX_NAME && text.trim() == text && text.chars().all(is_clean)
}
