//! Deliveries to one member: what waits goes together, and a few batches are under way at once.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::services::PeerError;
use crate::types::PeerUrl;
use crate::wire::native::{Answer, Item, MAX_ITEMS};

/// Bytes of one batch of [`MAX_ITEMS`] at most: a large one would hold up the small.
const MAX_BYTES: usize = 2 << 20;
/// Batches under way at once: the second is filled while the first is made durable at the other end.
const UNDER_WAY: usize = 2;
/// Deliveries that may wait; beyond it their senders wait.
const QUEUE: usize = 1_024;

type Outcome = Result<Answer, PeerError>;

/// How a batch is sent: the answers in its order.
pub(crate) type SendBatch = dyn Fn(Vec<Item>) -> BoxFuture<'static, Result<Vec<Answer>, PeerError>> + Send + Sync;

/// The queue of one member. Its task ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Outbox {
    jobs: mpsc::Sender<Job>,
    url: PeerUrl,
    places: Arc<Semaphore>,
    send: Arc<SendBatch>,
}

struct Job {
    item: Item,
    reply: oneshot::Sender<Outcome>,
}

impl Outbox {
    /// Begins a queue.
    pub(crate) fn new(url: PeerUrl, send: Arc<SendBatch>) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let places = Arc::new(Semaphore::new(UNDER_WAY));
        tokio::spawn(run(waiting, Arc::clone(&places), Arc::clone(&send)));
        Self { jobs, url, places, send }
    }

    /// Sends one delivery with whatever else waits.
    pub(crate) async fn deliver(&self, item: Item) -> Outcome {
        let offline = || PeerError::Offline(self.url.clone());
        // Nobody waits and there is a place: at once, without a way through the queue.
        if self.jobs.capacity() == QUEUE
            && let Ok(_place) = Arc::clone(&self.places).try_acquire_owned()
        {
            return (self.send)(vec![item]).await?.pop().ok_or_else(offline);
        }
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { item, reply }).await.map_err(|_| offline())?;
        answer.await.unwrap_or_else(|_| Err(offline()))
    }
}

async fn run(mut waiting: mpsc::Receiver<Job>, places: Arc<Semaphore>, send: Arc<SendBatch>) {
    while let Some(first) = waiting.recv().await {
        // While both places are taken, more arrives and joins.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let mut bytes = first.item.body.len();
        let mut jobs = vec![first];
        while jobs.len() < MAX_ITEMS && bytes < MAX_BYTES {
            let Ok(next) = waiting.try_recv() else { break };
            bytes += next.item.body.len();
            jobs.push(next);
        }
        let send = Arc::clone(&send);
        tokio::spawn(async move {
            let (items, replies): (Vec<_>, Vec<_>) = jobs.into_iter().map(|job| (job.item, job.reply)).unzip();
            answer(send(items).await, replies);
            drop(place);
        });
    }
}

/// A sender that gave up wants no answer.
fn answer(outcome: Result<Vec<Answer>, PeerError>, replies: Vec<oneshot::Sender<Outcome>>) {
    match outcome {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                let _ = reply.send(Ok(answer));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn what_waits_goes_together_in_its_order() {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        let send: Arc<SendBatch> = Arc::new(move |items: Vec<Item>| {
            seen.lock().expect("a lock").push(items.len());
            Box::pin(async move {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let echo = |item: Item| Answer::Taken { ack: item.body, withdraw: Vec::new().into() };
                Ok(items.into_iter().map(echo).collect())
            })
        });
        let outbox = Outbox::new("https://localhost:1".parse().expect("a URL"), send);
        let many = (0..100_u8).map(|number| {
            let outbox = outbox.clone();
            let item = Item { suite: 1, body: vec![number].into(), upload: None };
            tokio::spawn(async move { outbox.deliver(item).await })
        });
        for (number, answer) in many.collect::<Vec<_>>().into_iter().enumerate() {
            let Answer::Taken { ack, .. } = answer.await.expect("joined").expect("answered") else { panic!("taken") };
            assert_eq!(usize::from(ack[0]), number);
        }
        let sizes = sizes.lock().expect("a lock");
        assert!(sizes.len() < 20 && sizes.iter().all(|size| *size <= MAX_ITEMS), "{sizes:?}");
    }

    #[tokio::test]
    async fn a_failed_batch_fails_each_of_its_deliveries() {
        let url: PeerUrl = "https://localhost:1".parse().expect("a URL");
        let failed = PeerError::Offline(url.clone());
        let send: Arc<SendBatch> = Arc::new(move |_| {
            let failed = failed.clone();
            Box::pin(async move { Err(failed) })
        });
        let outbox = Outbox::new(url.clone(), send);
        let item = Item { suite: 0, body: vec![1].into(), upload: None };
        assert_eq!(outbox.deliver(item).await, Err(PeerError::Offline(url)));
    }
}
