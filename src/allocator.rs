//! jemalloc in the place of the C library's allocator, for libtorch as well as for us.
//!
//! glibc gives a network's large buffers back to the system and asks for them again in every layer, which costs
//! a small network half its time; told to keep them, it breaks its memory up and a pass over many images
//! grows. jemalloc keeps large blocks apart from small ones and uses them again. A notebook's kernel
//! has a program of its own around it, so there glibc is told to keep buffers (src/cli/kernel.sh).

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Blocks that are free are kept, however large they are: the next layer or image needs the same. (jemalloc
/// reads a pointer to characters, which is what a reference to a `CStr` begins with.)
#[unsafe(export_name = "malloc_conf")]
static CONFIGURATION: &std::ffi::CStr = c"oversize_threshold:0,dirty_decay_ms:-1";
