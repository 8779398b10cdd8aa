//! jemalloc as the allocator of the program and of libtorch.
//!
//! glibc returns a network's large buffers to the system and requests them again in every layer, which costs
//! a small network half its time. If glibc is configured to keep them, memory fragments, and its use grows during
//! a pass over many images. jemalloc separates large blocks from small ones and reuses them. In a notebook the
//! process is evcxr's, so there glibc is configured to keep buffers (src/cli/kernel/start_kernel.sh).

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Free blocks of any size are kept: the next layer or image needs the same sizes. (jemalloc reads a pointer to
/// characters, which is the first word of a reference to a `CStr`.)
#[unsafe(export_name = "malloc_conf")]
static CONFIGURATION: &std::ffi::CStr = c"oversize_threshold:0,dirty_decay_ms:-1";
