//! The sha256 of a collection. Those of its files are kept by path, size and time of change, so that a second run does not
//! read a large collection twice.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::image::ImageFile;
use crate::plan::PlannedImage;
use crate::results::store;

/// A file that changed a moment ago may change again within the precision of its time.
const SETTLED: Duration = Duration::from_secs(3);

/// The bytes of a record: the path's hash, the size, the time, the sha256.
const RECORD: usize = 16 + 8 + 8 + 32;

type FileSha256 = [u8; 32];

/// What a file is known by: the hash of its path, its size, and when it changed, in nanoseconds since 1970.
type FileKey = ([u8; 16], u64, u64);

/// The sha256 of each image's file, in order; zeros for one that can't be read. Those in the file `kept` are not computed
/// again; it is then written anew.
pub(super) fn file_hashes(images: &[PlannedImage], kept: Option<&Path>) -> Vec<FileSha256> {
    let known = kept.map(read_kept).unwrap_or_default();
    let settled = SystemTime::now().checked_sub(SETTLED);
    let hashes = images.par_iter().map(|image| {
        let key = file_key(&image.file);
        if let Some(sha256) = key.and_then(|key| known.get(&key)) {
            return (key, *sha256);
        }
        // A file that can't be read is reported when its batch is decoded.
        let sha256 = file_hash(&image.file).unwrap_or_default();
        let is_settled = |(_, _, time): &FileKey| {
            settled.is_some_and(|settled| UNIX_EPOCH + Duration::from_nanos(*time) < settled)
        };
        (key.filter(is_settled), sha256)
    });
    let hashes: Vec<(Option<FileKey>, FileSha256)> = hashes.collect();
    if let Some(path) = kept {
        write_kept(path, &hashes);
    }
    hashes.into_iter().map(|(_, sha256)| sha256).collect()
}

/// The sha256 of the sha256s of all files, in order, in hexadecimal.
pub(super) fn collection_sha256(hashes: &[FileSha256]) -> String {
    let whole = Sha256::digest(hashes.concat());
    whole.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_hash(file: &ImageFile) -> std::io::Result<FileSha256> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut file.reader()?, &mut hasher)?;
    Ok(hasher.finalize().into())
}

/// What a file is known by; `None` if the system doesn't say.
fn file_key(file: &ImageFile) -> Option<FileKey> {
    let metadata = std::fs::metadata(&file.path).ok()?;
    let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(
        std::path::absolute(&file.path)
            .ok()?
            .as_os_str()
            .as_encoded_bytes(),
    );
    if let Some(part) = &file.part {
        hasher.update(&part.offset.to_le_bytes());
        hasher.update(&part.size.to_le_bytes());
    }
    let hash = hasher.finalize();
    let (hash, _) = hash.as_bytes().as_chunks::<16>();
    Some((hash[0], metadata.len(), time.as_nanos().try_into().ok()?))
}

fn read_kept(path: &Path) -> HashMap<FileKey, FileSha256> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let (records, _) = bytes.as_chunks::<RECORD>();
    let records = records.iter().filter_map(|record| {
        let (hash, rest) = record.split_first_chunk::<16>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let (time, sha256) = rest.split_first_chunk::<8>()?;
        let key = (*hash, u64::from_le_bytes(*size), u64::from_le_bytes(*time));
        Some((key, sha256.try_into().ok()?))
    });
    records.collect()
}

fn write_kept(path: &Path, hashes: &[(Option<FileKey>, FileSha256)]) {
    let mut bytes = Vec::with_capacity(hashes.len() * RECORD);
    for (key, sha256) in hashes {
        if let Some((hash, size, time)) = key {
            bytes.extend_from_slice(hash);
            bytes.extend_from_slice(&size.to_le_bytes());
            bytes.extend_from_slice(&time.to_le_bytes());
            bytes.extend_from_slice(sha256);
        }
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
    else {
        return;
    };
    // Without it the next run reads the files again.
    let _ = std::fs::create_dir_all(folder);
    let _ = store::write(folder, &[(name, &bytes)]);
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use super::{Duration, PlannedImage, SystemTime, file_hashes};

    #[test]
    fn hashes_are_kept_until_a_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a.png"), folder.path().join("kept"));
        let images = [PlannedImage::file(path.clone(), "a.png".into())];
        let write = |text: &str, age: u64| {
            std::fs::write(&path, text).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            let times = FileTimes::new().set_modified(time);
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_times(times)
                .unwrap();
        };
        let hashes = || file_hashes(&images, Some(&kept));
        write("one", 100);
        let first = hashes();
        assert_eq!(first, file_hashes(&images, None));
        // Another content under the same size and time: the kept sha256 is used.
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "two").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
        assert_eq!(hashes(), first);
        write("three", 50);
        let third = hashes();
        assert_ne!(third, first);
        assert_eq!(third, file_hashes(&images, None));
        // One that has just changed is not kept.
        write("four!", 0);
        hashes();
        assert_eq!(std::fs::read(&kept).unwrap().len(), 0);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(hashes(), [[0; 32]]);
    }
}
