//! What a sealed head holds: the data key and the metadata, in a fixed layout of this version.
//!
//! ```text
//! version 1 (1) ‖ bits (1) ‖ data key (32) ‖ sender (32) ‖ recipient nonce (24) ‖ list(recipient 32)
//!   ‖ [bit 2: list(affected id 64 ‖ security hash 64)] ‖ [bit 3: bytes(execution hash)]
//!   ‖ [bit 4: list(mandatory 32)] ‖ [bit 5: bytes(privacy group id)]
//! version 2 (1) ‖ the same ‖ bytes(header) ‖ signature (64) ‖ proofs
//! version 3 (1) ‖ as version 1 ‖ sigma (32) ‖ capsule (176) ‖ bytes(label)
//! version 4 (1) ‖ as version 2 ‖ sigma (32)
//! proofs = 0 (1) ‖ seed (32) ‖ list(recipient (32) ‖ length of its member's name (1) ‖ name)   at the sender
//!        | 1 (1) ‖ list(opening)                                                              at a recipient
//! bits 0-1 = privacy flag; list = count (4) ‖ elements; bytes = length (4) ‖ bytes; big-endian
//! ```
//!
//! Version 1 is of Tessera's suite, version 2 of celosia-1; 3 and 4 are the same for payloads that a committee can open. In celosia-1 the
//! capsule stands in the header, and its label is made of that.

mod native;

use zeroize::Zeroizing;

use crate::crypto::Broken;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::Capsule;
use crate::enclave::{Meta, NativeMeta};
use crate::seal::escrow::{Carried, Escrowed, Held, Label};
use crate::types::{Address, Affected, GroupId, PayloadId, Privacy, PrivacyFlag};
use crate::wire::Header;

const VERSION: u8 = 1;
const NATIVE_VERSION: u8 = 2;
/// Added to either for a payload with a capsule.
const ESCROW: u8 = 2;
const AFFECTED: u8 = 1 << 2;
const EXEC_HASH: u8 = 1 << 3;
const MANDATORY: u8 = 1 << 4;
const GROUP: u8 = 1 << 5;

/// The layout above. Allocated once, so that no half-written copy of the data key stays behind.
pub(super) fn encode(data_key: &Secret<32>, meta: &Meta, held: Option<&Held>) -> Zeroizing<Vec<u8>> {
    let Privacy { flag, affected, exec_hash, mandatory, group } = &meta.privacy;
    let group = group.as_ref().map(|group| group.0.as_slice());
    // In celosia-1 capsule and label follow from the header: sigma alone is kept.
    let own = held.filter(|_| meta.native.is_none()).map(|held| (&held.escrowed.capsule, held.escrowed.label.encode()));
    let size = 110
        + 32 * (meta.recipients.len() + mandatory.len())
        + 128 * affected.len()
        + exec_hash.len()
        + group.map_or(0, <[u8]>::len)
        + meta.native.as_ref().map_or(0, native::size)
        + held.map_or(0, |_| 32)
        + own.as_ref().map_or(0, |(_, label)| Capsule::LEN + 4 + label.len());
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    let bit = |present: bool, bit: u8| if present { bit } else { 0 };
    let bits = flag.number()
        | bit(!affected.is_empty(), AFFECTED)
        | bit(!exec_hash.is_empty(), EXEC_HASH)
        | bit(!mandatory.is_empty(), MANDATORY)
        | bit(group.is_some(), GROUP);
    let version = if meta.native.is_some() { NATIVE_VERSION } else { VERSION } + if held.is_some() { ESCROW } else { 0 };
    out.extend_from_slice(&[version, bits]);
    out.extend_from_slice(data_key.expose());
    out.extend_from_slice(meta.sender.as_bytes());
    out.extend_from_slice(&meta.recipient_nonce);
    put_addresses(&mut out, &meta.recipients);
    if !affected.is_empty() {
        put_count(&mut out, affected.len());
        for Affected { id, hash } in affected {
            out.extend_from_slice(id.as_bytes());
            out.extend_from_slice(hash);
        }
    }
    if !exec_hash.is_empty() {
        put_count(&mut out, exec_hash.len());
        out.extend_from_slice(exec_hash);
    }
    if !mandatory.is_empty() {
        put_addresses(&mut out, mandatory);
    }
    if let Some(group) = group {
        put_count(&mut out, group.len());
        out.extend_from_slice(group);
    }
    if let Some(native) = &meta.native {
        native::put(&mut out, native);
    }
    if let Some(held) = held {
        out.extend_from_slice(held.sigma.expose());
    }
    if let Some((capsule, label)) = own {
        out.extend_from_slice(&capsule.to_bytes());
        put_count(&mut out, label.len());
        out.extend_from_slice(&label);
    }
    debug_assert!(out.len() <= size, "one allocation");
    out
}

/// Reads what [`encode`] wrote; everything else is `Broken`. Total, and allocates no more than the bytes are long.
pub(super) fn decode(bytes: &[u8]) -> Result<(Secret<32>, Meta, Option<Held>), Broken> {
    read(bytes, take_held)
}

/// The same without what is held for a committee: reading a payload does not need the points of its capsule.
pub(super) fn decode_own(bytes: &[u8]) -> Result<(Secret<32>, Meta), Broken> {
    read(bytes, pass_held).map(|(data_key, meta, _)| (data_key, meta))
}

/// The one layout; `held` reads what is behind it in versions 3 and 4.
fn read<'a, T>(
    bytes: &'a [u8],
    held: impl FnOnce(&mut Input<'a>, Option<&NativeMeta>) -> Result<T, Broken>,
) -> Result<(Secret<32>, Meta, Option<T>), Broken> {
    let mut input = Input(bytes);
    let [version, bits] = *input.array::<2>()?;
    let has_escrow = version > NATIVE_VERSION;
    let version = if has_escrow { version - ESCROW } else { version };
    if !matches!(version, VERSION | NATIVE_VERSION) || bits & 0b1100_0000 != 0 {
        return Err(Broken);
    }
    let has = |bit: u8| bits & bit != 0;
    let key = input.array::<32>()?;
    let data_key = Secret::init_with(|bytes| bytes.copy_from_slice(key));
    let sender = Address::new(*input.array()?);
    let recipient_nonce = *input.array()?;
    let recipients = input.addresses()?;
    let affected = if has(AFFECTED) { input.affected()? } else { Vec::new() };
    let exec_hash = if has(EXEC_HASH) { input.bytes()?.to_vec() } else { Vec::new() };
    let mandatory = if has(MANDATORY) { input.addresses()? } else { Vec::new() };
    let group = if has(GROUP) { Some(GroupId(input.bytes()?.to_vec())) } else { None };
    let flag = PrivacyFlag::from_number(i64::from(bits & 0b11));
    let privacy = Privacy { flag, affected, exec_hash, mandatory, group };
    let native = if version == NATIVE_VERSION { Some(native::take(&mut input)?) } else { None };
    let held = if has_escrow { Some(held(&mut input, native.as_ref())?) } else { None };
    if !input.0.is_empty() {
        return Err(Broken);
    }
    Ok((data_key, Meta { sender, recipients, recipient_nonce, privacy, native }, held))
}

fn pass_held(input: &mut Input<'_>, native: Option<&NativeMeta>) -> Result<(), Broken> {
    input.array::<32>()?;
    if native.is_none() {
        input.take(Capsule::LEN)?;
        input.bytes()?;
    }
    Ok(())
}

fn take_held(input: &mut Input<'_>, native: Option<&NativeMeta>) -> Result<Held, Broken> {
    let sigma = input.array::<32>()?;
    let sigma = Secret::init_with(|bytes| bytes.copy_from_slice(sigma));
    let escrowed = match native {
        Some(native) => {
            let header = Header::decode(&native.header).map_err(|_| Broken)?;
            let Carried { epoch, capsule } = header.escrow.as_deref().and_then(Carried::from_bytes).ok_or(Broken)?;
            Escrowed { label: Label::of(&header, epoch), capsule }
        }
        None => {
            let capsule = Capsule::try_from(input.take(Capsule::LEN)?).map_err(|_| Broken)?;
            Escrowed { label: Label::decode(input.bytes()?).map_err(|_| Broken)?, capsule }
        }
    };
    Ok(Held { escrowed, sigma })
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("a frame or a request body holds fewer than 2^32 elements");
    out.extend_from_slice(&count.to_be_bytes());
}

fn put_addresses(out: &mut Vec<u8>, addresses: &[Address]) {
    put_count(out, addresses.len());
    for address in addresses {
        out.extend_from_slice(address.as_bytes());
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Broken> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(head)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Broken> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Broken)?;
        self.0 = rest;
        Ok(head)
    }

    /// `count` elements of `N` bytes, checked against what is there before anything is allocated.
    fn list<const N: usize>(&mut self) -> Result<impl Iterator<Item = &'a [u8; N]>, Broken> {
        let count = u32::from_be_bytes(*self.array()?) as usize;
        let bytes = self.take(count.checked_mul(N).ok_or(Broken)?)?;
        Ok(bytes.as_chunks::<N>().0.iter())
    }

    fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let len = u32::from_be_bytes(*self.array()?) as usize;
        self.take(len)
    }

    fn addresses(&mut self) -> Result<Vec<Address>, Broken> {
        Ok(self.list::<32>()?.map(|bytes| Address::new(*bytes)).collect())
    }

    fn affected(&mut self) -> Result<Vec<Affected>, Broken> {
        let entry = |bytes: &[u8; 128]| {
            let (mut id, mut hash) = ([0; 64], [0; 64]);
            id.copy_from_slice(&bytes[..64]);
            hash.copy_from_slice(&bytes[64..]);
            Affected { id: PayloadId::new(id), hash }
        };
        Ok(self.list::<128>()?.map(entry).collect())
    }
}

#[cfg(test)]
mod tests;
