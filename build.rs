//! Writes libtorch's folder into the binary's rpath, so that it starts without `LD_LIBRARY_PATH`.
//!
//! `torch-sys` (`links = "tch"`) says where it found libtorch; a system libtorch needs nothing.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        // libtorch.so is only a linker script; without this the linker may drop libtorch_cpu.so.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo::rustc-link-arg=-ltorch");
    }
}
