//! Any text as the program in a `.pt2` file that is sound otherwise: the weights of `tests/exported/windows.pt2`, and its own
//! checksums.
#![no_main]

use std::io::{Cursor, Read, Write};
use std::sync::LazyLock;

use convscope::network::{node_info, pt2};
use libfuzzer_sys::fuzz_target;

/// The entries of the file, but the program.
static REST: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../tests/exported/windows.pt2");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip archive");
    let mut rest = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let name = entry.name().expect("its name").into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        if !name.ends_with(PROGRAM) {
            rest.push((name, bytes));
        }
    }
    rest
});

/// The program's name below the archive's folder.
const PROGRAM: &str = "models/model.json";

fuzz_target!(|json: &[u8]| {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut archive = zip::ZipWriter::new(file.as_file());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let program = (format!("windows/{PROGRAM}"), json.to_vec());
    for (name, bytes) in REST.iter().chain([&program]) {
        archive.start_file(name.as_str(), stored).expect("an entry");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("the archive");
    if let Ok(found) = pt2::read(file.path()) {
        let [height, width] = found.input_size;
        let _ = node_info::from_graph(found.network.graph(), height, width);
    }
});
