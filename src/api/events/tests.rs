//! Over real sockets: a journal in memory, and a receiver that fails, hangs and restarts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use data_encoding::BASE64;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::webhook::{WebhookSettings, start};
use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::net::{Limits, Listener, serve};
use crate::types::PayloadId;

/// A journal in memory.
#[derive(Default)]
struct Memory {
    items: Mutex<Vec<EventItem>>,
    grown: Notify,
}

impl Memory {
    fn add(&self, kind: Option<EventKind>) {
        self.add_as(kind, [9; 32]);
    }

    fn add_as(&self, kind: Option<EventKind>, commitment: [u8; 32]) {
        let mut items = self.items.lock().unwrap();
        let index = items.len() as u64;
        let (record, salt) = (format!("{{\"n\":{index}}}"), [7; 32]);
        let about = Some(ItemId::Payload(PayloadId::new([1; 64])));
        items.push(EventItem { index, time_ms: 1000, kind, about, content: Some((record, salt)), commitment });
        self.grown.notify_waiters();
    }
}

#[async_trait]
impl Events for Memory {
    async fn since(&self, cursor: u64, limit: usize) -> Result<Vec<EventItem>, services::Error> {
        let items = self.items.lock().unwrap();
        Ok(items.iter().skip(usize::try_from(cursor).unwrap()).take(limit).cloned().collect())
    }

    async fn end(&self) -> Result<u64, services::Error> {
        Ok(self.items.lock().unwrap().len() as u64)
    }

    async fn wait(&self, cursor: u64) {
        loop {
            let grown = self.grown.notified();
            if self.items.lock().unwrap().len() as u64 > cursor {
                return;
            }
            grown.await;
        }
    }
}

struct Key(SigningKey);

#[async_trait]
impl Sign for Key {
    fn key(&self) -> VerifyKey {
        self.0.verify_key()
    }

    async fn sign(&self, message: &[u8]) -> Result<Signature, services::Error> {
        Ok(self.0.sign(message))
    }
}

fn key() -> Arc<Key> {
    Arc::new(Key(SigningKey::from_seed(&Secret::random())))
}

/// Checks a signature; the payload.
fn verified(key: &Key, id: &str, timestamp: &str, signature: &str, payload: &str) -> Value {
    let signature = BASE64.decode(signature.strip_prefix("v1a,").unwrap().as_bytes()).unwrap();
    key.key().verify(format!("{id}.{timestamp}.{payload}").as_bytes(), &signature).unwrap();
    serde_json::from_str(payload).unwrap()
}

/// Serves the stream on loopback, as the application surface does.
async fn streaming(journal: &Arc<Memory>, key: &Arc<Key>, shutdown: &Shutdown) -> SocketAddr {
    let feed = Feed::new(Arc::clone(journal) as _, Arc::clone(key) as _, shutdown.clone());
    let handler = |State(feed): State<Arc<Feed>>, request: Request| async move {
        feed.open(request.uri(), request.headers().get("last-event-id")).await.map_err(IntoResponse::into_response)
    };
    let router = Router::new().route("/events", get(handler)).with_state(feed);
    let place = crate::net::Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: free().await.port() };
    let listener = Listener::bind(&place, None).await.unwrap();
    let crate::net::Endpoint::Tcp { port, .. } = place else { unreachable!() };
    serve(listener, router, Limits::open(), shutdown);
    SocketAddr::from(([127, 0, 0, 1], port))
}

async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A reader of a stream: gives the fields of each block that has data, and the last `id` seen.
struct Reading {
    lines: tokio::io::Lines<BufReader<TcpStream>>,
    last: Option<u64>,
}

impl Reading {
    async fn begin(at: SocketAddr, request: &str) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(format!("GET {request}\r\nHost: h\r\n\r\n").as_bytes()).await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "HTTP/1.1 200 OK");
        Self { lines, last: None }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<BTreeMap<String, String>> {
        let mut block = BTreeMap::new();
        while let Ok(Some(line)) = self.lines.next_line().await {
            if line.is_empty() && block.contains_key("data") {
                return Some(block);
            }
            if let Some((name, value)) = line.split_once(": ").filter(|(name, _)| ["id", "event", "data"].contains(name)) {
                block.insert(name.to_owned(), value.to_owned());
                if name == "id" {
                    self.last = value.parse().ok();
                }
            }
        }
        None
    }
}

#[tokio::test]
async fn a_stream_tells_what_is_for_applications_signed_and_goes_on_where_it_was() {
    let (journal, key, shutdown) = (Arc::new(Memory::default()), key(), Shutdown::new());
    for kind in [Some(EventKind::Stored), None, Some(EventKind::Erased), None, None] {
        journal.add(kind);
    }
    let at = streaming(&journal, &key, &shutdown).await;
    let mut first = Reading::begin(at, "/events HTTP/1.1").await;
    for (index, kind) in [("0", "stored"), ("2", "erased")] {
        let event = first.next().await.unwrap();
        assert_eq!((event["id"].as_str(), event["event"].as_str()), (index, kind));
        let data: Value = serde_json::from_str(&event["data"]).unwrap();
        let text = |name: &str| data[name].as_str().unwrap();
        let payload = verified(&key, text("id"), &data["timestamp"].to_string(), text("signature"), text("payload"));
        assert_eq!((&payload["type"], &payload["data"]["record"]["n"].to_string()), (&Value::from(kind), &index.to_owned()));
        let record = BASE64.decode(payload["proof"]["record"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(record, format!("{{\"n\":{index}}}").as_bytes());
        assert!(text("id").ends_with(&format!("_{index}")));
    }
    journal.add(Some(EventKind::Received));
    assert_eq!(first.next().await.unwrap()["id"], "5", "what happens now comes by itself");
    for request in ["/events?after=0 HTTP/1.1", "/events?after=4 HTTP/1.1\r\nLast-Event-ID: 1"] {
        assert_eq!(Reading::begin(at, request).await.next().await.unwrap()["id"], "2", "{request}");
    }
    shutdown.begin();
    assert!(first.next().await.is_none(), "the stream ends with the node");
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await.cut, 0);
}

#[tokio::test]
async fn streams_are_bounded_in_number_and_give_their_place_back() {
    let (journal, key, shutdown) = (Arc::new(Memory::default()), key(), Shutdown::new());
    let feed = Feed::new(Arc::clone(&journal) as _, key as _, shutdown);
    let uri = "/events".parse().unwrap();
    let mut open = Vec::new();
    for _ in 0..MOST_STREAMS {
        open.push(feed.open(&uri, None).await.ok().unwrap());
    }
    assert!(feed.open(&uri, None).await.is_err());
    open.pop();
    assert!(feed.open(&uri, None).await.is_ok());
    assert!(feed.open(&"/events?after=0".parse().unwrap(), None).await.is_err(), "the journal is empty");
}

/// What a receiver does with the next calls.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Fails,
    Hangs,
    Redirects,
}

struct Receiver {
    mood: Mutex<Mood>,
    taken: Mutex<Vec<(String, Value)>>,
    refused: Mutex<usize>,
    key: Arc<Key>,
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
    let mood = *receiver.mood.lock().unwrap();
    if mood != Mood::Takes {
        *receiver.refused.lock().unwrap() += 1;
    }
    match mood {
        Mood::Takes => {
            let text = |name: &str| headers[name].to_str().unwrap();
            let body = std::str::from_utf8(&body).unwrap();
            let id = text("webhook-id");
            let payload = verified(&receiver.key, id, text("webhook-timestamp"), text("webhook-signature"), body);
            receiver.taken.lock().unwrap().push((id.to_owned(), payload));
            StatusCode::NO_CONTENT.into_response()
        }
        Mood::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Hangs => std::future::pending().await,
        Mood::Redirects => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
    }
}

impl Receiver {
    fn new(key: &Arc<Key>) -> Arc<Self> {
        let (mood, taken, refused) = (Mutex::new(Mood::Takes), Mutex::default(), Mutex::default());
        Arc::new(Self { mood, taken, refused, key: Arc::clone(key) })
    }

    /// Listens until the task is ended.
    fn listen(self: &Arc<Self>, at: SocketAddr) -> tokio::task::JoinHandle<()> {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(at).unwrap();
        let listener = socket.listen(16).unwrap();
        let router = Router::new().route("/hook", post(receive)).route("/elsewhere", post(|| async {}));
        let router = router.with_state(Arc::clone(self));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
    }

    fn indexes(&self) -> Vec<u64> {
        self.taken.lock().unwrap().iter().map(|(_, payload)| payload["data"]["index"].as_u64().unwrap()).collect()
    }

    fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Until something is so; a hanging test is ended by this.
    async fn until(&self, what: impl Fn(&Self) -> bool) {
        let wait = async {
            while !what(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait).await.expect("it never is so");
    }
}

fn settings(at: SocketAddr, kinds: &[EventKind]) -> WebhookSettings {
    let url = format!("http://{at}/hook").parse().unwrap();
    WebhookSettings { url, kinds: kinds.to_vec(), tls: None, first_pause: Duration::from_millis(5) }
}

#[tokio::test]
async fn a_webhook_delivers_in_order_through_failures_and_restarts() {
    let (journal, key, folder) = (Arc::new(Memory::default()), key(), tempfile::tempdir().unwrap());
    journal.add(Some(EventKind::Stored)); // before it was configured
    let (receiver, at) = (Receiver::new(&key), free().await);
    let mut listening = receiver.listen(at);
    let (mut node, hook) = (Shutdown::new(), settings(at, &[]));
    let begin = |node: &Shutdown| {
        let node = node.clone();
        let (hook, folder, journal, key) = (hook.clone(), folder.path().to_owned(), Arc::clone(&journal), Arc::clone(&key));
        async move { start(hook, &folder, journal as _, key as _, &node).await.unwrap() }
    };
    begin(&node).await;
    for kind in [Some(EventKind::Stored), None, Some(EventKind::Received)] {
        journal.add(kind);
    }
    receiver.until(|receiver| receiver.indexes() == [1, 3]).await;

    // It fails, then redirects: both are failures, and nothing is lost or overtaken.
    for mood in [Mood::Fails, Mood::Redirects] {
        receiver.be(mood);
        let before = *receiver.refused.lock().unwrap();
        journal.add(Some(EventKind::Erased));
        journal.add(Some(EventKind::Stored));
        receiver.until(|receiver| *receiver.refused.lock().unwrap() >= before + 3).await;
        receiver.be(Mood::Takes);
        let end = journal.end().await.unwrap();
        receiver.until(|receiver| receiver.indexes().last() == Some(&(end - 1))).await;
    }
    assert_eq!(receiver.indexes(), [1, 3, 4, 5, 6, 7]);

    // The receiver goes away and comes back.
    listening.abort();
    let _ = listening.await;
    journal.add(Some(EventKind::Stored));
    tokio::time::sleep(Duration::from_millis(50)).await;
    listening = receiver.listen(at);
    receiver.until(|receiver| receiver.indexes().last() == Some(&8)).await;

    // Our side stops while the receiver hangs, and goes on after a restart with what was not taken.
    receiver.be(Mood::Hangs);
    let before = *receiver.refused.lock().unwrap();
    journal.add(Some(EventKind::Viewed));
    receiver.until(|receiver| *receiver.refused.lock().unwrap() > before).await;
    assert_eq!(node.finish(Duration::from_secs(5)).await.cut, 0);
    journal.add(Some(EventKind::Granted));
    receiver.be(Mood::Takes);
    node = Shutdown::new();
    begin(&node).await;
    receiver.until(|receiver| receiver.indexes().last() == Some(&10)).await;
    assert_eq!(receiver.indexes(), [1, 3, 4, 5, 6, 7, 8, 9, 10]);
    node.finish(Duration::from_secs(5)).await;

    // The journal is put back to an older state: what happens after that is told, under ids of its own.
    journal.items.lock().unwrap().truncate(3);
    node = Shutdown::new();
    begin(&node).await;
    journal.add_as(Some(EventKind::Erased), [8; 32]);
    receiver.until(|receiver| receiver.indexes().last() == Some(&3)).await;
    let taken = receiver.taken.lock().unwrap().clone();
    assert_ne!(taken[1].0, taken.last().unwrap().0, "two entries of one index");
    node.finish(Duration::from_secs(5)).await;
    listening.abort();
}

#[tokio::test]
async fn a_webhook_gets_the_kinds_that_it_asked_for() {
    let (journal, key, folder) = (Arc::new(Memory::default()), key(), tempfile::tempdir().unwrap());
    let (receiver, at, node) = (Receiver::new(&key), free().await, Shutdown::new());
    let listening = receiver.listen(at);
    let hook = settings(at, &[EventKind::Erased]);
    start(hook, folder.path(), Arc::clone(&journal) as _, Arc::clone(&key) as _, &node).await.unwrap();
    for n in 0..200 {
        journal.add(Some(if n % 50 == 7 { EventKind::Erased } else { EventKind::Stored }));
    }
    receiver.until(|receiver| receiver.indexes().len() == 4).await;
    assert_eq!(receiver.indexes(), [7, 57, 107, 157]);
    node.finish(Duration::from_secs(5)).await;
    listening.abort();
}
