//! CBOR (RFC 8949) map of a payload, API 5.0.
//!
//! Written as Tessera writes it: a definite map of eleven text keys in fixed order. Read in any order, arrays and maps of definite
//! length or not. Two choices of ours: a key that is not known is passed over if its value is well-formed (Tessera stops there and
//! takes the rest for absent), and a key that is there twice is refused (Tessera takes the last: two readers could differ).

mod fields;

use std::convert::identity;

use bytes::Bytes;

use self::fields::{Reader, Writer};
use super::{DecodeError, EncodedPayload, payload};
use crate::types::{Address, Affected, GroupId, PayloadId, Privacy, PrivacyFlag};

/// Keys of the map, in the order in which they are written.
const KEYS: [&str; 11] = [
    "sender",
    "cipherText",
    "nonce",
    "recipientNonce",
    "recipientBoxes",
    "recipients",
    "privacyFlag",
    "affected",
    "execHash",
    "mandatoryFor",
    "privacyGroupId",
];

/// Reads a payload. Keys from `recipientBoxes` on may be absent. Bytes after the map are ignored, as in Tessera.
pub fn decode(bytes: &Bytes) -> Result<EncodedPayload, DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut parts = Parts::default();
    let mut seen = [false; KEYS.len()];
    reader.map("payload", |reader, key| {
        let Some(at) = KEYS.iter().position(|known| *known == key) else { return reader.skip("unknown key") };
        if std::mem::replace(&mut seen[at], true) {
            return Err(DecodeError::Duplicate(KEYS[at]));
        }
        parts.read(reader, KEYS[at], bytes)
    })?;
    parts.finish()
}

/// Writes a payload.
pub fn encode(payload: &EncodedPayload) -> Bytes {
    let EncodedPayload { sender, ciphertext, nonce, boxes, recipient_nonce, recipients, privacy } = payload;
    let mut writer = Writer::with_capacity(payload::size_hint(payload));
    writer.map(KEYS.len());
    writer.text("sender").bytes(sender.as_bytes());
    writer.text("cipherText").bytes(ciphertext);
    writer.text("nonce").bytes(nonce);
    writer.text("recipientNonce").bytes(recipient_nonce);
    writer.text("recipientBoxes").list(boxes.iter().map(<[u8; 48]>::as_slice));
    writer.text("recipients").list(recipients.iter().map(|key| key.as_bytes().as_slice()));
    writer.text("privacyFlag").number(privacy.flag.number());
    writer.text("affected").map(privacy.affected.len());
    for Affected { id, hash } in &privacy.affected {
        writer.text(&id.to_string()).bytes(hash);
    }
    writer.text("execHash").bytes(&privacy.exec_hash);
    writer.text("mandatoryFor").list(privacy.mandatory.iter().map(|key| key.as_bytes().as_slice()));
    writer.text("privacyGroupId").bytes(privacy.group.as_ref().map_or(&[], |GroupId(id)| id));
    writer.finish()
}

/// What was read so far.
#[derive(Default)]
struct Parts {
    sender: Option<Address>,
    ciphertext: Option<Bytes>,
    nonce: Option<[u8; 24]>,
    recipient_nonce: Option<[u8; 24]>,
    boxes: Vec<[u8; 48]>,
    recipients: Vec<Address>,
    privacy: Privacy,
}

impl Parts {
    /// The value of one key. `whole` is what the reader reads: the ciphertext is a slice of it.
    fn read(&mut self, reader: &mut Reader<'_>, key: &'static str, whole: &Bytes) -> Result<(), DecodeError> {
        match key {
            "sender" => self.sender = Some(Address::new(reader.array(key)?)),
            "cipherText" => self.ciphertext = Some(whole.slice_ref(reader.bytes(key)?)),
            "nonce" => self.nonce = Some(reader.array(key)?),
            "recipientNonce" => self.recipient_nonce = Some(reader.array(key)?),
            "recipientBoxes" => self.boxes = reader.arrays(key, identity)?,
            "recipients" => self.recipients = reader.arrays(key, Address::new)?,
            "privacyFlag" => self.privacy.flag = PrivacyFlag::from_number(reader.number(key)?),
            "affected" => self.privacy.affected = read_affected(reader)?,
            "execHash" => self.privacy.exec_hash = reader.bytes(key)?.to_vec(),
            "mandatoryFor" => self.privacy.mandatory = reader.arrays(key, Address::new)?,
            _ => self.privacy.group = payload::group(reader.bytes("privacyGroupId")?),
        }
        Ok(())
    }

    fn finish(self) -> Result<EncodedPayload, DecodeError> {
        self.privacy.check()?;
        Ok(EncodedPayload {
            sender: self.sender.ok_or(DecodeError::Missing("sender"))?,
            ciphertext: self.ciphertext.ok_or(DecodeError::Missing("cipherText"))?,
            nonce: self.nonce.ok_or(DecodeError::Missing("nonce"))?,
            boxes: self.boxes,
            recipient_nonce: self.recipient_nonce.ok_or(DecodeError::Missing("recipientNonce"))?,
            recipients: self.recipients,
            privacy: self.privacy,
        })
    }
}

fn read_affected(reader: &mut Reader<'_>) -> Result<Vec<Affected>, DecodeError> {
    const ID: &str = "affected transaction hash";
    let mut affected = Vec::new();
    reader.map("affected", |reader, key| {
        let id = crate::types::base64(key.as_bytes()).map_err(|_| DecodeError::Value(ID))?;
        let id = PayloadId::try_from(id.as_slice()).map_err(|_| DecodeError::Length(ID))?;
        affected.push(Affected { id, hash: reader.array("security hash")? });
        Ok(())
    })?;
    payload::check_distinct(&affected)?;
    Ok(affected)
}
