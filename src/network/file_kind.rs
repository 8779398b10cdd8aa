//! What a file is that is given as a network or as weights, by its content: the endings `.pt`, `.pth` and `.pt2` each stand for
//! several formats. A file that can't be used in its place is an error that says what it is and what to write instead.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config};

use super::weights::format::file_error;
use super::weights::pickle::whole_object;
use crate::error::{Error, Result};

/// How a network becomes a `.pt2` file.
pub const HOW_TO_EXPORT: &str = "program = torch.export.export(net.eval(), (torch.zeros(2, 3, 224, 224),), \
     dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))\ntorch.export.save(program, \"net.pt2\")";

/// How many bytes at the beginning of a file or a pickle are looked at.
const HEAD: u64 = 4096;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::network) enum FileKind {
    /// What `torch.export.save` wrote, today or before PyTorch 2.8.
    Exported,
    /// A package of AOTInductor, with compiled code.
    Inductor,
    /// What `torch.jit.save` wrote.
    Script,
    /// An object of this class, pickled as a whole.
    WholeObject(String),
    /// Tensors by their names.
    StateDict,
    /// A zip archive without its end.
    CutShort,
    /// Something else: the predicate of a sentence about the file.
    Other(&'static str),
}

impl FileKind {
    /// What the file at `path` is.
    ///
    /// # Errors
    /// If it can't be read.
    pub(in crate::network) fn of(path: &Path) -> Result<FileKind> {
        let io = |cause| Error::io("read", path, cause);
        let file = File::open(path).map_err(io)?;
        let mut head = Vec::new();
        Read::by_ref(&mut &file)
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(io)?;
        if head.starts_with(b"PK\x03\x04") {
            return Ok(of_zip(file));
        }
        Ok(of_head(&head))
    }

    /// What the archive with entries of these names is; `None` for none of PyTorch's.
    pub(in crate::network) fn of_entries<'a>(
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<FileKind> {
        let any = |is: fn(&str) -> bool| names.clone().any(is);
        let is_file = |name: &str, file: &str| {
            let folder = name.strip_suffix(file);
            folder.is_some_and(|folder| folder.is_empty() || folder.ends_with('/'))
        };
        if names.clone().any(|name| is_program(name).is_some()) {
            return Some(FileKind::Exported);
        }
        if any(|name| name.contains("data/aotinductor/")) {
            return Some(FileKind::Inductor);
        }
        if names.clone().any(|name| is_file(name, "constants.pkl"))
            || any(|name| name.contains("/code/__torch__"))
        {
            return Some(FileKind::Script);
        }
        let is_pickle = |name: &str| is_file(name, "data.pkl");
        names.clone().any(is_pickle).then_some(FileKind::StateDict)
    }

    /// The error about the file at `path`, which is given as a network.
    pub(in crate::network) fn no_network(&self, path: &Path) -> Error {
        let export = |before: &str| format!("{before}:\n{HOW_TO_EXPORT}");
        let shown = path.display();
        let help = match self {
            FileKind::Script => export("export the network that it was made from"),
            FileKind::WholeObject(_) => {
                export("if you trust the file's author, load the network in Python, and export it")
            }
            FileKind::StateDict => export(&format!(
                "name its architecture, `{{arch: ARCHITECTURE, weights: {shown}}}`; or load it into the network in Python, and export that"
            )),
            FileKind::CutShort => "fetch or copy it again".to_owned(),
            FileKind::Inductor | FileKind::Exported | FileKind::Other(_) => {
                export("export the network")
            }
        };
        let clause = format!("is no file of `torch.export.save`: it {}", self.clause());
        file_error(path, &clause).help(help)
    }

    /// The error about the file at `path`, which is given as weights of an architecture; `None` if it may be weights.
    pub(in crate::network) fn no_weights(&self, path: &Path) -> Option<Error> {
        let shown = path.display();
        let alone = "save the state dict alone, `torch.save(model.state_dict(), PATH)`";
        let export = format!(
            "export the network, and write `{{weights: net.pt2}}` without `arch`:\n{HOW_TO_EXPORT}"
        );
        let help = match self {
            FileKind::Exported => {
                format!("it holds the network's graph: write `{{weights: {shown}}}` without `arch`")
            }
            FileKind::Script => format!(
                "save its state dict, `torch.save(torch.jit.load(PATH).state_dict(), NEW_PATH)`; or {export}"
            ),
            FileKind::WholeObject(_) => {
                format!("if you trust the file's author, {alone}; or {export}")
            }
            FileKind::Inductor => format!("{alone}; or {export}"),
            FileKind::StateDict | FileKind::CutShort | FileKind::Other(_) => return None,
        };
        Some(file_error(path, &self.clause()).help(help))
    }

    /// The predicate of a sentence about the file.
    fn clause(&self) -> String {
        match self {
            FileKind::Exported => "is an exported program (`torch.export.save`)".to_owned(),
            FileKind::Inductor => {
                "is a package of AOTInductor, which has compiled code in place of a graph"
                    .to_owned()
            }
            FileKind::Script => "is a TorchScript archive (`torch.jit.save`)".to_owned(),
            FileKind::WholeObject(class) => format!(
                "is a whole network (`torch.save(net)`), an object of the class `{class}`; no code of it was run"
            ),
            FileKind::StateDict => "is a state dict, which has weights but no graph".to_owned(),
            FileKind::CutShort => {
                "is a zip archive that can't be read, probably because it is cut short".to_owned()
            }
            FileKind::Other(clause) => (*clause).to_owned(),
        }
    }
}

/// The folder of the program that an archive's entry is, and the form of the archive; `None` for other entries.
pub(in crate::network) fn is_program(name: &str) -> Option<(&str, ProgramForm)> {
    for (file, form) in [
        ("models/model.json", ProgramForm::Current),
        ("serialized_exported_program.json", ProgramForm::Old),
    ] {
        if let Some(folder) = name.strip_suffix(file)
            && (folder.is_empty() || folder.ends_with('/'))
        {
            return Some((folder, form));
        }
    }
    None
}

/// How an exported program's archive is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network) enum ProgramForm {
    /// Since PyTorch 2.8: `models/model.json`, and a file for each storage.
    Current,
    /// Before: `serialized_exported_program.json`, and pickled state dicts.
    Old,
}

/// The zip archive in `file`. PyTorch's archives begin at the file's beginning; a search for the beginning would find one
/// within the weights.
///
/// # Errors
/// If it has no directory, as where it is cut short.
pub(in crate::network) fn open_zip(file: File) -> zip::result::ZipResult<ZipArchive<File>> {
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    ZipArchive::with_config(config, file)
}

fn of_zip(file: File) -> FileKind {
    let Ok(mut zip) = open_zip(file) else {
        return FileKind::CutShort;
    };
    let names: Vec<String> = zip
        .file_names()
        .flatten()
        .map(|name| name.into_owned())
        .collect();
    let keras = ["model.weights.h5", "config.json", "metadata.json"];
    match FileKind::of_entries(names.iter().map(String::as_str)) {
        Some(FileKind::StateDict) => {
            let pickle = names.iter().filter(|name| name.ends_with("data.pkl"));
            let pickle = pickle.min_by_key(|name| name.len());
            let entry = pickle.and_then(|name| zip.by_name(name).ok());
            let mut head = Vec::new();
            let read = entry.and_then(|entry| entry.take(HEAD).read_to_end(&mut head).ok());
            let class = read.and_then(|_| whole_object(&head));
            class.map_or(FileKind::StateDict, FileKind::WholeObject)
        }
        Some(kind) => kind,
        None if keras.iter().all(|own| names.iter().any(|name| name == own)) => {
            FileKind::Other("is a Keras model")
        }
        None => FileKind::Other("is a zip archive, but none of PyTorch's"),
    }
}

fn of_head(head: &[u8]) -> FileKind {
    if let Some(class) = whole_object(head) {
        return FileKind::WholeObject(class);
    }
    let is_safetensors = head.get(8) == Some(&b'{') && head.get(4..8) == Some(&[0; 4]);
    FileKind::Other(match head {
        [] => "is empty",
        [0x80, 0..=5, ..] if head.windows(6).any(|part| part == b"\xfc\x9cF\xf9 j") => {
            return FileKind::StateDict;
        }
        [0x80, 0..=5, ..] => "is a pickle of Python",
        _ if is_safetensors => return FileKind::StateDict,
        // `ir_version`, then the name of the program that wrote it or an opset.
        [0x08, 1..=30, 0x12 | 0x1a | 0x3a | 0x42, ..] => "is an ONNX model",
        _ if head.starts_with(b"\x89HDF") => "is an HDF5 file, as Keras writes them",
        _ if head.get(4..8) == Some(b"TFL3") => "is a TensorFlow Lite model",
        _ if head.starts_with(b"version https://git-lfs") => {
            "is a pointer of Git LFS, not the file itself (`git lfs pull` fetches it)"
        }
        _ if head.trim_ascii_start().starts_with(b"<") => "is a web page",
        _ => "is of an unknown format",
    })
}
