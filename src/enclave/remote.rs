//! The node's end of the socket: an [`Enclave`] in another process. While that is gone every call fails with
//! [`EnclaveError::Unavailable`]; the first call after it is back finds it again.

mod link;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::link::Link;
use super::proto::{Plain, Request, Response};
use super::{AffectedRecord, Draft, Enclave, EnclaveError, IndexKey, Ingest, Meta, NativeDraft, NativeIngest, NativeSealed};
use super::{EscrowTerms, HoldLock, HoldRelease, NativeTarget, Opened, RawDraft, Restored, Sealed, SealedRaw};
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::{KeyBox, Nonce};
use crate::crypto::sign::{Signature, VerifyKey};
use crate::crypto::threshold::GroupKey;
use crate::seal::escrow::{EscrowKey, Escrowed};
use crate::shred::{LeafRef, RootStatus, Rotation, SealedHead};
use crate::types::{Address, ItemId, PayloadId, SecurityHash};
use crate::wire::{Delivery, EncodedPayload, EpochKey};

/// After a failed attempt to connect, calls fail at once for this long.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest that an answer may take: the longest payload takes seconds, a dead enclave closes its socket.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for a rotation, which rewrites every tree and asks a key service.
const ROTATION_PATIENCE: Duration = Duration::from_mins(10);

/// An enclave behind a Unix socket.
pub struct RemoteEnclave {
    path: PathBuf,
    known: RwLock<Known>,
    state: Mutex<State>,
}

/// What the enclave said of itself when it was connected to.
#[derive(Clone)]
struct Known {
    addresses: Arc<[Address]>,
    verify_key: Option<VerifyKey>,
}

enum State {
    Linked(Arc<Link>),
    /// Since when, and why.
    Gone(Instant, String),
}

impl RemoteEnclave {
    /// Connects and learns the addresses. Waits for the enclave up to `patience`: both processes may be starting.
    pub async fn connect(path: &Path, patience: Duration) -> Result<Self, EnclaveError> {
        let deadline = Instant::now() + patience;
        loop {
            match Link::open(path).await {
                Ok((link, known)) => {
                    let (known, state) = (RwLock::new(known), Mutex::new(State::Linked(Arc::new(link))));
                    return Ok(Self { path: path.to_owned(), known, state });
                }
                Err(why) if Instant::now() >= deadline => return Err(EnclaveError::Unavailable(why)),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// The connection, made anew where it broke.
    async fn link(&self) -> Result<Arc<Link>, EnclaveError> {
        let mut state = self.state.lock().await;
        match &*state {
            State::Linked(link) if link.is_alive() => return Ok(Arc::clone(link)),
            State::Gone(since, why) if since.elapsed() < PAUSE => return Err(EnclaveError::Unavailable(why.clone())),
            State::Linked(_) => tracing::warn!("the connection to the enclave broke"),
            State::Gone(..) => {}
        }
        match Link::open(&self.path).await {
            Ok((link, known)) => {
                tracing::info!("connected to the enclave again");
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
                let link = Arc::new(link);
                *state = State::Linked(Arc::clone(&link));
                Ok(link)
            }
            Err(why) => {
                *state = State::Gone(Instant::now(), why.clone());
                Err(EnclaveError::Unavailable(why))
            }
        }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call(&self, request: Request) -> Result<Response, EnclaveError> {
        self.call_within(request, PATIENCE).await
    }

    async fn call_within(&self, request: Request, patience: Duration) -> Result<Response, EnclaveError> {
        let link = self.link().await?;
        let answer = tokio::time::timeout(patience, link.call(&request)).await;
        match answer.map_err(|_| EnclaveError::Unavailable("no answer in time".to_owned()))?? {
            Response::Failed(error) => Err(error),
            response => Ok(response),
        }
    }
}

impl fmt::Debug for RemoteEnclave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteEnclave({})", self.path.display())
    }
}

/// The answer of the kind that belongs to the call.
macro_rules! expect {
    ($self:ident, $request:expr, $pattern:pat => $value:expr) => {
        match $self.call($request).await? {
            $pattern => Ok($value),
            _ => Err(EnclaveError::Unavailable("it answers something else than was asked".to_owned())),
        }
    };
}

mod copies;
mod documents;
mod returned;

#[async_trait]
impl Enclave for RemoteEnclave {
    fn addresses(&self) -> Arc<[Address]> {
        self.known().addresses
    }

    async fn seal(&self, draft: Draft) -> Result<Sealed, EnclaveError> {
        expect!(self, Request::Seal(draft), Response::Sealed(sealed) => sealed)
    }

    async fn seal_raw(&self, plaintext: Zeroizing<Vec<u8>>, sender: Address) -> Result<SealedRaw, EnclaveError> {
        expect!(self, Request::SealRaw(Plain(plaintext), sender), Response::SealedRaw(sealed) => sealed)
    }

    async fn seal_stored(&self, draft: RawDraft) -> Result<Sealed, EnclaveError> {
        expect!(self, Request::SealStored(draft), Response::Sealed(sealed) => sealed)
    }

    async fn open(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Opened, EnclaveError> {
        expect!(self, Request::Open(id, head.clone(), nonce, ciphertext), Response::Opened(opened) => opened)
    }

    async fn meta(&self, id: PayloadId, head: &SealedHead) -> Result<Meta, EnclaveError> {
        expect!(self, Request::Meta(id, head.clone()), Response::Meta(meta) => meta)
    }

    async fn verify(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Meta, EnclaveError> {
        expect!(self, Request::Verify(id, head.clone(), nonce, ciphertext), Response::Meta(meta) => meta)
    }

    async fn ingest(&self, id: PayloadId, payload: &EncodedPayload, escrow: Option<EscrowTerms>) -> Result<Ingest, EnclaveError> {
        expect!(self, Request::Ingest(id, payload.clone(), escrow), Response::Ingest(ingest) => ingest)
    }

    async fn open_payload(&self, payload: &EncodedPayload) -> Result<Option<Zeroizing<Vec<u8>>>, EnclaveError> {
        let request = Request::OpenPayload(payload.clone());
        expect!(self, request, Response::Plaintext(plaintext) => plaintext.map(|Plain(bytes)| bytes))
    }

    async fn rewrite(&self, id: PayloadId, head: &SealedHead, meta: Meta) -> Result<SealedHead, EnclaveError> {
        expect!(self, Request::Rewrite(id, head.clone(), meta), Response::Head(head) => head)
    }

    async fn same_key(&self, id: PayloadId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError> {
        expect!(self, Request::SameKey(id, a.clone(), b.clone()), Response::Truth(truth) => truth)
    }

    async fn boxes(&self, id: PayloadId, head: &SealedHead, targets: &[Address]) -> Result<Vec<Option<KeyBox>>, EnclaveError> {
        expect!(self, Request::Boxes(id, head.clone(), targets.to_vec()), Response::Boxes(boxes) => boxes)
    }

    async fn security_hashes(&self, ciphertext: Bytes, affected: Vec<AffectedRecord>) -> Result<Vec<SecurityHash>, EnclaveError> {
        expect!(self, Request::SecurityHashes(ciphertext, affected), Response::SecurityHashes(hashes) => hashes)
    }

    fn verify_key(&self) -> Option<VerifyKey> {
        self.known().verify_key
    }

    async fn sign(&self, message: Vec<u8>) -> Result<Signature, EnclaveError> {
        expect!(self, Request::Sign(message.into()), Response::Signed(signature) => signature)
    }

    async fn epoch_key(&self) -> Result<EpochKey, EnclaveError> {
        expect!(self, Request::EpochKey, Response::EpochKey(key) => key)
    }

    async fn seal_native(&self, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        expect!(self, Request::SealNative(draft), Response::SealedNative(sealed) => sealed)
    }

    async fn rebox_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        let request = Request::ReboxNative(id, head.clone(), nonce, ciphertext, target);
        expect!(self, request, Response::Delivery(delivery) => delivery)
    }

    async fn ingest_native(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError> {
        let request = Request::IngestNative(delivery.clone(), sender_key, escrows.to_vec());
        expect!(self, request, Response::NativeIngest(ingest) => ingest)
    }

    async fn escrow(&self, id: PayloadId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError> {
        expect!(self, Request::Escrow(id, head.clone()), Response::Escrowed(escrowed) => escrowed)
    }

    async fn release_escrow(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        to: BoxKey,
        info: Vec<u8>,
    ) -> Result<Bytes, EnclaveError> {
        expect!(self, Request::ReleaseEscrow(id, head.clone(), nonce, to, info), Response::Beside(sealed) => sealed)
    }

    async fn seal_beside(&self, head: &SealedHead, label: &str, text: Vec<u8>) -> Result<Bytes, EnclaveError> {
        let request = Request::SealBeside(head.clone(), label.to_owned(), Plain(Zeroizing::new(text)));
        expect!(self, request, Response::Beside(sealed) => sealed)
    }

    async fn open_beside(&self, head: &SealedHead, label: &str, sealed: Bytes) -> Result<Zeroizing<Vec<u8>>, EnclaveError> {
        let request = Request::OpenBeside(head.clone(), label.to_owned(), sealed);
        expect!(self, request, Response::Plaintext(Some(Plain(text))) => text)
    }

    async fn index_key(&self, of: IndexKey) -> Result<SealedHead, EnclaveError> {
        expect!(self, Request::IndexKey(of), Response::Head(head) => head)
    }

    async fn index_tokens(
        &self,
        of: IndexKey,
        key: &SealedHead,
        words: Vec<Zeroizing<Vec<u8>>>,
    ) -> Result<Vec<[u8; 32]>, EnclaveError> {
        let request = Request::IndexTokens(of, key.clone(), words.into_iter().map(Plain).collect());
        expect!(self, request, Response::Tokens(tokens) => tokens)
    }

    async fn block_record(
        &self,
        item: ItemId,
        head: &SealedHead,
        beside: Vec<(String, Bytes)>,
        committee: GroupKey,
        label: Vec<u8>,
    ) -> Result<SealedHead, EnclaveError> {
        let request = Request::Block(item, head.clone(), beside, committee, label);
        expect!(self, request, Response::Head(envelope) => envelope)
    }

    async fn hold_key(&self) -> Result<BoxKey, EnclaveError> {
        expect!(self, Request::HoldKey, Response::BoxKey(key) => key)
    }

    async fn hold_lock(&self, item: ItemId, envelope: &SealedHead) -> Result<HoldLock, EnclaveError> {
        expect!(self, Request::HoldLock(item, envelope.clone()), Response::HoldLock(lock) => lock)
    }

    async fn release_record(&self, item: ItemId, release: HoldRelease) -> Result<Restored, EnclaveError> {
        expect!(self, Request::Release(item, release), Response::Restored(restored) => restored)
    }

    async fn erase(&self, leaves: Vec<LeafRef>) -> Result<(), EnclaveError> {
        expect!(self, Request::Erase(leaves), Response::Done => ())
    }

    async fn punctures(&self) -> Result<u64, EnclaveError> {
        expect!(self, Request::Punctures, Response::Number(number) => number)
    }

    async fn root(&self) -> Result<RootStatus, EnclaveError> {
        expect!(self, Request::Root, Response::Root(status) => status)
    }

    async fn rotate_root(&self) -> Result<Rotation, EnclaveError> {
        match self.call_within(Request::RotateRoot, ROTATION_PATIENCE).await? {
            Response::Rotation(rotation) => Ok(rotation),
            _ => Err(EnclaveError::Unavailable("it answers something else than was asked".to_owned())),
        }
    }

    async fn ping(&self) -> Result<(), EnclaveError> {
        expect!(self, Request::Ping, Response::Done => ())
    }
}

#[cfg(test)]
mod tests;
