//! Giving memory back to the system between batches.
//!
//! glibc keeps what is freed for later, in an arena a thread. Over a collection, libtorch's buffers of many
//! sizes break these arenas up, and a process grows by a seventh while nothing in it does.

/// Returns freed memory to the system, where the C library would keep it.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes no pointer, touches free memory only, and may be called from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
