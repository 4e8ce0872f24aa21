//! Ports of loopback that nobody uses.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel takes ports of outgoing connections, so that none of those can take a port
/// between this check and the start of a server.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that was free a moment ago and that this process hands out only once.
pub(crate) fn free() -> u16 {
    let start = std::process::id().wrapping_mul(7);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let step = start.wrapping_add(u32::from(step)) % u32::from(COUNT);
        let port = FIRST + u16::try_from(step).expect("below the count");
        // Some servers listen on every address whatever they are told.
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
