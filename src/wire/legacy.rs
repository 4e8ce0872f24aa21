//! Constellation's and Tessera's length-prefixed layout of a payload.
//!
//! Sender, ciphertext, nonce, boxes, recipient nonce; later also recipients; later also flag, affected transactions, execution
//! hash (flag 3), mandatory recipients (flag 2), group. Whatever is missing at the end counts as absent, as the older forms had it.

use bytes::Bytes;

use super::reader::{PREFIX, Reader};
use super::writer::Writer;
use super::{DecodeError, EncodedPayload, payload};
use crate::types::{Address, Affected, GroupId, PayloadId, Privacy, PrivacyFlag};

/// Bytes of one affected transaction: two fields of 64 bytes.
const AFFECTED: usize = 2 * (PREFIX + 64);

/// Reads a payload in any of the historical lengths. Bytes after the last field are ignored, as in Tessera.
pub fn decode(bytes: &Bytes) -> Result<EncodedPayload, DecodeError> {
    let mut reader = Reader::new(bytes);
    let sender = Address::new(reader.array("sender")?);
    let ciphertext = bytes.slice_ref(reader.bytes("cipherText")?);
    let nonce = reader.array("cipherTextNonce")?;
    let boxes = reader.arrays("recipientBoxes")?;
    let recipient_nonce = reader.array("recipientNonce")?;
    let recipients = if reader.is_empty() { Vec::new() } else { addresses(&mut reader, "recipientKeys")? };
    let privacy = if reader.is_empty() { Privacy::default() } else { read_privacy(&mut reader)? };
    privacy.check()?;
    Ok(EncodedPayload { sender, ciphertext, nonce, boxes, recipient_nonce, recipients, privacy })
}

/// Writes a payload in the newest form.
pub fn encode(payload: &EncodedPayload) -> Bytes {
    let mut writer = Writer::with_capacity(payload::size_hint(payload));
    writer.bytes(payload.sender.as_bytes());
    writer.bytes(&payload.ciphertext);
    writer.bytes(&payload.nonce);
    writer.list(payload.boxes.iter().map(<[u8; 48]>::as_slice));
    writer.bytes(&payload.recipient_nonce);
    writer.list(payload.recipients.iter().map(|key| key.as_bytes().as_slice()));
    write_privacy(&mut writer, &payload.privacy);
    writer.finish()
}

fn read_privacy(reader: &mut Reader<'_>) -> Result<Privacy, DecodeError> {
    let [number] = reader.array("privacyFlag")?;
    let flag = PrivacyFlag::from_number(number.into());
    let affected = reader.list("affectedContractTransactions", AFFECTED, |reader| {
        let id = PayloadId::new(reader.array("affected transaction hash")?);
        Ok(Affected { id, hash: reader.array("security hash")? })
    })?;
    payload::check_distinct(&affected)?;
    let mut privacy = Privacy { flag, affected, ..Privacy::default() };
    if flag == PrivacyFlag::StateValidation && !reader.is_empty() {
        privacy.exec_hash = reader.bytes("execHash")?.to_vec();
    }
    if flag == PrivacyFlag::MandatoryRecipients && !reader.is_empty() {
        privacy.mandatory = addresses(reader, "mandatoryRecipients")?;
    }
    if !reader.is_empty() {
        privacy.group = payload::group(reader.bytes("privacyGroupId")?);
    }
    Ok(privacy)
}

fn write_privacy(writer: &mut Writer, privacy: &Privacy) {
    writer.bytes(&[privacy.flag.number()]);
    writer.count(privacy.affected.len());
    for Affected { id, hash } in &privacy.affected {
        writer.bytes(id.as_bytes());
        writer.bytes(hash);
    }
    if !privacy.exec_hash.is_empty() {
        writer.bytes(&privacy.exec_hash);
    }
    if privacy.flag == PrivacyFlag::MandatoryRecipients {
        writer.list(privacy.mandatory.iter().map(|key| key.as_bytes().as_slice()));
    }
    if let Some(GroupId(id)) = &privacy.group {
        writer.bytes(id);
    }
}

fn addresses(reader: &mut Reader<'_>, field: &'static str) -> Result<Vec<Address>, DecodeError> {
    reader.list(field, PREFIX + Address::LEN, |reader| reader.array(field).map(Address::new))
}
