//! Says what a file that is not an image seems to be.

use image::ImageFormat;

/// The name of a format; `image` for one without a decoder and a name.
pub(super) fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Avif => "AVIF",
        ImageFormat::Ico => "ICO",
        ImageFormat::Pnm => "PNM",
        ImageFormat::Qoi => "QOI",
        _ => "image",
    }
}

/// A description of what an unsupported file seems to be, with an article.
pub(super) fn guess_content(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(1024)];
    let begins = |magic: &[u8]| head.starts_with(magic);
    let at_4 = |magic: &[u8]| head.get(4..).is_some_and(|rest| rest.starts_with(magic));
    if is_text(bytes) {
        let text = String::from_utf8_lossy(head).to_lowercase();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        return if text.starts_with("<!doctype html") || text.starts_with("<html") {
            "a web page"
        } else if text.contains("<svg") {
            "an SVG image"
        } else if text.starts_with("version https://git-lfs") {
            "a Git LFS pointer, without the file it points to"
        } else {
            "a text file"
        }
        .to_owned();
    }
    let known: &[(bool, &str)] = &[
        (begins(b"%PDF"), "a PDF"),
        (begins(b"PK\x03\x04"), "a zip archive"),
        (begins(b"\x1f\x8b"), "a gzip archive"),
        (begins(b"8BPS"), "a Photoshop document"),
        (begins(b"\x80\x02"), "a Python pickle"),
        (begins(b"\xff\x0a") || at_4(b"JXL "), "a JPEG XL image"),
        (at_4(b"jP  "), "a JPEG 2000 image"),
        (at_4(b"ftyphei") || at_4(b"ftypmif1"), "an HEIC image"),
    ];
    if let Some((_, what)) = known.iter().find(|(is, _)| *is) {
        return (*what).to_owned();
    }
    if let Ok(format) = image::guess_format(bytes) {
        let article = if matches!(format, ImageFormat::Avif | ImageFormat::Ico) {
            "an"
        } else {
            "a"
        };
        return match format_name(format) {
            "image" => "an image of another format".to_owned(),
            name => format!("{article} {name} image"),
        };
    }
    if at_4(b"ftyp") {
        return "a video".to_owned();
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return "a file of zeros".to_owned();
    }
    "some other binary file".to_owned()
}

/// Whether the beginning is UTF-8 without control characters.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    let whole = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character of `head` may be cut; it is ignored.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !whole.is_empty()
        && whole
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}
