use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::Known;
use crate::enclave::EnclaveError;
use crate::enclave::proto::{self, Request, Response, VERSION};
use crate::enclave::socket::same_user;

/// Longest that connecting and the first answer may take.
const HELLO: Duration = Duration::from_secs(2);
/// Calls waiting to be written.
const CALLS: usize = 256;

/// One connection. Many calls are in flight on it at once, told apart by their numbers.
pub(super) struct Link {
    calls: mpsc::Sender<Zeroizing<Vec<u8>>>,
    waiting: Arc<Waiting>,
    next: AtomicU64,
    tasks: [JoinHandle<()>; 2],
}

/// Who waits for which answer. `None` once the connection broke: then nobody may wait any more.
struct Waiting(Mutex<Option<HashMap<u64, oneshot::Sender<Response>>>>);

impl Link {
    /// Connects, and learns the enclave's public keys. The error says why not.
    pub(super) async fn open(path: &Path) -> Result<(Self, Known), String> {
        let hello = tokio::time::timeout(HELLO, Self::hello(path)).await;
        hello.unwrap_or_else(|_| Err("it does not answer".to_owned())).map_err(|why| format!("{}: {why}", path.display()))
    }

    async fn hello(path: &Path) -> Result<(Self, Known), String> {
        let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
        same_user(&stream).map_err(|error| error.to_string())?;
        let link = Self::over(stream);
        let hello = link.call(&Request::Hello(VERSION)).await.map_err(|error| error.to_string())?;
        match hello {
            Response::Hello(VERSION, addresses) if !addresses.is_empty() => {
                let key = link.call(&Request::VerifyKey).await.map_err(|error| error.to_string())?;
                let Response::VerifyKey(verify_key) = key else { return Err("it is no enclave".to_owned()) };
                Ok((link, Known { addresses: addresses.into(), verify_key }))
            }
            Response::Hello(VERSION, _) => Err("it has no keys".to_owned()),
            Response::Hello(..) => Err("it is of another version: install node and enclave together".to_owned()),
            _ => Err("it is no enclave".to_owned()),
        }
    }

    fn over(stream: UnixStream) -> Self {
        let (reader, writer) = stream.into_split();
        let (calls, queue) = mpsc::channel(CALLS);
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let reading = tokio::spawn(read(reader, Arc::clone(&waiting)));
        let writing = tokio::spawn(write(writer, queue, Arc::clone(&waiting)));
        Self { calls, waiting, next: AtomicU64::new(0), tasks: [reading, writing] }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.waiting.lock().is_some()
    }

    /// Asks, and waits for the answer of this call.
    pub(super) async fn call(&self, request: &Request) -> Result<Response, EnclaveError> {
        let gone = || EnclaveError::Unavailable("the connection broke".to_owned());
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let too_long = || EnclaveError::Unavailable("the payload is longer than a call to the enclave may be".to_owned());
        let frame = proto::encode(number, request).ok_or_else(too_long)?;
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().as_mut().ok_or_else(gone)?.insert(number, answer);
        // A caller that goes away takes its entry with it.
        let _entry = Entry { waiting: &self.waiting, number };
        self.calls.send(frame).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

struct Entry<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.lock().as_mut() {
            waiting.remove(&self.number);
        }
    }
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<u64, oneshot::Sender<Response>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everybody who waits learns that the connection broke.
    fn close(&self) {
        self.lock().take();
    }
}

async fn read(mut reader: OwnedReadHalf, waiting: Arc<Waiting>) {
    while let Ok(Some(body)) = proto::read(&mut reader).await {
        let Ok((number, response)) = proto::decode::<Response>(&body) else { break };
        let answer = waiting.lock().as_mut().and_then(|waiting| waiting.remove(&number));
        if let Some(answer) = answer {
            let _ = answer.send(response);
        }
    }
    waiting.close();
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Zeroizing<Vec<u8>>>, waiting: Arc<Waiting>) {
    while let Some(frame) = queue.recv().await {
        if writer.write_all(&frame).await.is_err() {
            break;
        }
    }
    waiting.close();
}
