//! What crosses the socket between the node and the enclave's process.
//!
//! A frame is `length (4, big-endian) ‖ body`; a body is a CBOR sequence (RFC 8742): call number, tag, fields in the order of the type.
//! Calls are numbered by the client; answers carry the number and come in any order. Plaintexts cross, keys never do: no message has a
//! field for one. Decoding is total and allocates no more than a small multiple of the frame.

mod field;
mod frame;
mod native;
mod root;

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use self::field::{message, record};
use super::documents::Place;
use super::returned::{Kept, Returned};
use super::{AffectedRecord, Draft, EnclaveError, IndexKey, Ingest, Meta, NativeDraft, NativeIngest, NativeSealed, NativeTarget};
use super::{EscrowTerms, HoldLock, HoldRelease, HoldShare, Opened, RawDraft, Restored, Sealed, SealedRaw};
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::{KeyBox, Nonce};
use crate::crypto::sign::{Signature, VerifyKey};
use crate::crypto::threshold::GroupKey;
use crate::seal::escrow::{EscrowKey, Escrowed};
use crate::shred::{LeafRef, RootStatus, Rotation, SealedHead, ShredError};
use crate::types::{Address, DocumentId, ItemId, PayloadId, Privacy, SecurityHash};
use crate::wire::{Delivery, EncodedPayload, EpochKey};

pub(super) use self::frame::{decode, encode, read};

/// Version of these messages. Both sides must have the same: they are parts of one installation.
pub const VERSION: u32 = 4;

/// Longest body of a frame.
pub const MAX_FRAME: usize = 128 * 1024 * 1024;

/// A plaintext that crosses: wiped, and printed as its length.
pub struct Plain(pub Zeroizing<Vec<u8>>);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({} bytes)", self.0.len())
    }
}

/// What the node asks: the methods of [`super::Enclave`], and who is there.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is the method of its name, with its arguments")]
pub enum Request {
    Hello(u32),
    Seal(Draft),
    SealRaw(Plain, Address),
    SealStored(RawDraft),
    Open(PayloadId, SealedHead, Nonce, Bytes),
    Meta(PayloadId, SealedHead),
    Verify(PayloadId, SealedHead, Nonce, Bytes),
    Ingest(PayloadId, EncodedPayload, Option<EscrowTerms>),
    OpenPayload(EncodedPayload),
    Rewrite(PayloadId, SealedHead, Meta),
    SameKey(PayloadId, SealedHead, SealedHead),
    Boxes(PayloadId, SealedHead, Vec<Address>),
    SecurityHashes(Bytes, Vec<AffectedRecord>),
    Erase(Vec<LeafRef>),
    Ping,
    VerifyKey,
    Sign(Bytes),
    EpochKey,
    SealNative(NativeDraft),
    ReboxNative(PayloadId, SealedHead, Nonce, Bytes, NativeTarget),
    IngestNative(Delivery, VerifyKey, Vec<EscrowKey>),
    Punctures,
    SealBeside(SealedHead, String, Plain),
    OpenBeside(SealedHead, String, Bytes),
    IndexKey(IndexKey),
    IndexTokens(IndexKey, SealedHead, Vec<Plain>),
    Block(ItemId, SealedHead, Vec<(String, Bytes)>, GroupKey, Vec<u8>),
    HoldKey,
    HoldLock(ItemId, SealedHead),
    Release(ItemId, HoldRelease),
    Escrow(PayloadId, SealedHead),
    ReleaseEscrow(PayloadId, SealedHead, Nonce, BoxKey, Vec<u8>),
    CopyNative(PayloadId, SealedHead, Nonce, Bytes, NativeTarget),
    IngestCopy(Delivery, VerifyKey, Vec<EscrowKey>),
    DocumentEscrow(DocumentId, SealedHead),
    ReleaseDocument(DocumentId, SealedHead, BoxKey, Vec<u8>),
    Root,
    RotateRoot,
    BeginDocument(DocumentId),
    SealManifest(DocumentId, SealedHead, NativeDraft),
    AdoptDocument(PayloadId, SealedHead, DocumentId),
    SameDocument(DocumentId, SealedHead, SealedHead),
    SealChunk(DocumentId, SealedHead, Place, Plain),
    OpenChunk(DocumentId, SealedHead, Place, Bytes),
    CheckChunk(DocumentId, SealedHead, Place, Bytes),
    ReturnKey,
    TakeBack(Box<Returned>),
}

/// What the enclave answers.
#[derive(Debug)]
pub enum Response {
    /// To `Hello`: version and our addresses, the default first.
    Hello(u32, Vec<Address>),
    /// To `Seal` and `SealStored`.
    Sealed(Sealed),
    /// To `SealRaw`.
    SealedRaw(SealedRaw),
    /// To `Open`.
    Opened(Opened),
    /// To `Meta` and `Verify`.
    Meta(Meta),
    /// To `Ingest`.
    Ingest(Ingest),
    /// To `OpenPayload`, `OpenBeside` and `OpenChunk`.
    Plaintext(Option<Plain>),
    /// To `Rewrite`, `IndexKey`, `Block`, `BeginDocument` and `AdoptDocument`.
    Head(SealedHead),
    /// To `SameKey` and `SameDocument`.
    Truth(bool),
    /// To `Boxes`.
    Boxes(Vec<Option<KeyBox>>),
    /// To `SecurityHashes`.
    SecurityHashes(Vec<SecurityHash>),
    /// To `Erase`, `CheckChunk` and `Ping`.
    Done,
    /// To anything.
    Failed(EnclaveError),
    /// To `VerifyKey`.
    VerifyKey(Option<VerifyKey>),
    /// To `Sign`.
    Signed(Signature),
    /// To `EpochKey`.
    EpochKey(EpochKey),
    /// To `SealNative` and `SealManifest`.
    SealedNative(NativeSealed),
    /// To `ReboxNative` and `CopyNative`.
    Delivery(Delivery),
    /// To `IngestNative` and `IngestCopy`.
    NativeIngest(NativeIngest),
    /// To `SealBeside`, `SealChunk`, `ReleaseEscrow` and `ReleaseDocument`.
    Beside(Bytes),
    /// To `Punctures`.
    Number(u64),
    /// To `IndexTokens`.
    Tokens(Vec<[u8; 32]>),
    /// To `HoldKey`.
    BoxKey(BoxKey),
    /// To `HoldLock`.
    HoldLock(HoldLock),
    /// To `Release`.
    Restored(Restored),
    /// To `Escrow` and `DocumentEscrow`.
    Escrowed(Option<Escrowed>),
    /// To `Root`.
    Root(RootStatus),
    /// To `RotateRoot`.
    Rotation(Rotation),
    /// To `ReturnKey`.
    ReturnKey(BoxKey),
    /// To `TakeBack`.
    Kept(Kept),
}

/// Reads the body of a request: its number and the call. Total; the entry for fuzzing.
pub fn decode_request(body: &[u8]) -> Option<(u64, Request)> {
    decode(&Bytes::copy_from_slice(body)).ok()
}

/// Reads the body of a response. Total; the entry for fuzzing.
pub fn decode_response(body: &[u8]) -> Option<(u64, Response)> {
    decode(&Bytes::copy_from_slice(body)).ok()
}

impl From<Result<Self, EnclaveError>> for Response {
    fn from(result: Result<Self, EnclaveError>) -> Self {
        result.unwrap_or_else(Self::Failed)
    }
}

message! { Request {
    0 Hello(0 version),
    1 Seal(0 draft),
    2 SealRaw(0 plaintext, 1 sender),
    3 SealStored(0 draft),
    4 Open(0 id, 1 head, 2 nonce, 3 ciphertext),
    5 Meta(0 id, 1 head),
    6 Verify(0 id, 1 head, 2 nonce, 3 ciphertext),
    7 Ingest(0 id, 1 payload, 2 escrow),
    8 OpenPayload(0 payload),
    9 Rewrite(0 id, 1 head, 2 meta),
    10 SameKey(0 id, 1 a, 2 b),
    11 Boxes(0 id, 1 head, 2 targets),
    12 SecurityHashes(0 ciphertext, 1 affected),
    13 Erase(0 leaves),
    14 Ping(),
    15 VerifyKey(),
    16 Sign(0 message),
    17 EpochKey(),
    18 SealNative(0 draft),
    19 ReboxNative(0 id, 1 head, 2 nonce, 3 ciphertext, 4 target),
    20 IngestNative(0 delivery, 1 sender_key, 2 escrows),
    21 SealBeside(0 head, 1 label, 2 text),
    22 OpenBeside(0 head, 1 label, 2 sealed),
    23 Punctures(),
    45 IndexKey(0 of),
    46 IndexTokens(0 of, 1 key, 2 words),
    75 Block(0 item, 1 head, 2 beside, 3 committee, 4 label),
    51 HoldKey(),
    76 HoldLock(0 item, 1 envelope),
    77 Release(0 item, 1 release),
    55 Escrow(0 id, 1 head),
    56 ReleaseEscrow(0 id, 1 head, 2 nonce, 3 to, 4 info),
    65 CopyNative(0 id, 1 head, 2 nonce, 3 ciphertext, 4 target),
    66 IngestCopy(0 delivery, 1 sender_key, 2 escrows),
    57 DocumentEscrow(0 id, 1 head),
    58 ReleaseDocument(0 id, 1 head, 2 to, 3 info),
    30 Root(),
    31 RotateRoot(),
    35 BeginDocument(0 document),
    36 SealManifest(0 document, 1 head, 2 draft),
    37 AdoptDocument(0 manifest, 1 head, 2 document),
    38 SameDocument(0 document, 1 a, 2 b),
    39 SealChunk(0 document, 1 head, 2 place, 3 chunk),
    40 OpenChunk(0 document, 1 head, 2 place, 3 sealed),
    41 CheckChunk(0 document, 1 head, 2 place, 3 sealed),
    80 ReturnKey(),
    81 TakeBack(0 returned),
} }

message! { Response {
    0 Hello(0 version, 1 addresses),
    1 Sealed(0 sealed),
    2 SealedRaw(0 sealed),
    3 Opened(0 opened),
    4 Meta(0 meta),
    5 Ingest(0 ingest),
    6 Plaintext(0 plaintext),
    7 Head(0 head),
    8 Truth(0 truth),
    9 Boxes(0 boxes),
    10 SecurityHashes(0 hashes),
    11 Done(),
    12 Failed(0 error),
    13 VerifyKey(0 key),
    14 Signed(0 signature),
    15 EpochKey(0 key),
    16 SealedNative(0 sealed),
    17 Delivery(0 delivery),
    18 NativeIngest(0 ingest),
    19 Beside(0 sealed),
    20 Number(0 number),
    45 Tokens(0 tokens),
    75 BoxKey(0 key),
    76 HoldLock(0 lock),
    51 Restored(0 restored),
    55 Escrowed(0 escrowed),
    30 Root(0 status),
    31 Rotation(0 rotation),
    80 ReturnKey(0 key),
    81 Kept(0 kept),
} }

message! { EnclaveError {
    0 Broken(),
    1 Erased(),
    2 LowOrder(0 address),
    3 NotOurs(0 address),
    4 Shred(0 error),
    5 Unavailable(0 why),
    6 NoSigningKey(),
    7 Refused(0 refused),
    50 HoldKeyGone(),
    75 HoldShare(0 at),
    55 NoEscrow(),
    80 ReturnKeyGone(),
} }

message! { ShredError {
    0 Broken(0 what),
    1 Destroyed(),
    2 Io(path path, source source),
    3 Loose(0 path),
    4 Missing(0 tree),
    5 Locked(0 path),
    30 Root(0 error),
    31 NoGeneration(0 generation),
    32 Rotating(),
} }

message! { Ingest {
    0 Mine(head head, meta meta),
    1 NotMine(),
} }

record! { AffectedRecord { id, head, ciphertext } }
record! { Draft { plaintext, sender, recipients, privacy, affected, escrow } }
record! { EncodedPayload { sender, ciphertext, nonce, boxes, recipient_nonce, recipients, privacy } }
record! { Kept { head, nonce } }
record! { Returned { id, one_time, sealed, ciphertext, key, escrowed, meta } }
record! { HoldLock { committee, capsule } }
record! { HoldRelease { envelope, label, one_time, shares } }
record! { HoldShare { verifying, sealed } }
record! { LeafRef { tree, leaf } }
record! { Meta { sender, recipients, recipient_nonce, privacy, native } }
record! { Opened { plaintext, meta } }
record! { Place { index, last } }
record! { Privacy { flag, affected, exec_hash, mandatory, group } }
record! { RawDraft { raw, recipients, privacy, affected, escrow } }
record! { Restored { head, beside } }
record! { Sealed { id, payload, head } }
record! { SealedRaw { id, ciphertext, nonce, head } }

#[cfg(test)]
mod tests;
