//! The C allocator's settings.

/// Bytes from which an allocation is a mapping of its own, and goes back to the system when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING: i32 = 256 * 1024;

/// Keeps glibc to two arenas, and large payloads out of them: by default each thread of RocksDB and of the runtime gets an arena, and what
/// is freed in one stays there. Over 12,000 sends it is a tenth less resident memory; after a storm of large payloads, far less.
/// To be called before threads start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "mallopt(3) has no safe wrapper; it takes two integers and touches the allocator's settings alone")]
pub fn return_memory() {
    // SAFETY: mallopt takes no pointer, may be called at any time, and ignores what it does not know.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING);
    }
}

/// Gives free memory back to the system, page by page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "malloc_trim(3) has no safe wrapper; it takes an integer and touches free memory alone")]
pub fn release() {
    // SAFETY: malloc_trim may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries have no such call.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn release() {}

/// Other C libraries have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn return_memory() {}
