//! Writes libtorch's folder into the binary's rpath, so that it starts without `LD_LIBRARY_PATH`, and a
//! hash of the sources into the library, so that results cached by other code are not used.
//!
//! `torch-sys` (`links = "tch"`) tells the folder of libtorch; a system libtorch needs no rpath.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    // A new template is no change of a source file.
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-env-changed=DEP_TCH_LIBTORCH_LIB");
    if let Ok(folder) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        // `convscope kernel install` writes it into the kernel's environment.
        println!("cargo::rustc-env=CONVSCOPE_LIBTORCH={folder}");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        // libtorch.so can be a linker script; without this flag the linker may drop libtorch_cpu.so.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo::rustc-link-arg=-ltorch");
    }
    let mut hasher = blake3::Hasher::new();
    hash_folder(Path::new("src"), &mut hasher);
    let hash = hasher.finalize().to_hex();
    println!("cargo::rustc-env=CONVSCOPE_SOURCES={hash}");
}

fn hash_folder(folder: &Path, hasher: &mut blake3::Hasher) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher);
        } else if let Ok(bytes) = std::fs::read(&path) {
            hasher.update(path.to_string_lossy().as_bytes());
            hasher.update(&bytes);
        }
    }
}
