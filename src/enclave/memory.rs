//! Pages for 32-byte keys: locked in memory, left out of core dumps, wiped slot by slot.
//!
//! Threat: a private key that reaches the swap, a hibernation image or a core dump outlives the process.
//! This is the one file of the program with `unsafe`: no crate in the set gives out slots of locked pages.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rustix::mm::{Advice, MapFlags, ProtFlags};
use zeroize::Zeroize;

use crate::crypto::secret::Secret;

/// Bytes of one mapping: a few pages, so that small networks lock little of `RLIMIT_MEMLOCK`.
const CHUNK: usize = 16 * 1024;
type Slot = [u8; 32];

/// Locked memory that gives out slots of 32 bytes. Grows by 16 KiB, shrinks when it is dropped.
#[derive(Clone, Default)]
pub(crate) struct LockedMemory(Arc<Mutex<Arena>>);

#[derive(Default)]
struct Arena {
    chunks: Vec<NonNull<c_void>>,
    free: Vec<NonNull<Slot>>,
    unlocked: usize,
}

/// A key in a locked slot, wiped when it is dropped. On the heap, wiped too, where the system gives no mapping.
pub(crate) struct LockedKey(Place);

enum Place {
    Heap(Secret<32>),
    Slot { at: NonNull<Slot>, memory: LockedMemory },
}

impl LockedMemory {
    /// Nothing mapped yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Moves a key into a slot; the source is wiped as it is dropped.
    pub(crate) fn keep(&self, key: Secret<32>) -> LockedKey {
        let Some(at) = self.arena().take() else { return LockedKey(Place::Heap(key)) };
        // SAFETY: `at` came from `take`, so it is a mapped, aligned slot of 32 bytes that nobody else holds until `give_back`.
        unsafe { at.as_ptr().write(*key.expose()) };
        LockedKey(Place::Slot { at, memory: self.clone() })
    }

    /// Whether everything given out so far is locked in memory.
    pub(super) fn is_locked(&self) -> bool {
        self.arena().unlocked == 0
    }

    fn arena(&self) -> MutexGuard<'_, Arena> {
        // The lists are whole between any two statements: a panic elsewhere does not harm them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LockedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedMemory(..)")
    }
}

impl Arena {
    fn take(&mut self) -> Option<NonNull<Slot>> {
        if self.free.is_empty() {
            self.grow();
        }
        self.free.pop()
    }

    fn grow(&mut self) {
        let (access, private) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no memory of ours.
        let mapped = unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), CHUNK, access, private) };
        let Ok(Some(chunk)) = mapped.map(NonNull::new) else {
            self.unlocked += 1;
            return warn_unlocked("no memory mapping");
        };
        // SAFETY: the range is exactly the mapping above; neither call changes its content.
        let (dump, lock) = unsafe {
            let at = chunk.as_ptr();
            (rustix::mm::madvise(at, CHUNK, Advice::LinuxDontDump), rustix::mm::mlock(at, CHUNK))
        };
        if let Err(error) = dump.and(lock) {
            self.unlocked += 1;
            warn_unlocked(&error.to_string());
        }
        let slots = CHUNK / size_of::<Slot>();
        // SAFETY: every offset is below `slots`, so each pointer stays in the mapping and the slots do not overlap.
        self.free.extend((0..slots).rev().map(|i| unsafe { chunk.cast::<Slot>().add(i) }));
        self.chunks.push(chunk);
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for chunk in self.chunks.drain(..) {
            // SAFETY: the range is a mapping of `grow`. Every `LockedKey` holds the arena alive, so no slot is in use here.
            let _ = unsafe { rustix::mm::munmap(chunk.as_ptr(), CHUNK) };
        }
    }
}

// SAFETY: the pointers are to mappings that the arena alone owns; they are bound to no thread.
unsafe impl Send for Arena {}

impl LockedKey {
    /// The bytes. Grep for this name: it is the audit list.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        match &self.0 {
            Place::Heap(key) => key.expose(),
            // SAFETY: the slot is mapped while `memory` lives, was written by `keep`, and is changed by nobody until the drop.
            Place::Slot { at, .. } => unsafe { at.as_ref() },
        }
    }
}

impl Drop for LockedKey {
    fn drop(&mut self) {
        if let Place::Slot { at, memory } = &mut self.0 {
            // SAFETY: this is the slot's only holder, and `&mut self` excludes every reader.
            unsafe { at.as_mut() }.zeroize();
            memory.arena().free.push(*at);
        }
    }
}

impl fmt::Debug for LockedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

// SAFETY: a slot belongs to one `LockedKey` and is written before it is shared; afterwards it is read only, until the drop.
unsafe impl Send for LockedKey {}
// SAFETY: as above: shared references only read.
unsafe impl Sync for LockedKey {}

fn warn_unlocked(why: &str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::warn!("keys cannot be locked in memory ({why}): raise RLIMIT_MEMLOCK to 1 MiB, or switch the swap off");
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Secret<32> {
        Secret::init_with(|bytes| bytes.fill(byte))
    }

    #[test]
    fn slots_hold_their_keys_and_are_wiped() {
        let memory = LockedMemory::new();
        let keys: Vec<_> = (0..=255).map(|byte| memory.keep(key(byte))).collect();
        for (byte, kept) in (0..=255).zip(&keys) {
            assert_eq!(kept.expose(), &[byte; 32]);
        }
        let Place::Slot { at, .. } = &keys[7].0 else { panic!("mapped") };
        let at = *at;
        drop(keys);
        // SAFETY: the mapping lives as long as `memory`, and the slot is free: nobody writes to it now.
        assert_eq!(unsafe { at.read() }, [0; 32]);
        assert_eq!(memory.arena().free.len(), CHUNK / 32);
    }

    #[test]
    fn grows_over_many_chunks_and_reuses_slots() {
        let memory = LockedMemory::new();
        let keys: Vec<_> = (0..2_000_u16).map(|i| memory.keep(key(u8::try_from(i % 251).expect("small")))).collect();
        assert!(keys.iter().zip(0..2_000_u16).all(|(kept, i)| u16::from(kept.expose()[31]) == i % 251));
        let chunks = memory.arena().chunks.len();
        drop(keys);
        drop((0..2_000).map(|_| memory.keep(key(1))).collect::<Vec<_>>());
        assert_eq!(memory.arena().chunks.len(), chunks);
    }

    #[test]
    fn pages_are_locked_and_not_dumped() {
        let memory = LockedMemory::new();
        let kept = memory.keep(key(9));
        let Place::Slot { at, .. } = &kept.0 else { panic!("mapped") };
        let address = at.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("procfs");
        let mut inside = false;
        let flags = maps.lines().find(|line| {
            if let Some((start, end)) = line.split(' ').next().and_then(|range| range.split_once('-')) {
                let bound = |text| usize::from_str_radix(text, 16);
                if let (Ok(start), Ok(end)) = (bound(start), bound(end)) {
                    inside = (start..end).contains(&address);
                }
            }
            inside && line.starts_with("VmFlags:")
        });
        let flags = flags.expect("flags of the mapping");
        assert!(flags.contains(" dd"), "{flags}");
        assert_eq!(flags.contains(" lo"), memory.is_locked(), "{flags}");
    }

    #[test]
    fn prints_nothing() {
        let memory = LockedMemory::new();
        let kept = memory.keep(key(171));
        assert_eq!(format!("{kept:?} {memory:?}"), "<secret> LockedMemory(..)");
    }
}
