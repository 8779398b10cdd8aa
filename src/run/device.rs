//! The device of a run.

use tch::Device;

use crate::error::{Error, ErrorKind, Result};

/// The device's name: `cpu`, `cuda:0`.
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

/// The device, if the machine and this libtorch have it.
///
/// # Errors
/// If there is no such CUDA device.
pub(super) fn require_device(device: Device) -> Result<Device> {
    if let Device::Cuda(index) = device {
        let count = tch::Cuda::device_count();
        if index as i64 >= count {
            let message =
                format!("`cuda:{index}` doesn't exist: libtorch has {count} CUDA devices");
            return Err(Error::new(ErrorKind::Usage, message)
                .help("leave `--device` out, or set LIBTORCH to a CUDA build of libtorch"));
        }
    }
    Ok(device)
}
