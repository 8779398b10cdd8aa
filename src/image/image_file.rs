//! Where an image's bytes are: a file, or a part of a tar file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::decode::DecodedImage;
use crate::error::{Error, ErrorKind, Result};

/// Where an image's bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFile {
    /// The file; empty if the image is only in memory.
    pub path: PathBuf,
    /// The part of the file, if it is a tar file.
    pub part: Option<FilePart>,
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePart {
    /// Its first byte.
    pub offset: u64,
    /// Its number of bytes.
    pub size: u64,
}

impl ImageFile {
    /// A whole file.
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        ImageFile {
            path: path.into(),
            part: None,
        }
    }

    /// Decodes the image, whose messages call it `name`, and draws its picture from the bands `show`, counted from 1; by
    /// default where there are none.
    ///
    /// # Errors
    /// As [`DecodedImage::open_showing`].
    pub fn decode(&self, name: &str, show: &[usize]) -> Result<DecodedImage> {
        let Some(part) = &self.part else {
            return DecodedImage::open_showing(&self.path, show);
        };
        let bytes = self.read_part(part)?;
        DecodedImage::from_bytes(name, &bytes)?.showing_in(name, show)
    }

    /// Its bytes, one piece after the other.
    ///
    /// # Errors
    /// If the file can't be opened.
    pub fn reader(&self) -> std::io::Result<Box<dyn Read>> {
        let mut file = File::open(&self.path)?;
        Ok(match &self.part {
            None => Box::new(file),
            Some(part) => {
                file.seek(SeekFrom::Start(part.offset))?;
                Box::new(file.take(part.size))
            }
        })
    }

    fn read_part(&self, part: &FilePart) -> Result<Vec<u8>> {
        let failed = |error| {
            let message = format!("can't read {}", self.path.display());
            Error::new(ErrorKind::Image, message).caused_by(error)
        };
        let mut bytes = Vec::new();
        let reader = self.reader();
        reader
            .and_then(|mut reader| reader.read_to_end(&mut bytes))
            .map_err(failed)?;
        if bytes.len() as u64 != part.size {
            return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }
}

impl From<&Path> for ImageFile {
    fn from(path: &Path) -> Self {
        ImageFile::whole(path)
    }
}
