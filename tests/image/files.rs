//! Decoding of files: pixels, or an error that says what is wrong.

use std::fs;

use convscope::ErrorKind;
use convscope::image::{DecodedImage, image_paths};
use proptest::prelude::*;

use super::{bytes_of, difference, folder, golden, golden_image};

#[test]
fn every_format_gives_the_pixels_of_pillow() {
    golden(|file| {
        let names = file.names();
        let names: Vec<&str> = names
            .iter()
            .filter_map(|key| key.strip_prefix("open/"))
            .collect();
        assert_eq!(names.len(), 24);
        for name in names {
            let photo = DecodedImage::open(&folder().join(name)).unwrap();
            let (most, mean) =
                difference(&photo.pixels, &golden_image(file, &format!("open/{name}")));
            let lossy = name.ends_with(".jpg") || name == "lossy.webp";
            // Another decoder may round otherwise.
            let (allowed, allowed_mean) = if lossy { (4, 0.5) } else { (0, 0.0) };
            assert!(
                most <= allowed && mean <= allowed_mean,
                "{name}: {most} levels of difference, {mean:.3} on average"
            );
        }
    });
}

#[test]
fn the_content_decides_the_format_not_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("really a png.jpg");
    fs::copy(folder().join("colour.png"), &path).unwrap();
    let photo = DecodedImage::open(&path).unwrap();
    assert_eq!(photo.pixels.dimensions(), (61, 43));
    assert_eq!(
        photo,
        DecodedImage::from_bytes("x", &bytes_of("colour.png")).unwrap()
    );
}

#[test]
fn the_sha256_is_that_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abc");
    fs::write(&path, bytes_of("grey.png")).unwrap();
    let first = DecodedImage::open(&path).unwrap().sha256;
    // As `sha256sum` prints it.
    assert_eq!(
        first,
        "4087456ae60ab8ec5715ed6af91683a31f8ba80762f87227236160e458a2212a"
    );
    // What follows a PNG's end changes the file and not the pixels.
    let mut longer = bytes_of("grey.png");
    longer.push(0);
    let second = DecodedImage::from_bytes("abc", &longer).unwrap();
    assert_ne!(second.sha256, first);
    assert_eq!(second.pixels, DecodedImage::open(&path).unwrap().pixels);
}

#[test]
fn all_eight_orientations_are_turned_upright() {
    let bytes = bytes_of("turned.jpg");
    let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0];
    let at = bytes.windows(9).position(|nine| nine == entry).unwrap() + 9;
    golden(|file| {
        for orientation in 1..=8 {
            let mut turned = bytes.clone();
            turned[at] = orientation;
            let photo = DecodedImage::from_bytes("turned", &turned).unwrap();
            let (most, _) = difference(
                &photo.pixels,
                &golden_image(file, &format!("orientation/{orientation}")),
            );
            assert!(most <= 3, "{orientation}: {most} levels of difference");
        }
    });
}

/// The message of opening `bytes` as a file `name`, without the path.
fn decode_error(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = DecodedImage::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    let message = error.message();
    let path = path.display().to_string();
    assert!(message.starts_with(&path), "{message}");
    message[path.len()..].trim().to_owned()
}

#[test]
fn an_unsupported_file_is_an_error_with_its_likely_content() {
    let likely_content = |name: &str, bytes: &[u8]| {
        let message = decode_error(name, bytes);
        let (before, what) = message.split_once(": it looks like ").expect(&message);
        assert_eq!(before, "is not an image that can be read");
        what.to_owned()
    };
    assert_eq!(
        likely_content("note.jpg", b"not a photo at all\n"),
        "a text file"
    );
    assert_eq!(
        likely_content("bmw.bmp", "BMW baut Autos. Grüße\n".as_bytes()),
        "a text file"
    );
    assert_eq!(
        likely_content("page.png", b"<!DOCTYPE html><html>404"),
        "a web page"
    );
    assert_eq!(
        likely_content("a.png", b"<?xml version=\"1.0\"?><svg/>"),
        "an SVG image"
    );
    assert_eq!(likely_content("doc.jpg", b"%PDF-1.7\n\x00\xff"), "a PDF");
    assert_eq!(
        likely_content("x.jpg", b"PK\x03\x04\x00\x00"),
        "a zip archive"
    );
    assert_eq!(
        likely_content("phone.jpg", b"\0\0\0\x18ftypheic\0\0"),
        "an HEIC image"
    );
    assert_eq!(
        likely_content("new.jpg", b"\0\0\0\x18ftypavif\0\0"),
        "an AVIF image"
    );
    assert_eq!(likely_content("zero.jpg", &[0; 100]), "a file of zeros");
    assert_eq!(
        likely_content("odd.jpg", &[7, 200, 0, 3]),
        "some other binary file"
    );
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
    assert!(likely_content("lfs.jpg", pointer).starts_with("a Git LFS pointer"));
}

#[test]
fn a_missing_file_a_folder_and_an_empty_file_are_errors() {
    assert_eq!(decode_error("empty.png", b""), "is empty");
    let dir = tempfile::tempdir().unwrap();
    let error = DecodedImage::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(
        error.message().ends_with("is a folder, not an image file"),
        "{error}"
    );
    let missing = dir.path().join("missing.png");
    let error = DecodedImage::open(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(
        error.message(),
        format!("{} doesn't exist", missing.display())
    );
}

#[test]
fn too_large_images_are_errors_before_decoding() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heavy.png");
    // A sparse file: 65 MiB that take no space.
    fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    let error = DecodedImage::open(&path).unwrap_err();
    assert!(error.message().ends_with("is too large: 65 MiB"), "{error}");

    // The header of a BMP of 20000 × 20000 pixels, without the pixels.
    let mut bmp = bytes_of("colour.bmp")[..54].to_vec();
    bmp[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    assert_eq!(
        decode_error("wide.bmp", &bmp),
        "is too large: 20000 × 20000 pixels"
    );
    // The same for a GIF, whose sides are at byte 6.
    let mut gif = bytes_of("plain.gif");
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(
        decode_error("wide.gif", &gif),
        "is too large: 65535 × 65535 pixels"
    );
}

#[test]
fn a_truncated_file_is_recognised_in_every_format() {
    for name in [
        "colour.png",
        "colour.bmp",
        "lossless.webp",
        "lossy.webp",
        "plain.gif",
        "half.jpg",
        "progressive.jpg",
        "turned.jpg",
    ] {
        let bytes = bytes_of(name);
        // The header stays whole.
        let message = decode_error(name, &bytes[..bytes.len() * 3 / 4]);
        assert!(
            message.starts_with("is truncated: the "),
            "{name}: {message}"
        );
    }
    // A JPEG without its last two bytes already lacks its end.
    let bytes = bytes_of("full.jpg");
    let message = decode_error("full.jpg", &bytes[..bytes.len() - 2]);
    assert!(message.starts_with("is truncated"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), magic in 0..6_usize) {
        let starts: [&[u8]; 6] = [
            b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF\x40\0\0\0WEBPVP8 ",
        ];
        let bytes = [starts[magic], &bytes].concat();
        if let Err(error) = DecodedImage::from_bytes("random", &bytes) {
            prop_assert_eq!(error.kind(), ErrorKind::Image);
        }
    }

    #[test]
    fn damaged_images_never_panic(
        file in 0..9_usize,
        keep in 0.0..1.0_f64,
        damage in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
    ) {
        let name = [
            "colour.png", "colour16.png", "palette.png", "palette.bmp", "lossless.webp", "lossy.webp",
            "moving.gif", "cmyk.jpg", "progressive.jpg",
        ][file];
        let mut bytes = bytes_of(name);
        if damage.is_empty() {
            bytes.truncate((bytes.len() as f64 * keep) as usize);
        }
        let length = bytes.len() as f64;
        for (place, value) in damage {
            bytes[(place * length) as usize] = value;
        }
        match DecodedImage::from_bytes(name, &bytes) {
            Ok(photo) => prop_assert!(photo.pixels.width() > 0),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Image),
        }
    }
}

#[test]
fn the_images_of_a_folder_are_sorted_by_path_without_hidden_ones() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "b/2.JPG",
        "b/10.png",
        "a.webp",
        "b/notes.txt",
        ".hidden/c.png",
        "b/.d.png",
        "z.bmp",
    ] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    fs::create_dir(dir.path().join("folder.png")).unwrap();
    let found = image_paths(dir.path()).unwrap();
    let expected = ["a.webp", "b/10.png", "b/2.JPG", "z.bmp"].map(|name| dir.path().join(name));
    assert_eq!(found, expected);

    let error = image_paths(&dir.path().join("folder.png")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Image);
    assert!(
        error.message().ends_with("has no images below it"),
        "{error}"
    );
    let error = image_paths(&dir.path().join("a.webp")).unwrap_err();
    assert!(
        error.message().ends_with("is a file, not a folder"),
        "{error}"
    );
    let error = image_paths(&dir.path().join("nowhere")).unwrap_err();
    assert!(error.message().ends_with("doesn't exist"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_without_cycles() {
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("a.png"), b"").unwrap();
    std::os::unix::fs::symlink(&photos, photos.join("again")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("gone"), photos.join("gone.jpg")).unwrap();
    let found = image_paths(&photos).unwrap();
    assert_eq!(found, [photos.join("a.png"), photos.join("gone.jpg")]);
    assert!(
        DecodedImage::open(&found[1])
            .unwrap_err()
            .message()
            .ends_with("doesn't exist")
    );
}
