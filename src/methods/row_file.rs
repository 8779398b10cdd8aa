//! Rows of a collector's numbers in a file: codes, so that memory does not grow with the number of images.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// How many bytes are copied at a time.
const COPIED: usize = 1 << 20;

/// A folder for the files of one collector.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: PathBuf,
    prefix: String,
}

impl Scratch {
    /// Files in `folder`, which exists, whose names begin with `prefix`.
    pub fn new(folder: &Path, prefix: &str) -> Self {
        Scratch {
            folder: folder.to_owned(),
            prefix: prefix.to_owned(),
        }
    }

    /// An empty file of rows called `name`; one that is there is overwritten.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn rows(&self, name: &str) -> Result<RowFile> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let mut plain: String = name
            .chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect();
        if plain != name {
            // Two names must not become one.
            plain.push_str(&format!(
                "-{}",
                &blake3::hash(name.as_bytes()).to_hex()[..8]
            ));
        }
        let path = self.folder.join(format!("{}{plain}.rows", self.prefix));
        // An interrupted pass continues with the file that is there: it is not truncated.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| Error::io("create", &path, error))?;
        Ok(RowFile {
            file: Arc::new(file),
            path,
            rows: 0,
            row_bytes: 0,
        })
    }
}

/// Rows of the same number of bytes in a file. A clone reads the rows that were there when it was made.
#[derive(Debug, Clone)]
pub struct RowFile {
    file: Arc<File>,
    path: PathBuf,
    rows: usize,
    /// 0 until the first row.
    row_bytes: usize,
}

impl RowFile {
    /// The first `rows` rows of the file at `path`, of `row_bytes` bytes each.
    ///
    /// # Errors
    /// If the file can't be opened, or is shorter.
    pub fn open(path: &Path, rows: usize, row_bytes: usize) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| Error::io("open", path, error))?;
        let length = file
            .metadata()
            .map_err(|error| Error::io("read", path, error))?
            .len();
        let wanted = rows as u64 * row_bytes as u64;
        if length < wanted {
            let message = format!(
                "{} must have {wanted} bytes, got {length}: it was cut short",
                path.display()
            );
            return Err(Error::new(ErrorKind::Io, message));
        }
        Ok(RowFile {
            file: Arc::new(file),
            path: path.to_owned(),
            rows,
            row_bytes,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of bytes of a row; 0 if there is none.
    pub fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// The number of float32 values of a row.
    pub fn dims(&self) -> usize {
        self.row_bytes / 4
    }

    /// Adds `rows` rows of float32 values.
    ///
    /// # Errors
    /// If they have another length than the rows that are there, or can't be written.
    pub fn push_floats(&mut self, rows: usize, values: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.push(rows, &bytes)
    }

    /// Adds `rows` rows.
    ///
    /// # Errors
    /// As [`push_floats`](Self::push_floats).
    pub fn push(&mut self, rows: usize, bytes: &[u8]) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let row_bytes = bytes.len() / rows;
        if (self.rows > 0 && row_bytes != self.row_bytes) || !bytes.len().is_multiple_of(rows) {
            let message = format!(
                "the rows of {} must have {} bytes, got {row_bytes}",
                self.path.display(),
                self.row_bytes
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        self.row_bytes = row_bytes;
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.offset(self.rows)))
            .and_then(|_| file.write_all(bytes))
            .map_err(|error| Error::io("write", &self.path, error))?;
        self.rows += rows;
        Ok(())
    }

    /// Adds the rows of another file.
    ///
    /// # Errors
    /// As [`push`](Self::push), or if they can't be read.
    pub fn append(&mut self, other: &RowFile) -> Result<()> {
        let chunk = (COPIED / other.row_bytes.max(1)).max(1);
        for first in (0..other.rows).step_by(chunk) {
            let rows = chunk.min(other.rows - first);
            self.push(rows, &other.bytes(first, rows)?)?;
        }
        Ok(())
    }

    /// The bytes of `rows` rows, from `first` on.
    ///
    /// # Errors
    /// If there are fewer, or they can't be read.
    pub fn bytes(&self, first: usize, rows: usize) -> Result<Vec<u8>> {
        let failed = |error| Error::io("read", &self.path, error);
        if first + rows > self.rows {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let mut bytes = vec![0; rows * self.row_bytes];
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.offset(first)))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(failed)?;
        Ok(bytes)
    }

    /// The float32 values of `rows` rows, from `first` on.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn floats(&self, first: usize, rows: usize) -> Result<Vec<f32>> {
        let bytes = self.bytes(first, rows)?;
        let (values, _) = bytes.as_chunks::<4>();
        Ok(values.iter().map(|v| f32::from_le_bytes(*v)).collect())
    }

    /// The BLAKE3 hash of the rows, in hexadecimal.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn blake3(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        let chunk = (COPIED / self.row_bytes.max(1)).max(1);
        for first in (0..self.rows).step_by(chunk) {
            hasher.update(&self.bytes(first, chunk.min(self.rows - first))?);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Writes what the system still holds in memory.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn sync(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| Error::io("write", &self.path, error))
    }

    fn offset(&self, row: usize) -> u64 {
        row as u64 * self.row_bytes as u64
    }
}
