//! The picture room against Pillow and torchvision, and against files that are no pictures.
//!
//! `pictures/` and its `golden.safetensors` are made by `make_pictures.py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use convscope::ErrorKind;
use convscope::picture::{
    ColourMap, Grid, Interpolation, NO_VALUE, Photo, Preprocess, Scale, channels, data_uri,
    enlarge, jpeg, kernels, overlay, palette_png, photo_paths, rgb_png, to_indices,
};
use image::{Rgb, RgbImage};
use proptest::prelude::*;
use safetensors::{Dtype, SafeTensors};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).expect(name)
}

fn golden<T>(check: impl FnOnce(&SafeTensors) -> T) -> T {
    let bytes = bytes_of("golden.safetensors");
    check(&SafeTensors::deserialize(&bytes).expect("the golden figures"))
}

/// A picture of the golden file, `[height, width, 3]`.
fn picture(file: &SafeTensors, key: &str) -> RgbImage {
    let tensor = file.tensor(key).expect(key);
    assert_eq!(tensor.dtype(), Dtype::U8);
    let (height, width) = (tensor.shape()[0] as u32, tensor.shape()[1] as u32);
    RgbImage::from_raw(width, height, tensor.data().to_vec()).expect(key)
}

fn floats(file: &SafeTensors, key: &str) -> Vec<f32> {
    let tensor = file.tensor(key).expect(key);
    assert_eq!(tensor.dtype(), Dtype::F32);
    let words = tensor.data().as_chunks::<4>().0;
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// The largest and the mean difference, in levels.
fn apart(found: &RgbImage, expected: &RgbImage) -> (u8, f64) {
    assert_eq!(found.dimensions(), expected.dimensions());
    let differences = found
        .iter()
        .zip(expected.iter())
        .map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (differences.max().unwrap_or(0), sum / expected.len() as f64)
}

fn preprocess(resize: u32, crop: u32, interpolation: Interpolation) -> Preprocess {
    Preprocess {
        resize: (resize > 0).then_some(resize),
        crop: (crop > 0).then_some(crop),
        interpolation,
        ..Preprocess::imagenet()
    }
}

#[test]
fn every_format_gives_pillows_pixels() {
    golden(|file| {
        let names = file.names();
        let names: Vec<&str> = names
            .iter()
            .filter_map(|key| key.strip_prefix("open/"))
            .collect();
        assert_eq!(names.len(), 24);
        for name in names {
            let photo = Photo::open(&folder().join(name)).unwrap();
            let (most, mean) = apart(&photo.pixels, &picture(file, &format!("open/{name}")));
            let lossy = name.ends_with(".jpg") || name == "lossy.webp";
            // Another decoder may round otherwise.
            let (allowed, allowed_mean) = if lossy { (4, 0.5) } else { (0, 0.0) };
            assert!(
                most <= allowed && mean <= allowed_mean,
                "{name}: {most} levels apart, {mean:.3} on average"
            );
        }
    });
}

#[test]
fn the_content_decides_and_not_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("really a png.jpg");
    fs::copy(folder().join("colour.png"), &path).unwrap();
    let photo = Photo::open(&path).unwrap();
    assert_eq!(photo.pixels.dimensions(), (61, 43));
    assert_eq!(
        photo,
        Photo::from_bytes("x", &bytes_of("colour.png")).unwrap()
    );
}

#[test]
fn the_hash_is_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("abc");
    fs::write(&path, bytes_of("grey.png")).unwrap();
    let first = Photo::open(&path).unwrap().sha256;
    assert_eq!(first.len(), 64);
    // What follows a PNG's end changes the file and not the pixels.
    let mut longer = bytes_of("grey.png");
    longer.push(0);
    let second = Photo::from_bytes("abc", &longer).unwrap();
    assert_ne!(second.sha256, first);
    assert_eq!(second.pixels, Photo::open(&path).unwrap().pixels);
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
            let photo = Photo::from_bytes("turned", &turned).unwrap();
            let (most, _) = apart(
                &photo.pixels,
                &picture(file, &format!("orientation/{orientation}")),
            );
            assert!(most <= 3, "{orientation}: {most} levels apart");
        }
    });
}

#[test]
fn views_are_torchvisions_to_the_bit() {
    golden(|file| {
        let names = file.names();
        let mut views = 0;
        for key in names.iter().filter(|key| key.starts_with("view/")) {
            let parts: Vec<&str> = key.split('/').collect();
            let interpolation = match parts[4] {
                "bilinear" => Interpolation::Bilinear,
                _ => Interpolation::Bicubic,
            };
            let (resize, crop) = (parts[2].parse().unwrap(), parts[3].parse().unwrap());
            let preprocess = preprocess(resize, crop, interpolation);
            let photo = Photo::open(&folder().join(format!("{}.png", parts[1]))).unwrap();
            let view = preprocess.view(&photo.pixels).unwrap();
            let (width, height) = photo.pixels.dimensions();
            assert_eq!(preprocess.input_size(width, height), view.dimensions());
            let (most, _) = apart(&view, &picture(file, key));
            assert_eq!(most, 0, "{key}");
            views += 1;
        }
        assert_eq!(views, 36);
    });
}

/// Writes the views of photos as raw bytes: `VIEWS.py OUT INTERPOLATION PHOTO…`.
const VIEWS: &str = "
import sys
from pathlib import Path
from PIL import Image
from torchvision.transforms import InterpolationMode, functional as F
out, interpolation, *photos = sys.argv[1:]
for number, photo in enumerate(photos):
    view = F.resize(Image.open(photo).convert('RGB'), 256, InterpolationMode(interpolation))
    (Path(out) / str(number)).write_bytes(F.center_crop(view, 224).tobytes())
";

/// Photos stay out of the repository, so torchvision has to be there to be asked: in `python3`, or
/// in the Python that `CONVSCOPE_TEST_PYTHON` names.
#[test]
fn views_of_jpegs_are_within_half_a_level_of_torchvisions() {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/images/imagenet_sample");
    let Ok(photos) = photo_paths(&photos) else {
        println!("skipped: no photos at {}", photos.display());
        return;
    };
    let photos: Vec<PathBuf> = photos.into_iter().step_by(20).collect();
    let python = std::env::var("CONVSCOPE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let can = Command::new(&python)
        .args(["-c", "import torchvision, PIL"])
        .output();
    if !can.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no torchvision");
        return;
    }
    for (interpolation, name) in [
        (Interpolation::Bilinear, "bilinear"),
        (Interpolation::Bicubic, "bicubic"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(&python);
        command
            .args(["-c", VIEWS])
            .arg(out.path())
            .arg(name)
            .args(&photos);
        assert!(command.status().unwrap().success());
        let (mut worst, mut worst_mean) = (0, 0.0_f64);
        for (number, path) in photos.iter().enumerate() {
            let bytes = fs::read(out.path().join(number.to_string())).unwrap();
            let expected = RgbImage::from_raw(224, 224, bytes).unwrap();
            let photo = Photo::open(path).unwrap();
            let view = preprocess(256, 224, interpolation)
                .view(&photo.pixels)
                .unwrap();
            let (most, mean) = apart(&view, &expected);
            assert!(
                mean <= 0.5,
                "{}: {mean:.3} levels apart on average",
                path.display()
            );
            (worst, worst_mean) = (worst.max(most), worst_mean.max(mean));
        }
        println!(
            "{name}, {} photos: at most {worst} levels apart, {worst_mean:.3} on average",
            photos.len()
        );
    }
}

#[test]
fn normalised_planes_are_torchvisions() {
    golden(|file| {
        let found = Preprocess::imagenet().normalise(&picture(file, "normalise/input"));
        let expected = floats(file, "normalise/output");
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-6, "{a} {b}");
        }
    });
}

#[test]
fn a_preprocessing_says_what_it_does() {
    let say = |resize, crop| preprocess(resize, crop, Interpolation::Bicubic).describe();
    assert_eq!(say(256, 224), "short side 256 bicubic, centre 224");
    assert_eq!(say(256, 0), "short side 256 bicubic");
    assert_eq!(say(0, 224), "centre 224");
    assert_eq!(say(0, 0), "as it is");
    assert_eq!(
        preprocess(256, 0, Interpolation::Bilinear).input_size(500, 375),
        (341, 256)
    );
    assert_eq!(
        preprocess(256, 0, Interpolation::Bilinear).input_size(375, 500),
        (256, 341)
    );
}

#[test]
fn sizes_of_nothing_and_of_too_much_are_errors() {
    let photo = RgbImage::new(3, 2);
    let strip = RgbImage::new(1, 60_000);
    let zero = Preprocess {
        resize: Some(0),
        crop: None,
        ..Preprocess::imagenet()
    };
    let no_crop = Preprocess {
        crop: Some(0),
        ..Preprocess::imagenet()
    };
    let huge_crop = Preprocess {
        crop: Some(u32::MAX),
        ..Preprocess::imagenet()
    };
    let huge = Preprocess {
        resize: Some(u32::MAX),
        ..Preprocess::imagenet()
    };
    let attempts = [
        (&zero, &photo),
        (&no_crop, &photo),
        (&huge_crop, &photo),
        (&huge, &photo),
        (&Preprocess::imagenet(), &strip),
        (&Preprocess::imagenet(), &RgbImage::new(0, 5)),
    ];
    for (preprocess, picture) in attempts {
        let error = preprocess.view(picture).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Picture);
        assert!(error.message().contains("can't be preprocessed"), "{error}");
    }
}

/// Opens `bytes` as a file `name` and gives the message without the folder's path.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = Photo::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Picture);
    let message = error.message();
    let path = path.display().to_string();
    assert!(message.starts_with(&path), "{message}");
    message[path.len()..].trim().to_owned()
}

#[test]
fn a_file_that_is_no_picture_is_named_for_what_it_is() {
    let seems = |name: &str, bytes: &[u8]| {
        let message = refusal(name, bytes);
        let (before, what) = message.split_once(": it looks like ").expect(&message);
        assert_eq!(before, "is not a picture that can be read");
        what.to_owned()
    };
    assert_eq!(seems("note.jpg", b"not a photo at all\n"), "a text file");
    assert_eq!(
        seems("bmw.bmp", "BMW baut Autos. Grüße\n".as_bytes()),
        "a text file"
    );
    assert_eq!(seems("page.png", b"<!DOCTYPE html><html>404"), "a web page");
    assert_eq!(
        seems("a.png", b"<?xml version=\"1.0\"?><svg/>"),
        "an SVG drawing"
    );
    assert_eq!(seems("doc.jpg", b"%PDF-1.7\n\x00\xff"), "a PDF");
    assert_eq!(seems("x.jpg", b"PK\x03\x04\x00\x00"), "a zip archive");
    assert_eq!(
        seems("scan.jpg", b"II*\x00\x08\x00\x00\x00"),
        "a TIFF picture"
    );
    assert_eq!(
        seems("phone.jpg", b"\0\0\0\x18ftypheic\0\0"),
        "an HEIC picture"
    );
    assert_eq!(
        seems("new.jpg", b"\0\0\0\x18ftypavif\0\0"),
        "an AVIF picture"
    );
    assert_eq!(seems("zero.jpg", &[0; 100]), "nothing but zeros");
    assert_eq!(seems("odd.jpg", &[7, 200, 0, 3]), "some other binary file");
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
    assert!(seems("lfs.jpg", pointer).starts_with("a Git LFS pointer"));
}

#[test]
fn a_missing_file_a_folder_and_an_empty_file_are_errors() {
    assert_eq!(refusal("empty.png", b""), "is empty");
    let dir = tempfile::tempdir().unwrap();
    let error = Photo::open(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Picture);
    assert!(
        error.message().ends_with("is a folder, not a picture"),
        "{error}"
    );
    let missing = dir.path().join("missing.png");
    let error = Photo::open(&missing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Picture);
    assert_eq!(
        error.message(),
        format!("{} doesn't exist", missing.display())
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("heavy.png");
    // A hole: the file says 65 MiB and takes no room.
    fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    let error = Photo::open(&path).unwrap_err();
    assert!(error.message().ends_with("is too large: 65 MiB"), "{error}");

    // The header of a BMP of 20000 × 20000 pixels, without the pixels.
    let mut bmp = bytes_of("colour.bmp")[..54].to_vec();
    bmp[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    assert_eq!(
        refusal("wide.bmp", &bmp),
        "is too large: 20000 × 20000 pixels"
    );
    // And the same for a GIF, whose sides stand at 6.
    let mut gif = bytes_of("plain.gif");
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(
        refusal("wide.gif", &gif),
        "is too large: 65535 × 65535 pixels"
    );
}

#[test]
fn half_a_file_is_truncated_in_every_format() {
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
        let message = refusal(name, &bytes[..bytes.len() * 3 / 4]);
        assert!(
            message.starts_with("is truncated: the "),
            "{name}: {message}"
        );
    }
    // A JPEG without its last two bytes already lacks its end.
    let bytes = bytes_of("full.jpg");
    let message = refusal("full.jpg", &bytes[..bytes.len() - 2]);
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
        if let Err(error) = Photo::from_bytes("random", &bytes) {
            prop_assert_eq!(error.kind(), ErrorKind::Picture);
        }
    }

    #[test]
    fn spoilt_pictures_never_panic(
        file in 0..9_usize,
        keep in 0.0..1.0_f64,
        spoil in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
    ) {
        let name = [
            "colour.png", "colour16.png", "palette.png", "palette.bmp", "lossless.webp", "lossy.webp",
            "moving.gif", "cmyk.jpg", "progressive.jpg",
        ][file];
        let mut bytes = bytes_of(name);
        if spoil.is_empty() {
            bytes.truncate((bytes.len() as f64 * keep) as usize);
        }
        let length = bytes.len() as f64;
        for (place, value) in spoil {
            bytes[(place * length) as usize] = value;
        }
        match Photo::from_bytes(name, &bytes) {
            Ok(photo) => prop_assert!(photo.pixels.width() > 0),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Picture),
        }
    }

    #[test]
    fn any_number_has_an_index(low in any::<f32>(), high in any::<f32>(), signed: bool, value in any::<f32>()) {
        let scale = Scale { low, high, signed };
        prop_assert_eq!(scale.index(value) == NO_VALUE, value.is_nan());
        let _ = Scale::of(&[low, high, value], signed).index(value);
    }
}

#[test]
fn a_folders_pictures_come_by_path_without_hidden_ones() {
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
    let found = photo_paths(dir.path()).unwrap();
    let expected = ["a.webp", "b/10.png", "b/2.JPG", "z.bmp"].map(|name| dir.path().join(name));
    assert_eq!(found, expected);

    let error = photo_paths(&dir.path().join("folder.png")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Picture);
    assert!(
        error.message().ends_with("has no pictures below it"),
        "{error}"
    );
    let error = photo_paths(&dir.path().join("a.webp")).unwrap_err();
    assert!(
        error.message().ends_with("is a file, not a folder"),
        "{error}"
    );
    let error = photo_paths(&dir.path().join("nowhere")).unwrap_err();
    assert!(error.message().ends_with("doesn't exist"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("a.png"), b"").unwrap();
    std::os::unix::fs::symlink(&photos, photos.join("again")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("gone"), photos.join("gone.jpg")).unwrap();
    let found = photo_paths(&photos).unwrap();
    assert_eq!(found, [photos.join("a.png"), photos.join("gone.jpg")]);
    assert!(
        Photo::open(&found[1])
            .unwrap_err()
            .message()
            .ends_with("doesn't exist")
    );
}

#[test]
fn a_scale_spends_its_indices_on_its_range() {
    let values = [-2.0, f32::NAN, 0.0, 6.0, f32::INFINITY];
    let scale = Scale::of(&values, false);
    assert_eq!(scale, Scale::between(-2.0, 6.0));
    assert_eq!(to_indices(&values, scale), [1, 0, 65, 255, 255]);
    let scale = Scale::of(&values, true);
    assert_eq!(scale, Scale::symmetric(6.0));
    assert_eq!(
        to_indices(&[-6.0, 0.0, 3.0, 6.0], scale),
        [1, 128, 192, 255]
    );
    assert!(Scale::of(&[], false).is_flat());
    assert!(Scale::of(&[3.0, 3.0], false).is_flat());
    assert_eq!(Scale::of(&[0.0, 0.0], true).index(0.0), 128);
    // The difference of these two is no f32.
    assert_eq!(Scale::between(f32::MIN, f32::MAX).index(0.0), 128);
}

/// Lightness L* of CIE Lab, 0 to 100.
fn lightness(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|sample| {
        let sample = f64::from(sample) / 255.0;
        if sample <= 0.04045 {
            sample / 12.92
        } else {
            ((sample + 0.055) / 1.055).powf(2.4)
        }
    });
    let y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    if y > 0.008856 {
        116.0 * y.cbrt() - 16.0
    } else {
        903.3 * y
    }
}

#[test]
fn palettes_grow_lighter_and_keep_a_colour_for_nothing() {
    for map in ColourMap::ALL {
        let palette = map.palette();
        assert!(!palette[1..].contains(&palette[0]), "{map:?}");
        if map == ColourMap::BlueRed {
            let [red, green, blue] = palette[128];
            assert!(red.abs_diff(green) <= 5 && green.abs_diff(blue) <= 5 && red > 230);
            assert!(palette[1][2] > palette[1][0] && palette[255][0] > palette[255][2]);
            continue;
        }
        for pair in palette[1..].windows(2) {
            assert!(
                lightness(pair[1]) > lightness(pair[0]) - 0.3,
                "{map:?} {pair:?}"
            );
        }
        assert!(
            lightness(palette[255]) - lightness(palette[1]) > 60.0,
            "{map:?}"
        );
    }
    assert_eq!(ColourMap::Viridis.palette()[1], [68, 1, 84]);
}

#[test]
fn pngs_keep_every_pixel_and_come_out_the_same() {
    let palette = ColourMap::Magma.palette();
    let indices: Vec<u8> = (0..=255).collect();
    let file = palette_png(32, 8, &indices, &palette).unwrap();
    assert_eq!(file, palette_png(32, 8, &indices, &palette).unwrap());
    let read = Photo::from_bytes("map", &file).unwrap().pixels;
    assert_eq!(read.dimensions(), (32, 8));
    for (index, pixel) in read.pixels().enumerate() {
        assert_eq!(pixel.0, palette[index]);
    }
    assert!(palette_png(32, 8, &indices[1..], &palette).is_err());
    assert!(palette_png(0, 8, &[], &palette).is_err());

    let photo = Photo::open(&folder().join("noise.png")).unwrap().pixels;
    let file = rgb_png(&photo).unwrap();
    assert_eq!(Photo::from_bytes("photo", &file).unwrap().pixels, photo);
    assert!(rgb_png(&RgbImage::new(0, 0)).is_err());
}

#[test]
fn jpegs_are_near_and_smaller_for_less_quality() {
    let photo = Photo::open(&folder().join("full.jpg")).unwrap().pixels;
    let good = jpeg(&photo, 95).unwrap();
    let (_, mean) = apart(&Photo::from_bytes("good", &good).unwrap().pixels, &photo);
    assert!(mean < 2.0, "{mean}");
    assert!(jpeg(&photo, 0).unwrap().len() < good.len());
    assert!(jpeg(&RgbImage::new(1, 65_536), 80).is_err());
    assert!(jpeg(&RgbImage::new(3, 0), 80).is_err());
}

#[test]
fn a_data_uri_holds_the_file() {
    assert_eq!(
        data_uri("image/png", b"hello"),
        "data:image/png;base64,aGVsbG8="
    );
}

#[test]
fn channels_lie_in_a_grid_with_gaps() {
    // Five channels of 2 × 1: columns of 3 and 5 pixels to a side are nearest to a square at 2.
    let values: Vec<f32> = (0..10).map(|value| value as f32).collect();
    let mosaic = channels(&values, [5, 1, 2], &[Scale::between(0.0, 9.0)], 1).unwrap();
    assert_eq!((mosaic.grid.columns, mosaic.grid.rows), (2, 3));
    assert_eq!((mosaic.width, mosaic.height), (5, 5));
    let index = |value: f32| Scale::between(0.0, 9.0).index(value);
    let row = |a, b, c, d| [index(a), index(b), NO_VALUE, index(c), index(d)];
    let gap = [NO_VALUE; 5];
    let last = [index(8.0), index(9.0), NO_VALUE, NO_VALUE, NO_VALUE];
    let expected = [
        row(0.0, 1.0, 2.0, 3.0),
        gap,
        row(4.0, 5.0, 6.0, 7.0),
        gap,
        last,
    ]
    .concat();
    assert_eq!(mosaic.indices, expected);
    assert_eq!(mosaic.grid.origin(3), (3, 2));

    // On scales of their own, all channels end alike.
    let own: Vec<Scale> = values.chunks(2).map(|two| Scale::of(two, false)).collect();
    let mosaic = channels(&values, [5, 1, 2], &own, 3).unwrap();
    assert_eq!((mosaic.width, mosaic.height), (13, 11));
    assert_eq!(mosaic.indices[..7], [1, 1, 1, 255, 255, 255, NO_VALUE]);

    let scale = [Scale::between(0.0, 9.0)];
    assert!(channels(&values, [5, 2, 2], &scale, 1).is_err());
    assert!(channels(&values, [5, 1, 2], &own[..2], 1).is_err());
    assert!(channels(&[], [0, 1, 2], &scale, 1).is_err());
    assert!(channels(&values, [5, 1, 2], &scale, 0).is_err());
    assert!(channels(&values, [5, 1, 2], &scale, u32::MAX).is_err());
    assert!(Grid::new(usize::MAX, usize::MAX, usize::MAX, u32::MAX).is_err());
    // A square number of squares is a square.
    let grid = Grid::new(64, 7, 7, 4).unwrap();
    assert_eq!((grid.columns, grid.rows, grid.width()), (8, 8, 8 * 29 - 1));
}

#[test]
fn kernels_are_grey_at_zero() {
    // One kernel of 1 × 2: red, green, blue planes.
    let values = [0.0, 1.0, -1.0, -5.0, 0.5, f32::NAN];
    let tiles = kernels(&values, [1, 1, 2], 1.0, 2).unwrap();
    assert_eq!(tiles.dimensions(), (4, 2));
    assert_eq!(*tiles.get_pixel(1, 1), Rgb([128, 0, 191]));
    assert_eq!(*tiles.get_pixel(2, 0), Rgb([255, 0, 0]));
    let flat = kernels(&[0.0; 6], [2, 1, 1], 0.0, 1).unwrap();
    let (grey, white) = (Rgb([128; 3]), Rgb([255; 3]));
    let found: Vec<Rgb<u8>> = flat.pixels().copied().collect();
    assert!(found == [grey, white, grey], "{found:?}");
    assert!(kernels(&values, [2, 1, 2], 1.0, 1).is_err());
}

#[test]
fn maps_are_enlarged_as_pytorch_does() {
    golden(|file| {
        let map = floats(file, "enlarge/map");
        for (width, height) in [(33, 20), (7, 5), (9, 3)] {
            let found = enlarge(&map, (7, 5), (width, height)).unwrap();
            let expected = floats(file, &format!("enlarge/{width}/{height}"));
            assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{width} × {height}: {a} {b}");
            }
        }
    });
    assert!(enlarge(&[1.0; 6], (7, 5), (3, 3)).is_err());
    assert!(enlarge(&[], (0, 0), (3, 3)).is_err());
    assert!(enlarge(&[1.0], (1, 1), (0, 3)).is_err());
    assert!(enlarge(&[1.0], (1, 1), (u32::MAX, u32::MAX)).is_err());
}

#[test]
fn an_overlay_mixes_and_leaves_the_photo_where_there_is_no_number() {
    let photo = RgbImage::from_pixel(4, 2, Rgb([100, 150, 200]));
    let map = [0.0, f32::NAN];
    let lay = |alpha| {
        let scale = Scale::between(0.0, 1.0);
        overlay(&photo, &map, 2, 1, ColourMap::Viridis, scale, alpha).unwrap()
    };
    assert_eq!(lay(0.0), photo);
    assert_eq!(lay(f32::NAN), photo);
    let half = lay(0.5);
    assert_eq!(half.get_pixel(0, 0).0, [84, 76, 142]);
    assert_eq!(half.get_pixel(3, 1).0, [100, 150, 200]);
    assert_eq!(lay(9.0).get_pixel(0, 0).0, [68, 1, 84]);
}
