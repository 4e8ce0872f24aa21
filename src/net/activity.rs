//! What a connection is doing, seen from its bytes and bodies. Costs two relaxed atomics a read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The phase of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Between requests: may last for ever.
    Idle = 0,
    /// A request has begun and its head is not complete.
    Head = 1,
    /// The head is here; the body is arriving.
    Body = 2,
    /// We work on it: the caller waits for us.
    Working = 3,
    /// The answer is being written.
    Answering = 4,
}

/// Shared between the connection's driver, its stream and its bodies.
#[derive(Debug, Default)]
pub(super) struct Activity {
    phase: AtomicU8,
    moved: AtomicU64,
}

impl Activity {
    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Body,
            3 => Phase::Working,
            _ => Phase::Answering,
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Bytes read and written so far: whoever stalls does not raise it.
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    fn change(&self, from: Phase, to: Phase) {
        let _ = self.phase.compare_exchange(from as u8, to as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A stream that reports to an [`Activity`].
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        if read > 0 {
            this.activity.add(read);
            this.activity.change(Phase::Idle, Phase::Head);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, bytes);
        count(&this.activity, &polled);
        polled
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        count(&this.activity, &polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

fn count(activity: &Activity, polled: &Poll<io::Result<usize>>) {
    if let Poll::Ready(Ok(written)) = polled {
        activity.add(*written);
    }
}

/// A body whose end moves the connection to its next phase.
pub(super) struct Phased<B> {
    body: B,
    activity: Arc<Activity>,
    while_here: Phase,
    then: Phase,
}

impl<B> Phased<B> {
    /// A request's body: once it is read or given up, we are working.
    pub(super) fn request(body: B, activity: &Arc<Activity>) -> Self {
        Self { body, activity: Arc::clone(activity), while_here: Phase::Body, then: Phase::Working }
    }

    /// An answer's body: once it is handed over, the connection is idle.
    pub(super) fn answer(body: B, activity: &Arc<Activity>) -> Self {
        Self { body, activity: Arc::clone(activity), while_here: Phase::Answering, then: Phase::Idle }
    }
}

impl<B: Body + Unpin> Body for Phased<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || this.body.is_end_stream() && polled.is_ready() {
            this.activity.change(this.while_here, this.then);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Phased<B> {
    fn drop(&mut self) {
        self.activity.change(self.while_here, self.then);
    }
}
