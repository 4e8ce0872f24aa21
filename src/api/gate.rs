use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::Error;
use crate::net::native::NativeCaller;
use crate::types::MemberId;

/// How long the first byte of a member's body may be on its way.
const BEGIN: Duration = Duration::from_secs(5);

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

/// A gate through which members come, none of them in more than its share of the places.
///
/// Threat: one member takes every place, with requests that hardly move, and nobody else is served. It gets a part of the places and of the
/// waiting room, and what has sent nothing of its body takes no place at all.
pub(crate) struct SharedGate {
    all: Arc<Gate>,
    share: usize,
    queue: usize,
    /// One for each member that calls now.
    members: Mutex<HashMap<MemberId, Arc<Gate>>>,
}

impl SharedGate {
    /// `places` at work, `share` of them for one member, of whose requests `queue` wait.
    pub(crate) fn new(places: usize, share: usize, queue: usize) -> Arc<Self> {
        Arc::new(Self { all: Gate::new(places, None), share, queue, members: Mutex::default() })
    }

    fn of(&self, member: &MemberId) -> Arc<Gate> {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody is in are made anew.
        members.retain(|other, gate| other == member || Arc::strong_count(gate) > 1);
        Arc::clone(members.entry(member.clone()).or_insert_with(|| Gate::new(self.share, Some(self.queue))))
    }
}

/// The layer of the native surface: a member's request passes when its body has begun to arrive and there is a place for it.
pub(crate) async fn pass_member(State(gate): State<Arc<SharedGate>>, request: Request, next: Next) -> Result<Response, Error> {
    let NativeCaller(member) = request.extensions().get::<NativeCaller>().cloned().ok_or(Error::Path)?;
    let own = gate.of(&member);
    let request = begun(request).await?;
    let _of_member = own.enter().await?;
    let _place = gate.all.enter().await?;
    Ok(next.run(request).await)
}

/// The request once the first of its body is here.
async fn begun(request: Request) -> Result<Request, Error> {
    let (head, mut body) = request.into_parts();
    match tokio::time::timeout(BEGIN, body.frame()).await {
        Ok(Some(Ok(first))) => {
            let rest = BodyStream::new(body);
            Ok(Request::from_parts(head, Body::new(StreamBody::new(stream::iter([Ok(first)]).chain(rest)))))
        }
        Ok(None) => Ok(Request::from_parts(head, Body::empty())),
        Ok(Some(Err(_))) | Err(_) => Err(Error::BodyBroken),
    }
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

    /// One member with requests that stand still: its share is taken, the rest of them are refused, and others are served.
    #[tokio::test]
    async fn a_member_takes_its_share_of_the_places_and_no_more() {
        let gate = SharedGate::new(4, 2, 3);
        let router = axum::Router::new()
            .route("/", axum::routing::post(|request: Request| async { super::super::body::read(request.into_body(), 9).await }))
            .route_layer(axum::middleware::from_fn_with_state(Arc::clone(&gate), pass_member));
        let ask = |member: &str, body: Body| {
            let mut request = Request::post("/").body(body).unwrap();
            request.extensions_mut().insert(NativeCaller(member.parse().unwrap()));
            tower::Service::call(&mut router.clone(), request)
        };
        let begun = || Body::from_stream(stream::iter([Ok::<_, Error>("x")]).chain(stream::pending()));
        let standing: Vec<_> = (0..2 + 3).map(|_| tokio::spawn(ask("a", begun()))).collect();
        // Those that send nothing take no place and no room.
        let silent: Vec<_> =
            (0..50).map(|_| tokio::spawn(ask("b", Body::from_stream(stream::pending::<Result<&str, Error>>())))).collect();
        let own = gate.of(&"a".parse().unwrap());
        while own.waiting.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.all.places.available_permits(), 2);
        assert_eq!(ask("a", begun()).await.unwrap().status(), 503);
        assert_eq!(ask("b", Body::from("y")).await.unwrap().status(), 200);
        assert_eq!(ask("c", Body::empty()).await.unwrap().status(), 200);
        standing.iter().chain(&silent).for_each(tokio::task::JoinHandle::abort);
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
