//! The C allocator's settings.

/// Keeps glibc to two arenas: by default each thread of RocksDB and of the runtime gets its own, and what one of them frees stays there.
/// Measured over 12,000 sends: a tenth less resident memory, and no slower. To be called before threads start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "mallopt(3) has no safe wrapper; it takes two integers and touches the allocator's settings alone")]
pub fn few_arenas() {
    // SAFETY: mallopt takes no pointer, may be called at any time, and ignores what it does not know.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Other C libraries have no such setting.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn few_arenas() {}
