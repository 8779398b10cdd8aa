//! Networks that a Python library makes: `timm:NAME` and `torchvision:NAME`, pretrained, untrained, or with a weight file.

use std::fmt;
use std::path::PathBuf;

/// A Python library with networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Library {
    /// timm.
    Timm,
    /// torchvision.
    Torchvision,
}

impl Library {
    /// All of them.
    pub const ALL: [Library; 2] = [Library::Timm, Library::Torchvision];

    /// Its name, which is also its Python package and the key in an entry of `models`: `timm`.
    pub fn name(self) -> &'static str {
        match self {
            Library::Timm => "timm",
            Library::Torchvision => "torchvision",
        }
    }

    /// The library and the rest of a text such as `timm:resnet18`.
    pub(super) fn split(text: &str) -> Option<(Library, &str)> {
        let (start, name) = text.split_once(':')?;
        let library = Library::ALL.into_iter().find(|l| l.name() == start)?;
        Some((library, name))
    }
}

/// A network that a Python library makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryNetwork {
    /// The library.
    pub library: Library,
    /// The network's name there: `resnet18.a1_in1k`.
    pub name: String,
    /// Its weights.
    pub weights: LibraryWeights,
}

/// The weights of a network that a Python library makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryWeights {
    /// Those that the library downloads.
    Pretrained,
    /// Random ones, as the library initialises them.
    Untrained {
        /// The seed of PyTorch's generator.
        seed: u64,
    },
    /// A state dict in a file.
    File(PathBuf),
}

/// `timm:resnet18`, and the weights: `timm:resnet18, untrained (seed 7)`.
impl fmt::Display for LibraryNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}, {}", self.library.name(), self.name, self.weights)
    }
}

/// `pretrained`, `untrained (seed 7)`, or the file's name.
impl fmt::Display for LibraryWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LibraryWeights::Pretrained => f.write_str("pretrained"),
            LibraryWeights::Untrained { seed } => write!(f, "untrained (seed {seed})"),
            LibraryWeights::File(path) => {
                let name = path.file_name().unwrap_or_default();
                f.write_str(&name.to_string_lossy())
            }
        }
    }
}
