//! Any bytes as a weight file that `torch.save` wrote, in either of its formats.
#![no_main]

use std::io::Write;

use convscope::network::weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("it can be written");
    let _ = weights::read_state_dict(file.path());
});
