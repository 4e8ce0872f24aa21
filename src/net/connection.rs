//! One connection: hyper's HTTP/1.1 engine, and our judgement of when a caller takes too long.
//!
//! Threats: a caller that sends its head, or its body, one byte a minute, or never reads its answer (slow loris) would hold a place for
//! ever. So on TCP a head must be complete within a time that counts from its *first byte*, and bodies and answers must keep moving.
//! An idle connection is no such threat and is not closed: GoQuorum never retries a POST on a connection that we closed under it. Only
//! where the surface allows it, and only while every place is taken, a connection that has been idle for a while makes room.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

use super::activity::{Activity, Phase, Phased, Watched};
use super::{Caller, Limits, Shutdown};

/// Smallest read buffer that hyper accepts.
const MIN_BUFFER: usize = 8 * 1024;

/// How long a connection must have been idle before it may be asked to make room.
const LONG_IDLE: Duration = Duration::from_secs(1);

/// What a connection needs of its listener.
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) shutdown: Shutdown,
    pub(super) crowd: Crowd,
}

/// Callers without a place, and the idle connections that may make room.
#[derive(Default)]
pub(super) struct Crowd {
    wanted: AtomicBool,
    ask: Notify,
}

impl Crowd {
    /// Asks idle connections for one place.
    pub(super) fn ask(&self) {
        self.wanted.store(true, Ordering::Relaxed);
        self.ask.notify_waiters();
    }

    /// True for one of those who were asked.
    fn yields(&self) -> bool {
        self.wanted.swap(false, Ordering::Relaxed)
    }
}

/// Serves a connection until either side ends it.
pub(super) async fn drive<S>(stream: S, caller: Caller, context: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let router = context.router.clone();
    let seen = Arc::clone(&activity);
    let service = service_fn(move |request| answer(router.clone(), request, caller, Arc::clone(&seen)));
    let mut connection = pin!(engine(&context.limits).serve_connection(io, service));
    let mut watch = Watch::new(&activity, &context.limits);
    let mut stop = pin!(context.shutdown.stop.cancelled());
    let mut cut = pin!(context.shutdown.cut.cancelled());
    let mut asked = pin!(context.crowd.ask.notified());
    let mut idle = Idle::default();
    let mut closing = false;
    poll_fn(|cx| {
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            if let Err(error) = result {
                tracing::debug!(%error, "a connection ended early");
            }
            return Poll::Ready(());
        }
        if cut.as_mut().poll(cx).is_ready() || watch.poll_overdue(cx) {
            return Poll::Ready(());
        }
        let mut leave = stop.as_mut().poll(cx).is_ready();
        if context.limits.idle_yields && !leave {
            idle.look(&activity);
            while !leave && asked.as_mut().poll(cx).is_ready() {
                asked.set(context.crowd.ask.notified());
                leave = idle.is_long() && context.crowd.yields();
            }
        }
        if leave && !closing {
            closing = true;
            connection.as_mut().graceful_shutdown();
            return connection.as_mut().poll(cx).map(|_| ());
        }
        Poll::Pending
    })
    .await;
}

fn engine(limits: &Limits) -> http1::Builder {
    let mut engine = http1::Builder::new();
    engine
        .header_read_timeout(None) // would count from the end of the previous answer: see the module's text
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes.max(limits.head_bytes).max(MIN_BUFFER))
        .half_close(false);
    engine
}

async fn answer(
    mut router: Router,
    request: Request<Incoming>,
    caller: Caller,
    activity: Arc<Activity>,
) -> Result<Response<Phased<Body>>, Infallible> {
    activity.enter(if request.body().is_end_stream() { Phase::Working } else { Phase::Body });
    let mut request = request.map(|body| Body::new(Phased::request(body, &activity)));
    request.extensions_mut().insert(caller);
    let response = router.call(request).await?;
    activity.enter(Phase::Answering);
    Ok(response.map(|body| Phased::answer(body, &activity)))
}

/// Since when a connection has been idle. A young one may have its first request under way and is let alone.
#[derive(Default)]
struct Idle {
    since: Option<Instant>,
    moved: u64,
}

impl Idle {
    fn look(&mut self, activity: &Activity) {
        let moved = activity.moved();
        if activity.phase() != Phase::Idle {
            self.since = None;
        } else if self.since.is_none() || moved != self.moved {
            self.since = Some(Instant::now());
        }
        self.moved = moved;
    }

    fn is_long(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= LONG_IDLE)
    }
}

/// Finds out whether the caller takes too long.
struct Watch<'a> {
    activity: &'a Activity,
    head: Option<Duration>,
    stall: Option<Duration>,
    /// The phase and the bytes moved when the timer was set.
    armed: Option<(Phase, u64)>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a> Watch<'a> {
    fn new(activity: &'a Activity, limits: &Limits) -> Self {
        Self { activity, head: limits.head_time, stall: limits.stall_time, armed: None, timer: None }
    }

    /// True once the caller has been too slow. Arms the timer only when a request is held up by the caller, so a request that arrives in one piece costs none.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            let phase = self.activity.phase();
            let limit = match phase {
                Phase::Idle | Phase::Working => None,
                Phase::Head => self.head,
                Phase::Body | Phase::Answering => self.stall,
            };
            let Some(limit) = limit else {
                self.armed = None;
                return false;
            };
            if self.armed.is_none_or(|(armed, _)| armed != phase) {
                self.arm(phase, limit);
            }
            let Some(timer) = self.timer.as_mut() else { return false };
            if timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            let moved = self.armed.is_some_and(|(_, then)| then != self.activity.moved());
            if phase == Phase::Head || !moved {
                tracing::debug!(?phase, "a caller took too long; its connection is closed");
                return true;
            }
            self.arm(phase, limit);
        }
    }

    fn arm(&mut self, phase: Phase, limit: Duration) {
        self.armed = Some((phase, self.activity.moved()));
        let deadline = Instant::now() + limit;
        match self.timer.as_mut() {
            Some(timer) => timer.as_mut().reset(deadline),
            None => self.timer = Some(Box::pin(tokio::time::sleep_until(deadline))),
        }
    }
}
