//! What distinguishes a truncated WebP, which the decoder reports as corrupt.

/// Whether a WebP is as long as its header says; the byte that pads an odd length may be missing.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(4..8) else {
        return false;
    };
    bytes.len() as u64 + 1 >= 8 + u64::from(u32::from_le_bytes([a, b, c, d]))
}
