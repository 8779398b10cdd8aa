//! Any bytes as a `.pt2` file. Most changes break the checksums of the archive; `program_json` goes past them.
#![no_main]

use std::io::Write;

use convscope::network::pt2;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("it can be written");
    let _ = pt2::read(file.path());
});
