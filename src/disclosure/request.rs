use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use super::Refused;
use super::error::form;
use super::scope::{By, Scope};
use crate::crypto::hash::sha256;
use crate::crypto::hpke::BoxKey;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey, statement};
use crate::governance::Charter;
use crate::types::{NetworkId, ParseError, folded, is_hidden};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a request is for.
const PURPOSE: &str = "celosia disclosure-request 1";
const FORM: &str = "disclosure request";
const FIELDS: u64 = 16;
/// Longest text of a request, in bytes.
const MAX_TEXT: usize = 500;
/// Longest window in which a grant may be used, in milliseconds: a quarter of a year. Longer ones are renewed, by a new approval.
pub const MAX_WINDOW: u64 = 92 * 24 * 60 * 60 * 1000;
/// Most views of one grant.
pub const MAX_VIEWS: u32 = 100;
/// Longest that those concerned are not told, in milliseconds from the making of the request: a year. An order that goes on is shown anew.
const MAX_SECRECY: u64 = 366 * 24 * 60 * 60 * 1000;
/// How much later than now a document may say that it was made, in milliseconds: clocks differ.
pub(super) const MAX_AHEAD: u64 = 10 * 60 * 1000;
/// How old a request may be when it is handed in, in milliseconds: a week, for one that travels as a file.
const MAX_AGE: u64 = 7 * 24 * 60 * 60 * 1000;

/// The random name of a request and of the grant that comes of it: 16 bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GrantId(pub [u8; 16]);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for GrantId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

crate::types::as_text!(GrantId);

/// An order of a court or authority not to tell those whose data is seen, until a date.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Secrecy {
    /// The order.
    pub reference: String,
    /// When it ends, milliseconds since the Unix epoch: then they are told.
    pub until: u64,
}

/// What an auditor asks for. Its keys are for this grant alone: a key that is stolen opens this grant and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Which network.
    pub network: NetworkId,
    /// Its random name.
    pub grant: GrantId,
    /// Who asks.
    pub name: String,
    /// The legal entity that the person answers to.
    pub entity: String,
    /// What the person acts on: an engagement, a warrant.
    pub mandate: String,
    /// What it is for.
    pub purpose: String,
    /// The article or contract that permits it.
    pub basis: String,
    /// What is to be seen.
    pub scope: Scope,
    /// From when, milliseconds since the Unix epoch.
    pub from: u64,
    /// Until when anything is given, milliseconds since the Unix epoch.
    pub until: u64,
    /// How many times the whole may be taken.
    pub views: u32,
    /// Why those concerned are not told at once.
    pub secrecy: Option<Secrecy>,
    /// The grant that this one renews.
    pub renews: Option<GrantId>,
    /// Signs the request. Of a member that asks for its own it is its node's.
    pub key: VerifyKey,
    /// What is disclosed is sealed to it.
    pub box_key: BoxKey,
    /// When it was made, milliseconds since the Unix epoch.
    pub time: u64,
}

/// A request and its auditor's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedRequest {
    /// What it says.
    pub request: Request,
    /// With the request's own key.
    pub signature: Signature,
}

impl Request {
    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> SignedRequest {
        let signature = key.sign(&self.statement());
        SignedRequest { request: self, signature }
    }

    fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    /// Whether something may be given for it at a time.
    pub fn is_open(&self, now: u64) -> Result<(), Refused> {
        if now < self.from {
            return Err(Refused::Window("its window has not begun"));
        }
        if now >= self.until { Err(Refused::Expired) } else { Ok(()) }
    }

    /// That it was made about when a node takes it (milliseconds since the Unix epoch).
    ///
    /// Threat: secrecy ends a year after the making. An auditor that dates the making a hundred years ahead has it for a hundred and one.
    pub fn is_of_its_time(&self, taken: u64) -> Result<(), Refused> {
        if self.time > taken.saturating_add(MAX_AHEAD) {
            return Err(Refused::Window("it is dated after the time at which it was handed in"));
        }
        if taken - self.time.min(taken) > MAX_AGE {
            return Err(Refused::Window("it was made more than a week before it was handed in"));
        }
        Ok(())
    }

    /// Until when those concerned are not told.
    pub fn secret_until(&self) -> Option<u64> {
        self.secrecy.as_ref().map(|secrecy| secrecy.until)
    }

    fn fields(&self, count: u64) -> Form {
        let mut form = Form::of(count, 4096).bytes(self.network.as_bytes()).bytes(&self.grant.0);
        for text in [&self.name, &self.entity, &self.mandate, &self.purpose, &self.basis] {
            form = form.text(text);
        }
        form = self.scope.put(form.list(2)).number(self.from).number(self.until).number(self.views);
        form = match &self.secrecy {
            Some(secrecy) => form.list(2).text(&secrecy.reference).number(secrecy.until),
            None => form.null(),
        };
        form = match &self.renews {
            Some(grant) => form.bytes(&grant.0),
            None => form.null(),
        };
        form.bytes(self.key.as_bytes()).bytes(self.box_key.as_bytes()).number(self.time)
    }

    /// Bounds that every request keeps.
    fn check(&self) -> Result<(), DecodeError> {
        let texts = [&self.name, &self.entity, &self.mandate, &self.purpose, &self.basis];
        let reference = self.secrecy.iter().map(|secrecy| &secrecy.reference);
        if !texts.into_iter().chain(reference).all(|text| is_text(text)) {
            return Err(DecodeError::Value("text"));
        }
        if self.from >= self.until || self.until - self.from > MAX_WINDOW {
            return Err(DecodeError::Value("window"));
        }
        if !(1..=MAX_VIEWS).contains(&self.views) {
            return Err(DecodeError::Value("views"));
        }
        if self.secret_until().is_some_and(|until| until <= self.time || until - self.time > MAX_SECRECY) {
            return Err(DecodeError::Value("secrecy"));
        }
        if self.renews == Some(self.grant) { Err(DecodeError::Value("renewed grant")) } else { Ok(()) }
    }
}

impl SignedRequest {
    /// Reads what [`SignedRequest::encode`] wrote, and nothing else; the signature is [`SignedRequest::verify`]'s.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[network, grant, name, entity, mandate, purpose, basis, [scope, time], from, until, views, secrecy, renewed, key, box key, time, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.request.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// SHA-256 of its bytes: its name in dockets and in journals.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&self.encode()])
    }

    /// Whether who asks for what a member is party to is that member: by the key that its node signs with, and in its own name.
    ///
    /// Threat: somebody asks for everything of another's under the name of a recovery; a member asks under another's name, so that its own
    /// officer may approve.
    pub fn check_itself(&self, charter: &Charter) -> Result<(), Refused> {
        let By::Party(id) = &self.request.scope.by else { return Ok(()) };
        let is_it = charter.members().by_id(id).is_some_and(|member| {
            member.signing_key == Some(self.request.key) && folded(&member.legal_name) == folded(&self.request.entity)
        });
        if is_it { Ok(()) } else { Err(Refused::NotItself(id.clone())) }
    }

    /// Whether it is of the network, and signed with the key that it names.
    pub fn verify(&self, network: &NetworkId) -> Result<&Request, Refused> {
        if self.request.network != *network {
            return Err(Refused::Network("request"));
        }
        self.request.check().map_err(form(FORM))?;
        let statement = self.request.statement();
        self.request.key.verify(&statement, &self.signature).map_err(|_| Refused::RequestSignature)?;
        Ok(&self.request)
    }
}

fn read(bytes: &[u8]) -> Result<SignedRequest, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
    let (network, grant) = (NetworkId::new(fields.array("network")?), GrantId(fields.array("grant")?));
    let [name, entity, mandate, purpose, basis] = [(); 5].map(|()| fields.word::<String>("text"));
    let (name, entity, mandate, purpose, basis) = (name?, entity?, mandate?, purpose?, basis?);
    fields.nested("scope", 2)?;
    let request = Request {
        network,
        grant,
        name,
        entity,
        mandate,
        purpose,
        basis,
        scope: Scope::take(&mut fields)?,
        from: fields.number("from")?,
        until: fields.number("until")?,
        views: fields.number("views")?,
        secrecy: fields.option("secrecy", |fields| {
            fields.nested("secrecy", 2)?;
            Ok(Secrecy { reference: fields.word("reference")?, until: fields.number("until")? })
        })?,
        renews: fields.option("renewed grant", |fields| fields.array("renewed grant").map(GrantId))?,
        key: VerifyKey::new(fields.array("key")?),
        box_key: BoxKey::new(fields.array("box key")?),
        time: fields.number("time")?,
    };
    request.check()?;
    let signed = SignedRequest { request, signature: fields.array("signature")? };
    canonical(bytes, &signed.encode(), FORM)?;
    Ok(signed)
}

/// Threat: a text that shows an officer something else than it is.
pub(super) fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && text.trim() == text && !text.chars().any(is_hidden)
}

/// A time as people read it.
pub fn moment(millis: u64) -> String {
    let stamp = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| millis.to_string(), |stamp| stamp.to_string())
}
