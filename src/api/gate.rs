use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::Error;

/// Bounds how many requests are at work, and how many wait.
///
/// Threat: a flood makes memory grow until the process dies. A body is read only inside the gate.
pub(crate) struct Gate {
    places: Semaphore,
    waiting: AtomicUsize,
    queue: Option<usize>,
}

/// Counts one that waits, also when its connection is dropped meanwhile.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// `places` at work; `queue` may wait, or all.
    pub(crate) fn new(places: usize, queue: Option<usize>) -> Arc<Self> {
        let places = Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Arc::new(Self { places, waiting: AtomicUsize::new(0), queue })
    }

    async fn enter(&self) -> Result<SemaphorePermit<'_>, Error> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if self.queue.is_some_and(|queue| before >= queue) {
            return Err(Error::Overloaded);
        }
        self.places.acquire().await.map_err(|_| Error::Overloaded)
    }
}

/// The layer: a request passes when there is a place.
pub(crate) async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Result<Response, Error> {
    let _place = gate.enter().await?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_free_place_admits() {
        let gate = Gate::new(1, Some(1));
        let place = gate.enter().await.ok().unwrap();
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.is_ok() }
        });
        while gate.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.enter().await, Err(Error::Overloaded)));
        drop(place);
        assert!(waiting.await.unwrap());
        assert!(gate.enter().await.is_ok());
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn without_a_bound_all_wait() {
        let gate = Gate::new(1, None);
        let place = gate.enter().await.ok().unwrap();
        let all: Vec<_> = (0..50)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { gate.enter().await.is_ok() })
            })
            .collect();
        while gate.waiting.load(Ordering::Relaxed) < 50 {
            tokio::task::yield_now().await;
        }
        drop(place);
        for one in all {
            assert!(one.await.unwrap());
        }
    }
}
