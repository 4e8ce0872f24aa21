//! The enclave's end of the socket: any [`Enclave`] served to the processes of the same user.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zeroize::Zeroizing;

use super::proto::{self, MAX_FRAME, Plain, Request, Response};
use super::socket::{Socket, same_user};
use super::{Enclave, EnclaveError};

/// Requests being worked on, in KiB of their frames: two of the longest. Beyond it the socket is not read, which slows the node down.
const BUDGET_KIB: usize = 2 * MAX_FRAME / 1024;
/// What a request costs at least, in KiB, so that small ones are bounded too (16,384 at once).
const LEAST_KIB: u32 = 16;
/// Answers waiting for the socket.
const ANSWERS: usize = 256;

/// How long the last answers may take once no more is taken.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// A served enclave.
pub struct Server {
    socket: Socket,
    enclave: Arc<dyn Enclave>,
    budget: Arc<Semaphore>,
}

impl Server {
    /// Listens on a socket of mode 0600; a file is replaced only if it is a socket on which nobody answers.
    pub fn bind(path: &Path, enclave: Arc<dyn Enclave>) -> io::Result<Self> {
        let socket = Socket::bind(path)?;
        Ok(Self { socket, enclave, budget: Arc::new(Semaphore::new(BUDGET_KIB)) })
    }

    /// Serves until `stop`; then takes nothing more, answers what it took, and removes the socket file.
    pub async fn serve(self, stop: CancellationToken) {
        let connections = TaskTracker::new();
        while let Some(accepted) = stop.run_until_cancelled(self.socket.listener.accept()).await {
            match accepted.and_then(|(stream, _)| same_user(&stream).map(|()| stream)) {
                Ok(stream) => {
                    let connection = Connection { enclave: Arc::clone(&self.enclave), budget: Arc::clone(&self.budget) };
                    connections.spawn(connection.serve(stream, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!("a connection to the enclave was refused: {error}");
                    // Out of file descriptors, say: not a reason to spin.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        connections.close();
        if tokio::time::timeout(LAST_ANSWERS, connections.wait()).await.is_err() {
            tracing::warn!("the node does not take its last answers: connection closed");
        }
    }
}

struct Connection {
    enclave: Arc<dyn Enclave>,
    budget: Arc<Semaphore>,
}

impl Connection {
    async fn serve(self, stream: UnixStream, stop: CancellationToken) {
        let (mut reader, writer) = stream.into_split();
        let (answers, queue) = mpsc::channel(ANSWERS);
        let writing = tokio::spawn(write(writer, queue));
        loop {
            let body = match stop.run_until_cancelled(proto::read(&mut reader)).await {
                None | Some(Ok(None)) => break,
                Some(Ok(Some(body))) => body,
                Some(Err(error)) => {
                    tracing::warn!("the node's connection broke: {error}");
                    break;
                }
            };
            let size = u32::try_from(body.len() / 1024).unwrap_or(u32::MAX);
            let Ok(permit) = Arc::clone(&self.budget).acquire_many_owned(size.max(LEAST_KIB)).await else { break };
            let Ok((number, request)) = proto::decode::<Request>(&body) else {
                tracing::warn!("the node sent what is no request: connection closed");
                break;
            };
            let (enclave, answers) = (Arc::clone(&self.enclave), answers.clone());
            tokio::spawn(async move {
                let response = Response::from(answer(&*enclave, request).await);
                let _ = answers.send((frame(number, &response), permit)).await;
            });
        }
        drop(answers);
        let _ = writing.await;
    }
}

fn frame(number: u64, response: &Response) -> Zeroizing<Vec<u8>> {
    let too_long = || {
        let failed = Response::Failed(EnclaveError::Unavailable("its answer is longer than a frame".to_owned()));
        proto::encode(number, &failed).expect("a short text fits")
    };
    proto::encode(number, response).unwrap_or_else(too_long)
}

/// An answer, and its request's part of the budget until it is written.
type Answer = (Zeroizing<Vec<u8>>, OwnedSemaphorePermit);

/// Writes answers until every sender is gone. After a failure it goes on taking them, so that nobody waits for it.
async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Answer>) {
    let mut broken = false;
    while let Some((frame, _permit)) = queue.recv().await {
        broken = broken || writer.write_all(&frame).await.is_err();
    }
}

async fn answer(enclave: &dyn Enclave, request: Request) -> Result<Response, EnclaveError> {
    Ok(match request {
        Request::Hello(_) => Response::Hello(proto::VERSION, enclave.addresses().to_vec()),
        Request::Seal(draft) => Response::Sealed(enclave.seal(draft).await?),
        Request::SealRaw(Plain(plaintext), sender) => Response::SealedRaw(enclave.seal_raw(plaintext, sender).await?),
        Request::SealStored(draft) => Response::Sealed(enclave.seal_stored(draft).await?),
        Request::Open(id, head, nonce, ciphertext) => Response::Opened(enclave.open(id, &head, nonce, ciphertext).await?),
        Request::Meta(id, head) => Response::Meta(enclave.meta(id, &head).await?),
        Request::Verify(id, head, nonce, ciphertext) => Response::Meta(enclave.verify(id, &head, nonce, ciphertext).await?),
        Request::Ingest(id, payload, escrow) => Response::Ingest(enclave.ingest(id, &payload, escrow).await?),
        Request::OpenPayload(payload) => Response::Plaintext(enclave.open_payload(&payload).await?.map(Plain)),
        Request::Rewrite(id, head, meta) => Response::Head(enclave.rewrite(id, &head, meta).await?),
        Request::SameKey(id, a, b) => Response::Truth(enclave.same_key(id, &a, &b).await?),
        Request::Boxes(id, head, targets) => Response::Boxes(enclave.boxes(id, &head, &targets).await?),
        Request::SecurityHashes(ciphertext, affected) => {
            Response::SecurityHashes(enclave.security_hashes(ciphertext, affected).await?)
        }
        Request::Erase(leaves) => {
            enclave.erase(leaves).await?;
            Response::Done
        }
        Request::Punctures => Response::Number(enclave.punctures().await?),
        Request::Root => Response::Root(enclave.root().await?),
        Request::RotateRoot => Response::Rotation(enclave.rotate_root().await?),
        Request::Ping => {
            enclave.ping().await?;
            Response::Done
        }
        native => answer_native(enclave, native).await?,
    })
}

/// The calls of a node under a directory.
async fn answer_native(enclave: &dyn Enclave, request: Request) -> Result<Response, EnclaveError> {
    Ok(match request {
        Request::Sign(message) => Response::Signed(enclave.sign(message.to_vec()).await?),
        Request::EpochKey => Response::EpochKey(enclave.epoch_key().await?),
        Request::SealNative(draft) => Response::SealedNative(enclave.seal_native(draft).await?),
        Request::ReboxNative(id, head, nonce, ciphertext, target) => {
            Response::Delivery(enclave.rebox_native(id, &head, nonce, ciphertext, target).await?)
        }
        Request::IngestNative(delivery, sender_key, escrows) => {
            Response::NativeIngest(enclave.ingest_native(&delivery, sender_key, &escrows).await?)
        }
        Request::Escrow(id, head) => Response::Escrowed(enclave.escrow(id, &head).await?),
        Request::ReleaseEscrow(id, head, nonce, to, info) => {
            Response::Beside(enclave.release_escrow(id, &head, nonce, to, info).await?)
        }
        Request::CopyNative(id, head, nonce, ciphertext, target) => {
            Response::Delivery(enclave.copy_native(id, &head, nonce, ciphertext, target).await?)
        }
        Request::IngestCopy(delivery, sender_key, escrows) => {
            Response::NativeIngest(enclave.ingest_copy(&delivery, sender_key, &escrows).await?)
        }
        Request::SealBeside(head, label, Plain(mut text)) => {
            Response::Beside(enclave.seal_beside(&head, &label, std::mem::take(&mut *text)).await?)
        }
        Request::OpenBeside(head, label, sealed) => {
            Response::Plaintext(Some(Plain(enclave.open_beside(&head, &label, sealed).await?)))
        }
        Request::IndexKey(of) => Response::Head(enclave.index_key(of).await?),
        Request::IndexTokens(of, key, words) => {
            let words = words.into_iter().map(|Plain(word)| word).collect();
            Response::Tokens(enclave.index_tokens(of, &key, words).await?)
        }
        Request::VerifyKey => Response::VerifyKey(enclave.verify_key()),
        Request::Block(item, head, beside, committee, label) => {
            Response::Head(enclave.block_record(item, &head, beside, committee, label).await?)
        }
        Request::HoldKey => Response::BoxKey(enclave.hold_key().await?),
        Request::HoldLock(item, envelope) => Response::HoldLock(enclave.hold_lock(item, &envelope).await?),
        Request::Release(item, release) => Response::Restored(enclave.release_record(item, release).await?),
        document => answer_document(enclave, document).await?,
    })
}

/// The calls about documents.
async fn answer_document(enclave: &dyn Enclave, request: Request) -> Result<Response, EnclaveError> {
    Ok(match request {
        Request::BeginDocument(id) => Response::Head(enclave.begin_document(id).await?),
        Request::SealManifest(id, head, draft) => Response::SealedNative(enclave.seal_manifest(id, &head, draft).await?),
        Request::AdoptDocument(manifest, head, id) => Response::Head(enclave.adopt_document(manifest, &head, id).await?),
        Request::SameDocument(id, a, b) => Response::Truth(enclave.same_document(id, &a, &b).await?),
        Request::DocumentEscrow(id, head) => Response::Escrowed(enclave.document_escrow(id, &head).await?),
        Request::ReleaseDocument(id, head, to, info) => Response::Beside(enclave.release_document(id, &head, to, info).await?),
        Request::SealChunk(id, head, place, Plain(chunk)) => Response::Beside(enclave.seal_chunk(id, &head, place, chunk).await?),
        Request::OpenChunk(id, head, place, sealed) => {
            Response::Plaintext(Some(Plain(enclave.open_chunk(id, &head, place, sealed).await?)))
        }
        Request::ReturnKey => Response::ReturnKey(enclave.return_key().await?),
        Request::TakeBack(returned) => Response::Kept(enclave.take_back(*returned).await?),
        Request::CheckChunk(id, head, place, sealed) => {
            enclave.check_chunk(id, &head, place, sealed).await?;
            Response::Done
        }
        _ => return Err(EnclaveError::Unavailable("it does not know that call".to_owned())),
    })
}
