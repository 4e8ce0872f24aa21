use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

/// After so many steps on the disk the process has ended: this step and each after it fails. Negative: it lives.
pub(in crate::journal) struct Faults(AtomicI64);

impl Default for Faults {
    fn default() -> Self {
        Self(AtomicI64::new(-1))
    }
}

impl Faults {
    pub(in crate::journal) fn end_after(&self, steps: i64) {
        self.0.store(steps, Ordering::SeqCst);
    }

    pub(in crate::journal) fn step(&self, what: &str) -> io::Result<()> {
        let left = self.0.load(Ordering::SeqCst);
        match left {
            0 => Err(io::Error::other(format!("ended at: {what}"))),
            1.. => {
                self.0.store(left - 1, Ordering::SeqCst);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
