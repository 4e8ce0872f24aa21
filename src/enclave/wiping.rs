//! Memory is wiped when it is freed, Rust's and RocksDB's.
//!
//! Threat: a payload was erased and purged, and a core image, a swap file or a hibernated machine still holds it in memory that was freed
//! long ago: request bodies, decrypted payloads, sealed heads, memtables, blocks of files. What lives is the business of its owner; what
//! was freed is gone with this, at the cost of writing it once more.

#![allow(unsafe_code, reason = "allocators are unsafe by their contract; each block says what it relies on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::ptr::NonNull;

/// From here on glibc moves a growing allocation by its pages and leaves nothing behind: see [`super::allocator`].
const OWN_MAPPING: usize = 256 * 1024;

/// The system's allocator, which wipes what it takes back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wiping;

// SAFETY: every block comes from `System` with the layout that it goes back with.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that `System` wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has that size, and nobody uses it any more.
        unsafe {
            wipe(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: a shrinking block stays where it is, its end is wiped first; a large one moves by its pages; any other is copied, and its
        // old place is wiped. Layouts as the caller gave them.
        unsafe {
            if size <= layout.size() {
                wipe(block.add(size), layout.size() - size);
                return System.realloc(block, layout, size);
            }
            if layout.size() >= OWN_MAPPING {
                return System.realloc(block, layout, size);
            }
            let new = System.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(block, new, layout.size());
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Writes zeros that no optimiser takes away.
///
/// # Safety
/// `block` has `size` bytes, and nobody else uses them.
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::explicit_bzero(block.cast(), size) }
}

/// C++'s replaceable `operator delete` (ISO C++, [new.delete]): what RocksDB frees. Ours takes precedence over the library's, whose
/// `operator new` is malloc.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod cplusplus {
    use super::{NonNull, c_void, wipe};

    /// Wipes and frees.
    ///
    /// # Safety
    /// `block` is null, or comes from malloc and nobody uses it any more.
    unsafe fn delete(block: *mut c_void) {
        if let Some(block) = NonNull::new(block) {
            // SAFETY: malloc says how large its block is, and takes it back.
            unsafe {
                wipe(block.as_ptr().cast(), libc::malloc_usable_size(block.as_ptr()));
                libc::free(block.as_ptr());
            }
        }
    }

    macro_rules! deletes {
        ($($name:ident($($more:ident: $kind:ty),*))*) => {
            $(
                /// One of the forms of `operator delete`.
                ///
                /// # Safety
                /// Called by C++ alone, with what its `operator new` gave.
                #[unsafe(no_mangle)]
                #[allow(non_snake_case, reason = "the name is C++'s")]
                pub(super) unsafe extern "C" fn $name(block: *mut c_void $(, $more: $kind)*) {
                    // SAFETY: the caller's promise.
                    unsafe { delete(block) }
                }
            )*
        };
    }

    deletes! {
        _ZdlPv()
        _ZdaPv()
        _ZdlPvm(_size: usize)
        _ZdaPvm(_size: usize)
        _ZdlPvSt11align_val_t(_align: usize)
        _ZdaPvSt11align_val_t(_align: usize)
        _ZdlPvmSt11align_val_t(_size: usize, _align: usize)
        _ZdaPvmSt11align_val_t(_size: usize, _align: usize)
        _ZdlPvRKSt9nothrow_t(_tag: *const c_void)
        _ZdaPvRKSt9nothrow_t(_tag: *const c_void)
    }
}
