//! `[1, base, target, version, previous, policy, issued, [member…], [[name, id ‖ signature]…]]`; a member is an array of its fields in the order of
//! the text, keys as bytes, words of an enum as their number.

use std::convert::Infallible;
use std::str::FromStr;

use jiff::Timestamp;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::{Delta, DeltaError, MAX_SIGNATURES};
use crate::crypto::sign::VerifyKey;
use crate::governance::{DocumentHash, MAX_LIST, MAX_MEMBERS, Member, Role, Software, State, TlsPin};
use crate::translog::note::NoteSignature;
use crate::types::{Address, PeerUrl};

const FORMAT: u8 = 1;
const FIELDS: u64 = 9;
const MEMBER_FIELDS: u64 = 13;

type Written = Result<(), minicbor::encode::Error<Infallible>>;

pub(super) fn encode(delta: &Delta) -> Vec<u8> {
    let mut out = Encoder::new(Vec::with_capacity(512 * (1 + delta.members.len())));
    write(&mut out, delta).expect("a vector takes everything");
    out.into_writer()
}

fn write(out: &mut Encoder<Vec<u8>>, delta: &Delta) -> Written {
    out.array(FIELDS)?.u8(FORMAT)?.bytes(delta.base.as_bytes())?.bytes(delta.target.as_bytes())?.u64(delta.version)?;
    optional_bytes(out, delta.previous.as_ref().map(|hash| hash.as_bytes()))?;
    match delta.policy {
        Some(policy) => out.u64(policy)?,
        None => out.null()?,
    };
    out.i64(delta.issued.as_second())?.array(delta.members.len() as u64)?;
    delta.members.iter().try_for_each(|member| write_member(out, member))?;
    out.array(delta.signatures.len() as u64)?;
    for line in &delta.signatures {
        out.array(2)?.str(&line.name)?.bytes(&[&line.key_id[..], &line.bytes].concat())?;
    }
    Ok(())
}

fn write_member(out: &mut Encoder<Vec<u8>>, member: &Member) -> Written {
    out.array(MEMBER_FIELDS)?.str(member.id.as_str())?.str(&member.legal_name)?.str(&member.legal_id)?;
    out.str(member.region.as_str())?.u8(member.state as u8)?.u8(member.software as u8)?.array(member.roles.len() as u64)?;
    for role in &member.roles {
        out.u8(*role as u8)?;
    }
    out.array(member.addresses.len() as u64)?;
    for address in &member.addresses {
        out.bytes(address.as_bytes())?;
    }
    optional_bytes(out, member.signing_key.as_ref().map(VerifyKey::as_bytes))?;
    optional_bytes(out, member.tls_pin.as_ref().map(TlsPin::as_bytes))?;
    for url in [&member.native, &member.https, &member.compatible] {
        match url {
            Some(url) => out.str(url.as_str())?,
            None => out.null()?,
        };
    }
    Ok(())
}

fn optional_bytes(out: &mut Encoder<Vec<u8>>, bytes: Option<&[u8; 32]>) -> Written {
    match bytes {
        Some(bytes) => out.bytes(bytes)?,
        None => out.null()?,
    };
    Ok(())
}

pub(super) fn decode(bytes: &[u8]) -> Result<Delta, DeltaError> {
    let mut from = Decoder::new(bytes);
    let delta = read(&mut from).map_err(|_| DeltaError::Malformed("not the CBOR of a delta"))?;
    // One spelling: what is read and written again is the same bytes.
    if from.position() != bytes.len() || encode(&delta) != bytes {
        return Err(DeltaError::Malformed("not in the one form that is written"));
    }
    Ok(delta)
}

fn read(from: &mut Decoder<'_>) -> Result<Delta, Error> {
    exactly(from, FIELDS)?;
    if from.u8()? != FORMAT {
        return Err(Error::message("a later format"));
    }
    let (base, target) = (DocumentHash::new(bytes_32(from)?), DocumentHash::new(bytes_32(from)?));
    let version = from.u64()?;
    let previous = optional(from, bytes_32)?.map(DocumentHash::new);
    let policy = optional(from, Decoder::u64)?;
    let issued = Timestamp::from_second(from.i64()?).map_err(|_| Error::message("a time"))?;
    let members = list(from, MAX_MEMBERS, read_member)?;
    let signatures = list(from, MAX_SIGNATURES, read_signature)?;
    Ok(Delta { base, target, version, previous, policy, issued, members, signatures })
}

fn read_signature(from: &mut Decoder<'_>) -> Result<NoteSignature, Error> {
    exactly(from, 2)?;
    let (name, bytes) = (from.str()?.to_owned(), from.bytes()?);
    let (key_id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(|| Error::message("a signature"))?;
    let line = NoteSignature { name, key_id: *key_id, bytes: bytes.to_vec() };
    // The name must be one that a line can hold.
    if line.to_string().parse::<NoteSignature>() == Ok(line.clone()) { Ok(line) } else { Err(Error::message("a signature")) }
}

fn read_member(from: &mut Decoder<'_>) -> Result<Member, Error> {
    exactly(from, MEMBER_FIELDS)?;
    Ok(Member {
        id: word(from)?,
        legal_name: from.str()?.to_owned(),
        legal_id: from.str()?.to_owned(),
        region: word(from)?,
        state: one_of(from, State::ALL)?,
        software: one_of(from, Software::ALL)?,
        roles: list(from, Role::ALL.len(), |from| one_of(from, Role::ALL))?,
        addresses: list(from, MAX_LIST, |from| bytes_32(from).map(Address::new))?,
        signing_key: optional(from, bytes_32)?.map(VerifyKey::new),
        tls_pin: optional(from, bytes_32)?.map(TlsPin::new),
        native: optional(from, word::<PeerUrl>)?,
        https: optional(from, word)?,
        compatible: optional(from, word)?,
    })
}

fn exactly(from: &mut Decoder<'_>, fields: u64) -> Result<(), Error> {
    if from.array()? == Some(fields) { Ok(()) } else { Err(Error::message("another number of fields")) }
}

fn list<'b, T>(
    from: &mut Decoder<'b>,
    most: usize,
    mut item: impl FnMut(&mut Decoder<'b>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let length = from.array()?.and_then(|length| usize::try_from(length).ok()).filter(|length| *length <= most);
    let length = length.ok_or_else(|| Error::message("too many"))?;
    // Room grows with what is there, not with what is claimed.
    let mut items = Vec::new();
    for _ in 0..length {
        items.push(item(from)?);
    }
    Ok(items)
}

fn optional<'b, T>(from: &mut Decoder<'b>, item: impl FnOnce(&mut Decoder<'b>) -> Result<T, Error>) -> Result<Option<T>, Error> {
    if from.datatype()? == minicbor::data::Type::Null {
        from.null()?;
        return Ok(None);
    }
    item(from).map(Some)
}

fn word<T: FromStr>(from: &mut Decoder<'_>) -> Result<T, Error> {
    from.str()?.parse().map_err(|_| Error::message("a word that does not parse"))
}

fn one_of<T: Copy>(from: &mut Decoder<'_>, all: &[T]) -> Result<T, Error> {
    all.get(usize::from(from.u8()?)).copied().ok_or_else(|| Error::message("a word that does not exist"))
}

fn bytes_32(from: &mut Decoder<'_>) -> Result<[u8; 32], Error> {
    from.bytes()?.try_into().map_err(|_| Error::message("32 bytes"))
}
