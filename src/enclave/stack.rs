//! Dead parts of stacks are overwritten.
//!
//! Threat: what functions kept in their frames (nonces, pieces of sealed heads, inputs of ciphers) stays below the stack's end until other
//! calls happen to go as deep. Keys are wiped where they are used; this is for all the rest, after a purge.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

/// How deep our calls go, with room: an eighth of a thread's stack.
const DEPTH: usize = 256 * 1024;
/// How long workers may take to come to a rest.
const ROUNDS: usize = 60;
const ROUND: Duration = Duration::from_millis(5);

/// Number of the sweep that is wanted.
static WANTED: AtomicU64 = AtomicU64::new(0);
/// Threads that have done it.
static DONE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Overwrites what lies below the caller's frame.
#[inline(never)]
#[allow(clippy::large_stack_arrays, reason = "the stack is what is meant")]
pub fn sweep() {
    let mut area = [0_u8; DEPTH];
    black_box(&mut area);
}

/// Does some work, and overwrites what it left below the caller's frame.
pub fn swept<T>(work: impl FnOnce() -> T) -> T {
    let outcome = apart(work);
    sweep();
    outcome
}

/// In a frame of its own: inlined, what it leaves would lie above what is swept.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// For threads of a runtime, before they rest: sweeps once for each [`sweep_workers`].
pub fn sweep_if_wanted() {
    let wanted = WANTED.load(Ordering::Acquire);
    if LAST.replace(wanted) != wanted {
        sweep();
        DONE.fetch_add(1, Ordering::AcqRel);
    }
}

/// Has every worker of this runtime sweep its stack, if [`sweep_if_wanted`] is what they do before they rest; at most for a third of a second.
/// Another call meanwhile counts for both. Waking the sleeping ones costs a few milliseconds.
pub async fn sweep_workers() {
    let workers = Handle::current().metrics().num_workers();
    DONE.store(0, Ordering::Release);
    WANTED.fetch_add(1, Ordering::AcqRel);
    for _ in 0..ROUNDS {
        if DONE.load(Ordering::Acquire) >= workers {
            return;
        }
        // Work for everybody: one that holds its worker for a moment makes others wake.
        for _ in 0..2 * workers {
            tokio::spawn(async { std::thread::sleep(Duration::from_micros(200)) });
        }
        tokio::time::sleep(ROUND).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_sweeps_once() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(3)
            .enable_time()
            .on_thread_park(sweep_if_wanted)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            sweep_workers().await;
            assert!(DONE.load(Ordering::Acquire) >= 3);
        });
    }
}
