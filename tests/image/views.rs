//! Preprocessing, compared with torchvision.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use convscope::ErrorKind;
use convscope::image::{DecodedImage, Interpolation, Preprocess, image_paths};
use image::RgbImage;

use super::{common, difference, floats, folder, golden, golden_image};

fn preprocess(resize: u32, crop: u32, interpolation: Interpolation) -> Preprocess {
    Preprocess {
        resize: (resize > 0).then_some(resize),
        crop: (crop > 0).then_some(crop),
        interpolation,
        ..Preprocess::imagenet()
    }
}

#[test]
fn views_equal_those_of_torchvision() {
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
            let photo = DecodedImage::open(&folder().join(format!("{}.png", parts[1]))).unwrap();
            let view = preprocess.view(&photo.pixels).unwrap();
            let (width, height) = photo.pixels.dimensions();
            assert_eq!(preprocess.input_size(width, height), view.dimensions());
            let (most, _) = difference(&view, &golden_image(file, key));
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

/// Needs photos, which are not in the repository, and torchvision: in `python3`, or in the Python that
/// `CONVSCOPE_TEST_PYTHON` names.
#[test]
fn views_of_jpegs_differ_from_torchvision_by_half_a_level_at_most() {
    let subject = "the comparison of JPEG views with torchvision";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/images/imagenet_sample");
    let Ok(photos) = image_paths(&folder) else {
        let reason = format!("there are no photos in {}", folder.display());
        return common::skip(subject, &reason, false);
    };
    let photos: Vec<PathBuf> = photos.into_iter().step_by(20).collect();
    let python = std::env::var("CONVSCOPE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let can = Command::new(&python)
        .args(["-c", "import torchvision, PIL"])
        .output();
    if !can.is_ok_and(|output| output.status.success()) {
        let reason = format!("{python} has no torchvision (CONVSCOPE_TEST_PYTHON names another)");
        return common::skip(subject, &reason, false);
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
            let photo = DecodedImage::open(path).unwrap();
            let view = preprocess(256, 224, interpolation)
                .view(&photo.pixels)
                .unwrap();
            let (most, mean) = difference(&view, &expected);
            assert!(
                mean <= 0.5,
                "{}: {mean:.3} levels of difference on average",
                path.display()
            );
            (worst, worst_mean) = (worst.max(most), worst_mean.max(mean));
        }
        println!(
            "{name}, {} photos: at most {worst} levels of difference, {worst_mean:.3} on average",
            photos.len()
        );
    }
}

#[test]
fn normalised_inputs_equal_those_of_torchvision() {
    golden(|file| {
        let found = Preprocess::imagenet().normalise(&golden_image(file, "normalise/input"));
        let expected = floats(file, "normalise/output");
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-6, "{a} {b}");
        }
    });
}

#[test]
fn a_preprocessing_is_described_in_one_line() {
    let describe = |resize, crop| preprocess(resize, crop, Interpolation::Bicubic).describe();
    assert_eq!(describe(256, 224), "short side 256 bicubic, centre 224");
    assert_eq!(describe(256, 0), "short side 256 bicubic");
    assert_eq!(describe(0, 224), "centre 224");
    assert_eq!(describe(0, 0), "as it is");
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
fn empty_and_too_large_sizes_are_errors() {
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
    for (preprocess, image) in attempts {
        let error = preprocess.view(image).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Image);
        assert!(error.message().contains("can't preprocess"), "{error}");
    }
}
