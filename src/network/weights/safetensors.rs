//! safetensors: a JSON header of names, types, shapes and offsets, then the numbers.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::elements::{self, Element};
use super::{StateDict, cut_short, wrong};
use crate::error::{Error, Result};

/// The largest header that is read, in bytes; the format's own limit.
pub(super) const HEADER_LIMIT: u64 = 100_000_000;

/// Reads the tensors of `file`, which is `length` bytes long; `path` is for messages.
pub(super) fn read(path: &Path, mut file: impl Read + Seek, length: u64) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(io)?;
    let size = u64::from_le_bytes(size);
    if size > HEADER_LIMIT {
        return Err(wrong(path, "has a header longer than safetensors allows"));
    }
    let start = 8 + size;
    if start > length {
        return Err(cut_short(path, length, start));
    }
    let mut header = vec![0; size as usize];
    file.read_exact(&mut header).map_err(io)?;
    let header: Metadata = serde_json::from_slice(&header)
        .map_err(|cause| wrong(path, "has a header that is not safetensors'").because(cause))?;
    let mut infos: Vec<_> = header.tensors().into_iter().collect();
    infos.sort_by_key(|(_, info)| info.data_offsets);

    let mut tensors = StateDict::new();
    let mut last_end = 0;
    for (name, info) in infos {
        let fault = |clause: &str| wrong(path, &format!("is broken: `{name}` {clause}"));
        let (from, to) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        // One behind the other without gaps is the format's rule; it bounds memory too.
        if from != last_end || to < from {
            return Err(fault("does not begin where the one before it ends"));
        }
        last_end = to;
        match start.checked_add(to) {
            Some(end) if end <= length => {}
            end => return Err(cut_short(path, length, end.unwrap_or(u64::MAX))),
        }
        let Some(element) = element(info.dtype) else {
            return Err(fault(&format!(
                "is of type {:?}, which no weights here are",
                info.dtype
            )));
        };
        let shape: Option<Vec<i64>> = (info.shape.iter())
            .map(|&side| i64::try_from(side).ok())
            .collect();
        let shape = shape.ok_or_else(|| fault("has a shape that can't be"))?;
        // Before the bytes are fetched: the offsets may be right and the shape not.
        let bytes = elements::count(&shape).and_then(|count| count.checked_mul(element.size()));
        if bytes.map(|bytes| bytes as u64) != Some(to - from) {
            return Err(fault(&format!(
                "has shape {shape:?}, but {} bytes",
                to - from
            )));
        }
        let mut data = vec![0; (to - from) as usize];
        file.seek(SeekFrom::Start(start + from)).map_err(io)?;
        file.read_exact(&mut data).map_err(io)?;
        let tensor = elements::tensor(&data, element, &shape).map_err(|clause| fault(&clause))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::BOOL => Element::Bool,
        Dtype::U8 => Element::U8,
        Dtype::I8 => Element::I8,
        Dtype::I16 => Element::I16,
        Dtype::I32 => Element::I32,
        Dtype::I64 => Element::I64,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::F32 => Element::F32,
        Dtype::F64 => Element::F64,
        _ => return None,
    })
}
