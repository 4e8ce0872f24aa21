//! Messages of the native protocol: CBOR (RFC 8949) in the bodies of HTTP/2 requests (`docs/protocol.md`). Decoding is total, and bounded by
//! the body it reads.

use minicbor::bytes::ByteVec;
use minicbor::decode::Error as DecodeError;
use minicbor::{CborLen, Decode, Decoder, Encode};

pub use self::ceremony::{CeremoniesAfter, CeremonyPage};
pub use self::held::{HeldAsked, HeldSaid};

/// Deliveries of one batch.
pub const MAX_ITEMS: usize = 64;
/// Longest filler of a batch, bytes.
pub const MAX_FILLER: usize = 1 << 20;
/// Documents of one message.
pub const MAX_NOTES: usize = 64;

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a message of the native protocol")]
pub struct Malformed;

/// A message: encoded as CBOR, read back to its very end.
pub trait Message: Sized {
    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads it; trailing bytes are refused.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed>;
}

impl<T> Message for T
where
    T: Encode<()> + for<'b> Decode<'b, ()> + CborLen<()>,
{
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(minicbor::len(self));
        // Writing to a vector does not fail.
        let _ = minicbor::encode(self, &mut bytes);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut decoder = Decoder::new(bytes);
        let read = decoder.decode().map_err(|_| Malformed)?;
        if decoder.position() == bytes.len() { Ok(read) } else { Err(Malformed) }
    }
}

/// An array of at most `MAX`, refused by its head.
///
/// Threat: three bytes of a body become some hundred of memory each, and a task. Nothing is made of what is too many.
fn few<'b, const MAX: usize, C, T: Decode<'b, C>>(from: &mut Decoder<'b>, context: &mut C) -> Result<Vec<T>, DecodeError> {
    let count = from.array()?.ok_or_else(|| DecodeError::message("an array without a length"))?;
    let count = usize::try_from(count).ok().filter(|count| *count <= MAX).ok_or_else(|| DecodeError::message("too many"))?;
    (0..count).map(|_| from.decode_with(context)).collect()
}

fn short<C>(from: &mut Decoder<'_>, _: &mut C) -> Result<ByteVec, DecodeError> {
    let bytes = from.bytes()?;
    if bytes.len() <= MAX_FILLER { Ok(bytes.to_vec().into()) } else { Err(DecodeError::message("too long")) }
}

/// Deliveries to one member, together.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Batch {
    /// The sender's signed epoch key, under which the boxes are made.
    #[n(0)]
    pub epoch: ByteVec,
    /// The deliveries, [`MAX_ITEMS`] at most.
    #[cbor(n(1), decode_with = "few::<MAX_ITEMS, _, _>")]
    pub items: Vec<Item>,
    /// Zeros that hide how much there is, where the policy says so; [`MAX_FILLER`] at most.
    #[cbor(n(2), decode_with = "short")]
    pub filler: ByteVec,
}

/// One delivery.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Item {
    /// Its suite: 0 `nacl` (a payload in Tessera's CBOR form), 1 `celosia-1` (a delivery), 2 a privacy group, 3 a document's offer (a
    /// delivery of its manifest), 4 a copy for a supervisor, 6 and 7 what 1 and 0 are, behind the words of
    /// supervisors ([`crate::wire::Vouched`]), 9 what is given back ([`crate::wire::GivenBack`]).
    #[n(0)]
    pub suite: u8,
    /// The delivery, with its ciphertext or, after an upload, without.
    #[n(1)]
    pub body: ByteVec,
    /// The upload that holds its ciphertext.
    #[n(2)]
    pub upload: Option<UploadId>,
}

/// A random name of an upload.
#[derive(Clone, Copy, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
#[cbor(transparent)]
pub struct UploadId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// What became of each delivery of a batch, in its order.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Answers {
    /// One for each.
    #[n(0)]
    pub items: Vec<Answer>,
}

/// What became of one delivery.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub enum Answer {
    /// It is durable here.
    #[n(0)]
    Taken {
        /// The signed acknowledgement.
        #[n(0)]
        ack: ByteVec,
        /// How it can be taken back for a short while: 16 bytes, or none.
        #[n(1)]
        withdraw: ByteVec,
    },
    /// It is not taken.
    #[n(1)]
    Refused {
        /// Number of the stable code.
        #[n(0)]
        code: u16,
        /// The HTTP status that the compatible surface would give.
        #[n(1)]
        status: u16,
        /// Why.
        #[n(2)]
        text: String,
    },
    /// The box is for an epoch key that is no more; this is the present one.
    #[n(2)]
    AnotherEpoch {
        /// Our signed epoch key.
        #[n(0)]
        epoch: ByteVec,
    },
    /// A document's offer is taken, and its chunks are wanted.
    #[n(3)]
    Wanted {
        /// From which one on.
        #[n(0)]
        next: u64,
    },
}

/// A sealed chunk of a document that was offered; answered with [`PartTaken`], whose `next` is a chunk's number.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct DocumentPart {
    /// Which document.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub document: [u8; 32],
    /// Number of the chunk, from 0.
    #[n(1)]
    pub index: u64,
    /// The sealed chunk.
    #[n(2)]
    pub bytes: ByteVec,
}

/// A part of a large ciphertext. An empty part asks how much is there.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Part {
    /// Which upload.
    #[n(0)]
    pub upload: UploadId,
    /// Where the part begins, in bytes.
    #[n(1)]
    pub offset: u64,
    /// Length of the whole.
    #[n(2)]
    pub total: u64,
    /// The bytes.
    #[n(3)]
    pub bytes: ByteVec,
}

/// How much of an upload is there.
#[derive(Clone, Copy, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct PartTaken {
    /// Where the next part begins.
    #[n(0)]
    pub next: u64,
}

/// Takes back a delivery.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Withdraw {
    /// The payload's id, 64 bytes.
    #[n(0)]
    pub id: ByteVec,
    /// The token of its answer, 16 bytes.
    #[n(1)]
    pub token: ByteVec,
}

/// Where a member stands, said to another and answered in kind.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Standing {
    /// Its newest document.
    #[n(0)]
    pub version: u64,
    /// First eight bytes of that document's hash: two members on one version agree on it.
    #[n(1)]
    pub hash: u64,
    /// Members known to be on that version: one bit each, in the order of the directory, the first in the lowest bit.
    #[n(2)]
    pub known: ByteVec,
    /// Its clock, milliseconds since the Unix epoch.
    #[n(3)]
    pub clock: u64,
    /// Whether the caller asks for the documents that it lacks by itself; false for one that may only listen.
    #[n(4)]
    pub asks: bool,
}

/// Asks for documents.
#[derive(Clone, Copy, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct DocumentsAfter {
    /// The newest version that the caller has.
    #[n(0)]
    pub version: u64,
    /// The version of its directory, the ground of a delta.
    #[n(1)]
    pub directory: u64,
}

/// Documents, in the order of their versions.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Documents {
    /// Each a signed note; [`MAX_NOTES`] at most.
    #[cbor(n(0), decode_with = "few::<MAX_NOTES, _, _>")]
    pub notes: Vec<String>,
    /// The newest directory as changes to the one that the caller has, where that is shorter.
    #[n(1)]
    pub delta: Option<ByteVec>,
}

/// A checkpoint to be cosigned.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Witness {
    /// Which log of the caller's.
    #[n(3)]
    pub log: String,
    /// The signed checkpoint.
    #[n(0)]
    pub checkpoint: String,
    /// The size from which `proof` leads.
    #[n(1)]
    pub from: u64,
    /// Consistency proof: hashes of 32 bytes, one after the other.
    #[n(2)]
    pub proof: ByteVec,
}

/// Asks what the answering member cosigned of a log of the caller's.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Seen {
    /// Which log.
    #[n(0)]
    pub log: String,
}

/// What a witness answers.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Witnessed {
    /// The cosignature line; none if it was refused.
    #[n(0)]
    pub cosignature: Option<String>,
    /// The newest checkpoint of the caller's log that the witness cosigned.
    #[n(1)]
    pub newest: Option<String>,
    /// Its size.
    #[n(2)]
    pub size: u64,
    /// Why it was refused.
    #[n(3)]
    pub refused: Option<String>,
}

/// Asks for payloads that the caller takes part in: recovery.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Resend {
    /// The caller's signed epoch key.
    #[n(0)]
    pub epoch: ByteVec,
    /// Ids after this one (64 bytes), or from the first (empty).
    #[n(1)]
    pub after: ByteVec,
}

/// What a holder answers to an order: its newest receipt, and what proves that its journal has it, once it is sequenced.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct ErasureAnswer {
    /// The signed receipt.
    #[n(0)]
    pub receipt: ByteVec,
    /// The record of the journal.
    #[n(1)]
    pub record: ByteVec,
    /// Its salt.
    #[n(2)]
    pub salt: ByteVec,
    /// A C2SP tlog-proof; empty while there is none.
    #[n(3)]
    pub proof: String,
}

/// Asks for the orders that the answering member gave to the caller or took from it.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct OrdersAfter {
    /// Where the last page ended; empty at the beginning.
    #[n(0)]
    pub after: ByteVec,
}

/// A page of orders.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct OrdersPage {
    /// Signed orders.
    #[n(0)]
    pub orders: Vec<ByteVec>,
    /// Where the next page begins; empty at the end.
    #[n(1)]
    pub next: ByteVec,
}

/// Asks for what a supervisor was entitled to.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct CatchUp {
    /// The caller's signed epoch key.
    #[n(0)]
    pub epoch: ByteVec,
    /// Of what, as the scope of an order is written.
    #[n(1)]
    pub scope: String,
    /// Since when, milliseconds since the Unix epoch.
    #[n(2)]
    pub since: u64,
    /// Ids after this one (64 bytes), or from the first (empty).
    #[n(3)]
    pub after: ByteVec,
}

/// Asks a supervisor for its word on a payload that it received from the caller.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct CosignAsked {
    /// Which payload, 64 bytes.
    #[n(0)]
    pub id: ByteVec,
    /// SHA-256 of its header.
    #[n(1)]
    pub header: ByteVec,
    /// The caller waits no more: its send failed.
    #[n(2)]
    pub end: bool,
}

/// What a supervisor says: a co-signature, a refusal, or neither yet.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct CosignSaid {
    /// The signed co-signature.
    #[n(0)]
    pub cosignature: Option<ByteVec>,
    /// Why it is refused.
    #[n(1)]
    pub refused: Option<String>,
}

/// Asks for orders of supervision.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct SupervisionAfter {
    /// What the caller knows: 32 bytes that are equal where two know the same.
    #[n(0)]
    pub known: ByteVec,
    /// Where the last page ended; empty at the beginning.
    #[n(1)]
    pub after: ByteVec,
}

/// A page of payloads.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub struct Resent {
    /// The answering member's signed epoch key.
    #[n(0)]
    pub epoch: ByteVec,
    /// Deliveries.
    #[n(1)]
    pub items: Vec<Item>,
    /// Where the next page begins; empty at the end.
    #[n(2)]
    pub next: ByteVec,
}

mod ceremony;
mod held;
#[cfg(test)]
mod tests;
