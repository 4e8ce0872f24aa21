//! A TCP relay in front of a member that keeps every byte that passes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Vec<u8>>>);

impl Tap {
    /// Relays `listen` to `target` for as long as the test process lives.
    pub(crate) fn start(listen: u16, target: String) -> Self {
        let tap = Self::default();
        let listener = TcpListener::bind(("127.0.0.1", listen)).expect("the tap listens");
        let kept = tap.clone();
        std::thread::spawn(move || {
            for caller in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&target) else { continue };
                kept.relay(&caller, &server);
                kept.relay(&server, &caller);
            }
        });
        tap
    }

    fn relay(&self, from: &TcpStream, to: &TcpStream) {
        let (mut from, mut to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
        let kept = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                kept.lock().expect("the tap").extend_from_slice(&buffer[..read]);
                if to.write_all(&buffer[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }

    pub(crate) fn contains(&self, needle: &[u8]) -> bool {
        let kept = self.0.lock().expect("the tap");
        kept.windows(needle.len()).any(|window| window == needle)
    }

    /// The bytes behind every occurrence of a marker.
    pub(crate) fn after(&self, marker: &[u8], length: usize) -> Vec<Vec<u8>> {
        let kept = self.0.lock().expect("the tap");
        let starts = kept.windows(marker.len()).enumerate().filter(|(_, window)| *window == marker);
        starts.filter_map(|(at, _)| kept.get(at + marker.len()..at + marker.len() + length).map(<[u8]>::to_vec)).collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().expect("the tap").clear();
    }
}
