use bytes::Bytes;

use super::{Input, put_count};
use crate::crypto::Broken;
use crate::enclave::NativeMeta;
use crate::types::{Address, MemberId};
use crate::wire::{Header, Opening, Proofs};

const SENT: u8 = 0;
const RECEIVED: u8 = 1;

/// Bytes that [`put`] writes.
pub(super) fn size(native: &NativeMeta) -> usize {
    let proofs: usize = match &native.proofs {
        Proofs::Sent { recipients, .. } => 32 + recipients.iter().map(|(_, name)| 33 + name.as_str().len()).sum::<usize>(),
        Proofs::Received(openings) => openings.iter().map(Opening::size).sum(),
    };
    4 + native.header.len() + 64 + 1 + 4 + proofs
}

pub(super) fn put(out: &mut Vec<u8>, native: &NativeMeta) {
    put_count(out, native.header.len());
    out.extend_from_slice(&native.header);
    out.extend_from_slice(&native.signature);
    match &native.proofs {
        Proofs::Sent { seed, recipients } => {
            out.push(SENT);
            out.extend_from_slice(seed);
            put_count(out, recipients.len());
            for (address, name) in recipients {
                out.extend_from_slice(address.as_bytes());
                out.push(u8::try_from(name.as_str().len()).expect("a name has 63 bytes at most"));
                out.extend_from_slice(name.as_str().as_bytes());
            }
        }
        Proofs::Received(openings) => {
            out.push(RECEIVED);
            put_count(out, openings.len());
            for opening in openings {
                opening.put(out);
            }
        }
    }
}

pub(super) fn take(input: &mut Input<'_>) -> Result<NativeMeta, Broken> {
    let bytes = Bytes::copy_from_slice(input.bytes()?);
    let signature = *input.array()?;
    let header = Header::decode(&bytes).map_err(|_| Broken)?;
    let proofs = match *input.array()? {
        [SENT] => Proofs::Sent { seed: *input.array()?, recipients: list(input, recipient)? },
        [RECEIVED] => Proofs::Received(list(input, |input| Opening::take(&mut input.0).ok_or(Broken))?),
        _ => return Err(Broken),
    };
    Ok(NativeMeta::new(&header, bytes, signature, proofs))
}

/// `count` elements of any size. Grows as they are read: a count is no reason to allocate.
fn list<T>(input: &mut Input<'_>, mut element: impl FnMut(&mut Input<'_>) -> Result<T, Broken>) -> Result<Vec<T>, Broken> {
    let count = u32::from_be_bytes(*input.array()?);
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(element(input)?);
    }
    Ok(elements)
}

fn recipient(input: &mut Input<'_>) -> Result<(Address, MemberId), Broken> {
    let address = Address::new(*input.array()?);
    let [length] = *input.array()?;
    let name = std::str::from_utf8(input.take(length.into())?).map_err(|_| Broken)?;
    Ok((address, name.parse().map_err(|_| Broken)?))
}
