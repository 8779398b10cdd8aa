//! What lies in the cache folder: which files belong together, their size and their age.
//!
//! Only what convscope itself puts there is an entry, told by its place and name, so that a wrong `CONVSCOPE_CACHE` never makes
//! other files removable. Links are no entries and are not followed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use convscope::fetch::{Cache, catalogue};
use convscope::{Error, Result};
use walkdir::{DirEntry, WalkDir};

/// How far apart the files of a result are among those sorted by name: a pass and a file of hashes may lie between them.
const NEAR: usize = 4;

/// How long ago something was written into the folder of a download that still goes on.
const DOWNLOADING: Duration = Duration::from_secs(3600);

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// Weight sets.
    Weights,
    /// Image packs.
    Images,
    /// Networks of timm and torchvision in .pt2 files.
    Exported,
    /// What a network has computed for an image, and a method for a collection.
    Results,
    /// Checkpoints of passes over a collection.
    Passes,
    /// The sha256s of a collection's files.
    Hashes,
    /// What an interrupted download has left.
    Downloads,
    /// libtorch, with which convscope itself may be linked.
    Libtorch,
    /// Crates that the Jupyter kernel has compiled.
    Kernel,
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self);
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether there are so many entries that they are listed in one line.
    pub fn is_counted(self) -> bool {
        matches!(self, Kind::Results | Kind::Passes | Kind::Hashes)
    }

    /// Whether it is only removed where it is named: the program may need it to start.
    pub fn is_kept(self) -> bool {
        matches!(self, Kind::Libtorch | Kind::Kernel)
    }
}

/// Files that are removed together.
#[derive(Debug)]
pub struct Entry {
    pub kind: Kind,
    /// `resnet50 imagenet`.
    pub name: String,
    /// Its files, or its folder.
    pub paths: Vec<PathBuf>,
    pub files: usize,
    pub bytes: u64,
    /// When the last of its files was written.
    pub written: SystemTime,
}

/// All entries of the cache, by kind, the largest first.
///
/// # Errors
/// If the folder, or one below it, can't be read. A cache that doesn't exist has no entries.
pub fn entries(cache: &Cache) -> Result<Vec<Entry>> {
    if !cache.root.exists() {
        return Ok(Vec::new());
    }
    let mut entries: Vec<Entry> = Vec::new();
    let mut walk = WalkDir::new(&cache.root)
        .min_depth(1)
        .max_depth(3)
        .sort_by_file_name()
        .into_iter();
    while let Some(found) = walk.next() {
        let found = found.map_err(|error| {
            Error::io(
                "read",
                &cache.root,
                error
                    .into_io_error()
                    .unwrap_or_else(|| std::io::ErrorKind::Other.into()),
            )
        })?;
        let below = found
            .path()
            .strip_prefix(&cache.root)
            .unwrap_or(found.path());
        let parts: Vec<&str> = below.iter().filter_map(|part| part.to_str()).collect();
        let Some((kind, name)) = recognise(&parts, &found) else {
            continue;
        };
        let entry = measure(kind, name, &found)?;
        if found.file_type().is_dir() {
            walk.skip_current_dir();
        }
        // The two files of a result.
        let is_other = |other: &&mut Entry| other.kind == kind && other.name == entry.name;
        match entries.iter_mut().rev().take(NEAR).find(is_other) {
            Some(other) => other.add(entry),
            None => entries.push(entry),
        }
    }
    entries.sort_by(|a, b| (a.kind, b.bytes, &a.name).cmp(&(b.kind, a.bytes, &b.name)));
    Ok(entries)
}

/// The kind and the name of the entry at a path of the cache, if it is one.
fn recognise(parts: &[&str], found: &DirEntry) -> Option<(Kind, String)> {
    let (is_folder, is_file) = (found.file_type().is_dir(), found.file_type().is_file());
    match *parts {
        ["weights", arch, set] if is_folder => {
            let known = catalogue()
                .weights
                .iter()
                .any(|w| w.arch == arch && w.name == set);
            (known || was_locked(found.path())).then(|| (Kind::Weights, format!("{arch} {set}")))
        }
        ["packs", pack] if is_folder => {
            let known = catalogue().packs.iter().any(|known| known.name == pack);
            (known || was_locked(found.path())).then(|| (Kind::Images, pack.to_owned()))
        }
        ["exported", library @ ("timm" | "torchvision"), name] if is_folder => {
            was_locked(found.path()).then(|| (Kind::Exported, format!("{library}:{name}")))
        }
        ["results", name] => {
            let (stem, ending) = name.split_once('.')?;
            let kind = match ending {
                "json" | "safetensors" if is_file => Kind::Results,
                "sha256" if is_file => Kind::Hashes,
                "pass" if is_folder => Kind::Passes,
                _ => return None,
            };
            let is_hash = stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hash.then(|| (kind, stem.to_owned()))
        }
        [name] if is_folder && name.starts_with(".fetching-") => {
            Some((Kind::Downloads, name.to_owned()))
        }
        [name] if is_folder && name.starts_with("libtorch-") => {
            Some((Kind::Libtorch, name.to_owned()))
        }
        ["evcxr"] if is_folder => Some((Kind::Kernel, "evcxr".to_owned())),
        _ => None,
    }
}

/// Whether convscope has written into the folder: it locks it then.
fn was_locked(folder: &Path) -> bool {
    folder.join(".lock").is_file()
}

fn measure(kind: Kind, name: String, found: &DirEntry) -> Result<Entry> {
    let mut entry = Entry {
        kind,
        name,
        paths: vec![found.path().to_owned()],
        files: 0,
        bytes: 0,
        written: SystemTime::UNIX_EPOCH,
    };
    // A file that another run removes meanwhile is no error.
    for file in WalkDir::new(found.path())
        .into_iter()
        .filter_map(std::result::Result::ok)
    {
        let Ok(metadata) = file.metadata() else {
            continue;
        };
        if metadata.is_file() && !is_lock(file.path()) {
            entry.files += 1;
            entry.bytes += metadata.len();
        }
        entry.written = entry
            .written
            .max(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    }
    Ok(entry)
}

fn is_lock(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name == ".lock" || name == "lock")
}

impl Entry {
    fn add(&mut self, other: Entry) {
        self.paths.extend(other.paths);
        self.files += other.files;
        self.bytes += other.bytes;
        self.written = self.written.max(other.written);
    }

    /// How long ago its last file was written.
    pub fn age(&self) -> Duration {
        self.written.elapsed().unwrap_or_default()
    }

    /// Removes its files, unless a run is writing them; returns whether it did.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub fn remove(&self) -> Result<bool> {
        // The folder of a download has no lock; something is written into it all the time.
        if self.kind == Kind::Downloads && self.age() < DOWNLOADING {
            return Ok(false);
        }
        for path in &self.paths {
            let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
            let removed = if is_folder {
                let locks = [".lock", "lock"].map(|name| path.join(name));
                let held: Vec<File> = locks
                    .iter()
                    .filter_map(|lock| File::open(lock).ok())
                    .collect();
                let busy = |file: &File| matches!(file.try_lock(), Err(TryLockError::WouldBlock));
                if held.iter().any(busy) {
                    return Ok(false);
                }
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", path, error));
                }
                _ => {}
            }
        }
        Ok(true)
    }
}
