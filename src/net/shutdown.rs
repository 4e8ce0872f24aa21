use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How all listeners stop together: first no new work, then what is in flight finishes, then the rest is cut.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    pub(super) stop: CancellationToken,
    pub(super) cut: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// How a shutdown went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// Connections that were cut with work in flight when the grace period was over.
    pub cut: usize,
}

impl Shutdown {
    /// A switch that nobody has thrown yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops accepting and closes idle connections; returns at once.
    pub fn begin(&self) {
        self.stop.cancel();
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Resolves when it begins.
    pub async fn begun(&self) {
        self.stop.cancelled().await;
    }

    /// Runs something in the background until the shutdown begins.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled(task).await });
    }

    /// Begins if need be, waits until requests in flight are answered, at most `grace`, and cuts what is left.
    pub async fn finish(&self, grace: Duration) -> Outcome {
        self.begin();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_ok() {
            return Outcome { cut: 0 };
        }
        let cut = self.tasks.len();
        self.cut.cancel();
        self.tasks.wait().await;
        Outcome { cut }
    }
}
