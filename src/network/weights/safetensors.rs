//! safetensors: a JSON header of names, data types, shapes and offsets, then the values.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::Dtype as FileDtype;
use safetensors::tensor::Metadata;

use super::dtype::{self, Dtype};
use super::format::{Format, StateDict, file_error, truncated};
use crate::error::{Error, Result};

/// The safetensors format.
pub(super) const FORMAT: Format = Format {
    name: "safetensors",
    detect: Some(detect),
    read,
    options: |options| options,
};

/// The largest header that is read, in bytes; the format's own limit.
const HEADER_LIMIT: u64 = 100_000_000;

fn detect(head: &[u8]) -> bool {
    let header = head
        .first_chunk::<8>()
        .map(|size| u64::from_le_bytes(*size));
    header.is_some_and(|size| size <= HEADER_LIMIT) && head.get(8) == Some(&b'{')
}

fn read(path: &Path) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    read_from(path, file, length)
}

/// Every tensor of `file`, which is `length` bytes long; messages name it `path`.
///
/// # Errors
/// If it can't be read, is cut short or broken, or has a data type that weights can't have.
pub(super) fn read_from(path: &Path, mut file: impl Read + Seek, length: u64) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(io)?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_LIMIT {
        return Err(file_error(
            path,
            "has a longer header than safetensors allows",
        ));
    }
    let start = 8 + size;
    if start > length {
        return Err(truncated(path, length, start));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header).map_err(io)?;
    let header: Metadata = serde_json::from_slice(&header).map_err(|cause| {
        file_error(path, "has a header that is not valid safetensors").caused_by(cause)
    })?;
    let mut infos: Vec<_> = header.tensors().into_iter().collect();
    infos.sort_by_key(|(_, info)| info.data_offsets);

    let mut tensors = StateDict::new();
    let mut last_end = 0;
    for (name, info) in infos {
        let fault = |clause: &str| file_error(path, &format!("is broken: `{name}` {clause}"));
        let (from, to) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        // The format allows no gaps between tensors, which bounds the memory, too.
        if from != last_end || to < from {
            return Err(fault("does not begin where the tensor before it ends"));
        }
        last_end = to;
        match start.checked_add(to) {
            Some(end) if end <= length => {}
            end => return Err(truncated(path, length, end.unwrap_or(u64::MAX))),
        }
        let Some(dtype) = known_dtype(info.dtype) else {
            return Err(fault(&format!(
                "has data type {:?}; allowed are bool, integers up to 64 bits and floats from 16 to 64",
                info.dtype
            )));
        };
        let shape: Option<Vec<i64>> = (info.shape.iter())
            .map(|&side| i64::try_from(side).ok())
            .collect();
        let shape = shape.ok_or_else(|| fault("has a shape that is too large"))?;
        // Checked before memory is allocated: the offsets may be right and the shape not.
        let bytes = dtype::count(&shape).and_then(|count| count.checked_mul(dtype.size()));
        if bytes.map(|bytes| bytes as u64) != Some(to - from) {
            return Err(fault(&format!(
                "has shape {shape:?}, but {} bytes",
                to - from
            )));
        }
        let mut data = vec![0; (to - from) as usize];
        file.seek(SeekFrom::Start(start + from)).map_err(io)?;
        file.read_exact(&mut data).map_err(io)?;
        let tensor = dtype::decode(&data, dtype, &shape).map_err(|clause| fault(&clause))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// The data type of weights for the file's `dtype`; `None` if weights can't have it.
fn known_dtype(dtype: FileDtype) -> Option<Dtype> {
    Some(match dtype {
        FileDtype::BOOL => Dtype::Bool,
        FileDtype::U8 => Dtype::U8,
        FileDtype::I8 => Dtype::I8,
        FileDtype::I16 => Dtype::I16,
        FileDtype::I32 => Dtype::I32,
        FileDtype::I64 => Dtype::I64,
        FileDtype::F16 => Dtype::F16,
        FileDtype::BF16 => Dtype::BF16,
        FileDtype::F32 => Dtype::F32,
        FileDtype::F64 => Dtype::F64,
        _ => return None,
    })
}
