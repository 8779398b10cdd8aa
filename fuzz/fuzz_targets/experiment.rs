//! Any text as an experiment.
#![no_main]

use convscope::spec::SpecFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = SpecFile::parse("experiment.yaml", text);
});
