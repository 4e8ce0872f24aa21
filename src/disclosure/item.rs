use super::Refused;
use super::error::form;
use super::request::is_text;
use crate::crypto::threshold::{Capsule, GroupKey};
use crate::seal::escrow::Label;
use crate::translog::hash::{self, Hash};
use crate::types::{NetworkId, PayloadId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

const FORM: &str = "item of a docket";
/// Longest label, in bytes.
const MAX_LABEL: usize = 1_024;

/// One payload of a docket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// Which.
    pub id: PayloadId,
    /// What the holder has of it.
    pub found: Found,
}

/// What a holder has of a payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// It is here, and in escrow.
    Escrowed {
        /// What its capsule is bound to, as bytes.
        label: Vec<u8>,
        /// The capsule.
        capsule: Box<Capsule>,
    },
    /// It was erased; the tombstone's words stand for it.
    Erased(String),
    /// It is kept and unreadable; the holds that it is under.
    Held(String),
    /// It is here, and its scope has no escrow.
    NoEscrow,
    /// It is not here, and was not.
    Absent,
}

/// The root over a list: a Merkle tree (RFC 9162) over its items' leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    hash::fold(leaves)
}

impl Item {
    /// Reads what [`Item::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[id, 0, label, capsule]`, `[id, 1, words]` of what is erased, `[id, 2, words]` of what is held, `[id, 3]`, `[id, 4]`.
    pub fn encode(&self) -> Vec<u8> {
        let of = |count, kind: u8| Form::of(count, 512).bytes(self.id.as_bytes()).number(kind);
        match &self.found {
            Found::Escrowed { label, capsule } => of(4, 0).bytes(label).bytes(&capsule.to_bytes()),
            Found::Erased(words) => of(3, 1).text(words),
            Found::Held(words) => of(3, 2).text(words),
            Found::NoEscrow => of(2, 3),
            Found::Absent => of(2, 4),
        }
        .finish()
    }

    /// Its leaf in the list.
    pub fn leaf(&self) -> Hash {
        hash::leaf(&self.encode())
    }

    /// That it reads back. Every item is asked before it is signed or stored.
    ///
    /// Threat: a payload whose words grow until the whole list can never be read again.
    pub fn check_form(&self) -> Result<(), Refused> {
        self.check_bounds().map_err(form(FORM))
    }

    fn check_bounds(&self) -> Result<(), DecodeError> {
        match &self.found {
            Found::Escrowed { label, .. } if label.len() > MAX_LABEL => Err(DecodeError::Length("label")),
            Found::Erased(words) | Found::Held(words) if !is_text(words) => Err(DecodeError::Value("words")),
            _ => Ok(()),
        }
    }

    /// The label, where it is in escrow.
    pub fn label(&self) -> Option<Result<Label, Refused>> {
        let Found::Escrowed { label, .. } = &self.found else { return None };
        Some(Label::decode(label).map_err(form("label")))
    }

    /// Why nothing can be opened of it; nothing, if it is in escrow.
    pub fn why_not(&self) -> Option<Refused> {
        match &self.found {
            Found::Escrowed { .. } => None,
            Found::Erased(words) => Some(Refused::Erased(self.id, words.clone())),
            Found::Held(words) => Some(Refused::Held(self.id, words.clone())),
            Found::NoEscrow => Some(Refused::NotReleased(self.id, "its scope has no escrow".into())),
            Found::Absent => Some(Refused::NotReleased(self.id, "the holder never had it".into())),
        }
    }

    /// That label and capsule are this payload's, under a committee's key.
    ///
    /// Threat: an approved id beside the capsule of another payload. The label names the id, and the capsule's proof binds the label.
    pub fn check(&self, network: &NetworkId, key: &GroupKey) -> Result<(), Refused> {
        let Found::Escrowed { label, capsule } = &self.found else { return Ok(()) };
        let read = Label::decode(label).map_err(form("label"))?;
        if read.network != *network {
            return Err(Refused::Label(self.id, "it is of another network"));
        }
        if read.id != self.id {
            return Err(Refused::Label(self.id, "it is of another payload"));
        }
        if capsule.is_sound(key, label) { Ok(()) } else { Err(Refused::Capsule(self.id)) }
    }
}

fn read(bytes: &[u8]) -> Result<Item, DecodeError> {
    let (count, mut fields) = Fields::any(bytes, FORM)?;
    let id = PayloadId::new(fields.array("payload id")?);
    let found = match (count, fields.number::<u8>("kind")?) {
        (4, 0) => {
            let label = fields.bytes("label", MAX_LABEL)?.to_vec();
            let capsule = Capsule::try_from(fields.bytes("capsule", Capsule::LEN)?).map_err(|_| DecodeError::Value("capsule"))?;
            Found::Escrowed { label, capsule: Box::new(capsule) }
        }
        (3, 1) => Found::Erased(fields.word("words")?),
        (3, 2) => Found::Held(fields.word("words")?),
        (2, 3) => Found::NoEscrow,
        (2, 4) => Found::Absent,
        _ => return Err(DecodeError::Value("kind")),
    };
    let item = Item { id, found };
    item.check_bounds()?;
    canonical(bytes, &item.encode(), FORM)?;
    Ok(item)
}
